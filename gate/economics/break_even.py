"""Where the two bills cross, exactly: in closed form, or by walking the pieces of S (docs/model.md).

There is no bisection: the volumes at which self-hosting is not dearer are a union of intervals.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from gate.economics.bills import Bills, Pool
from gate.economics.pieces import Piece, pieces
from gate.economics.units import TIE, cheaper, whole
from gate.verdict import Verdict

MAX_LOSS_WINDOWS: Final = 1000
"""Loss windows that are listed; `BreakEven.loss_window_count` counts all of them."""

Interval = tuple[float, float]


class BreakEven(NamedTuple):
    """Where self-hosting stops losing; volumes are in the unit of the bills."""

    verdict: Verdict
    """`infinite`, `beyond_cap` or `finite`."""
    capacity: float | None
    """The largest volume the stack can serve; None without a cap."""
    first: float | None = None
    """V*: the least volume at which the bills are equal; with `beyond_cap`, where it would lie."""
    safe: float | None = None
    """V_safe: from here self-hosting never loses again up to the capacity; None where it does."""
    loss_windows: tuple[Interval, ...] = ()
    """Volumes above V* (from, to) at which self-hosting loses again; one without an end is not listed."""
    loss_window_count: int = 0
    peak_nodes: tuple[int, ...] = ()
    """Nodes of the busiest interval at V*, one for each pool; with `beyond_cap`, those it would need."""


def break_even(bills: Bills) -> BreakEven:
    """Return where the bills cross.

    Raises:
        TooFineError: self-hosting saves so little per unit that the crossing lies beyond
            what can be walked.
    """
    capacity = bills.capacity
    if not cheaper(bills.floor_usd, bills.hosted_usd) and bills.all_fixed_usd >= 0:
        return BreakEven(verdict=Verdict.INFINITE, capacity=capacity)
    level = len(bills.pools) == 1 and len(bills.pools[0].needs) == 1
    if level and capacity is None and cheaper(bills.floor_usd, bills.hosted_usd):
        return sized_for_peak(bills, bills.pools[0])
    won = list(won_intervals(bills))
    if not won:
        return _never_within_cap(bills)
    return _finite(bills, won)


def _finite(bills: Bills, won: list[Interval]) -> BreakEven:
    windows = tuple((left[1], right[0]) for left, right in pairwise(won))
    last, capacity = won[-1], bills.capacity
    if capacity is not None and last[1] < capacity * (1 - TIE):
        windows, safe = (*windows, (last[1], capacity)), None
    elif capacity is None and last[1] < float("inf"):
        safe = None
    else:
        safe = last[0]
    return BreakEven(
        verdict=Verdict.FINITE,
        capacity=capacity,
        first=won[0][0],
        safe=safe,
        loss_windows=windows[:MAX_LOSS_WINDOWS],
        loss_window_count=len(windows),
        peak_nodes=tuple(pool.peak_nodes(won[0][0]) for pool in bills.pools),
    )


def _never_within_cap(bills: Bills) -> BreakEven:
    """Return `beyond_cap` with the nodes it would need, or `infinite` where more would not help."""
    if not cheaper(bills.floor_usd, bills.hosted_usd):
        return BreakEven(verdict=Verdict.INFINITE, capacity=bills.capacity)
    first = next(won_intervals(_uncapped(bills)))[0]
    return BreakEven(
        verdict=Verdict.BEYOND_CAP,
        capacity=bills.capacity,
        first=first,
        peak_nodes=tuple(pool.peak_nodes(first) for pool in bills.pools),
    )


def _uncapped(bills: Bills) -> Bills:
    """Return the bills of the same stack without a limit on its pools."""
    pools = tuple(pool._replace(max_nodes=None) for pool in bills.pools)
    return bills._replace(pools=pools)


def sized_for_peak(bills: Bills, pool: Pool) -> BreakEven:
    """Return the break-even of one pool sized for its peak and without a cap, in closed form.

    u = T q / (b P) units a node sustains, m = (p - v) u - c what a full node saves,
    k* = max(Rmin, 1, ceil(F / m)), V* = (F + c k*) / (p - v); it loses again after each
    full k* <= k < ceil((F + c) / m).
    """
    unit = 1 / pool.peak_need
    saves = bills.hosted_usd - bills.marginal_usd
    fixed, node = bills.all_fixed_usd, pool.node_usd
    margin = saves * unit - node
    first = max(pool.min_nodes, 1, whole(fixed / margin))
    safe = max(first, whole((fixed + node) / margin))
    listed = range(first, min(safe, first + MAX_LOSS_WINDOWS))
    return BreakEven(
        verdict=Verdict.FINITE,
        capacity=None,
        first=max(0.0, fixed + node * first) / saves,
        safe=max(0.0, fixed + node * safe) / saves,
        loss_windows=tuple((k * unit, (fixed + node * (k + 1)) / saves) for k in listed),
        loss_window_count=safe - first,
        peak_nodes=(first,),
    )


def won_intervals(bills: Bills) -> Iterator[Interval]:
    """Yield the volumes at which self-hosting is not dearer, as closed intervals in order.

    The last one reaches the capacity, or infinity, where self-hosting wins for good.
    """
    low, high = _window(bills)
    capacity = bills.capacity
    end = high if capacity is None else min(high, capacity)
    current: Interval | None = None
    for piece in pieces(bills, above=low, up_to=end) if low < end else ():
        won = _won_within(bills, piece)
        if current and won and won[0] <= current[1] * (1 + TIE):
            current = (current[0], won[1])
        elif won:
            if current:
                yield current
            current = won
    limit = float("inf") if capacity is None else capacity
    if high < limit and bills.floor_usd < bills.hosted_usd:
        yield (current[0] if current and current[1] >= end else end, limit)
    elif current:
        yield current


def _window(bills: Bills) -> Interval:
    """Return the volumes (low, high) between which all crossings lie.

    R(x) lies between h x and h x + max(1, floor). Where a unit costs less self-hosted, F < m x is
    needed and F + c max(1, floor) < m x is enough, with m = p - v - c h. Where it does not, only fixed
    costs that are saved (F < 0) can win, up to x = F / m.
    """
    margin, fixed = bills.hosted_usd - bills.floor_usd, bills.all_fixed_usd
    if margin == 0:
        return 0.0, float("inf")
    if margin < 0:
        return 0.0, fixed / margin * (1 + 1e-9)
    slack = sum(pool.node_usd * max(1, pool.min_nodes) for pool in bills.pools)
    return max(0.0, fixed / margin * (1 - 1e-9)), max(0.0, (fixed + slack) / margin * (1 + 1e-9))


def _won_within(bills: Bills, piece: Piece) -> Interval | None:
    """Return the part of the piece in which S(x) <= H(x)."""
    level = bills.net_fixed_usd + piece.nodes_usd
    saves = bills.hosted_usd - bills.marginal_usd
    if saves <= 0:
        end = min(piece.end, level / saves) if saves < 0 else piece.end
        return (piece.start, end) if level <= 0 and end > piece.start else None
    crossing = level / saves
    if crossing > piece.end * (1 + TIE):
        return None
    return max(piece.start, min(crossing, piece.end)), piece.end
