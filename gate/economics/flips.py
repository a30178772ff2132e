"""Flip distances: how far one quantity alone has to move for the verdict to change.

Each is a factor on the quantity as it stands, so that the same code serves a model and a whole stack;
what is shown is the factor times the present value. They are exact: the verdict differs between one
part in 10^9 below the printed value and one part in 10^9 above it (tests/gate/economics/test_flips.py).
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gate.economics.bills import Bills
from gate.economics.break_even import BreakEven, won_intervals
from gate.economics.pieces import pieces
from gate.economics.units import TIE, cheaper
from gate.verdict import NEVER_BREAKS_EVEN, Verdict


class Quantity(StrEnum):
    """What is moved, all else as it stands."""

    HOSTED_PRICE = "hosted_price"
    NODE_PRICE = "node_price"
    THROUGHPUT = "throughput"
    """Tokens per second at the SLO; the utilization a pool sustains moves the verdict in the same way."""
    VOLUME = "volume"
    MAX_NODES = "max_nodes"


class Flip(NamedTuple):
    """Where the verdict changes when `quantity` alone is multiplied by `factor`."""

    quantity: Quantity
    factor: float


def flips(bills: Bills, outcome: BreakEven, *, volume: float | None) -> tuple[Flip, ...]:
    """Return the flip distances of the verdict that `outcome` (and the volume, if given) lead to.

    Raises:
        TooFineError: as `break_even`.
    """
    if outcome.verdict in NEVER_BREAKS_EVEN:
        return tuple(_of_a_refusal(bills, outcome))
    if volume is None:
        return ()
    return tuple(_at_volume(bills, volume))


def verdict_at(bills: Bills, outcome: BreakEven, volume: float | None) -> Verdict:
    """Return the verdict of the model, judged at `volume` where there is one."""
    if outcome.verdict in NEVER_BREAKS_EVEN or volume is None:
        return outcome.verdict
    wins = cheaper(bills.self_hosted(volume), bills.hosted(volume))
    return Verdict.WINS if wins else Verdict.BELOW_BREAK_EVEN


def _of_a_refusal(bills: Bills, outcome: BreakEven) -> Iterator[Flip]:
    """Yield what would give the stack a break-even within its cap, each alone."""
    best = _most_favourable(bills)
    yield Flip(Quantity.HOSTED_PRICE, best.hosted_price)
    if best.node_price > 0:
        yield Flip(Quantity.NODE_PRICE, best.node_price)
    if best.throughput < float("inf"):
        yield Flip(Quantity.THROUGHPUT, best.throughput)
    if outcome.verdict is Verdict.BEYOND_CAP and bills.capacity is not None:
        caps = zip(bills.pools, outcome.peak_nodes, strict=True)
        factor = max(nodes / pool.max_nodes for pool, nodes in caps if pool.max_nodes)
        yield Flip(Quantity.MAX_NODES, factor)


class _Factors(NamedTuple):
    hosted_price: float
    node_price: float
    throughput: float


def _most_favourable(bills: Bills) -> _Factors:
    """Return the least changes that let the bills meet at some volume up to the capacity.

    Within a piece its right end is the most favourable volume; without a cap the limit of a large
    volume, where each unit costs `floor_usd`, is never reached and bounds all of them (where fixed
    costs are saved, a lesser change may do at a small volume: what is returned is then enough).
    """
    saves = bills.hosted_usd - bills.marginal_usd
    if bills.capacity is None:
        nodes = bills.floor_usd - bills.marginal_usd
        throughput = nodes / saves if saves > 0 else float("inf")
        return _Factors(bills.floor_usd / bills.hosted_usd, saves / nodes, throughput)
    hosted, node, throughput = float("inf"), 0.0, float("inf")
    for piece in pieces(bills, above=0.0, up_to=bills.capacity):
        level = bills.net_fixed_usd + piece.nodes_usd
        hosted = min(hosted, level / piece.end + bills.marginal_usd)
        if piece.nodes_usd > 0 and cheaper(bills.net_fixed_usd, saves * piece.end):
            node = max(node, (saves * piece.end - bills.net_fixed_usd) / piece.nodes_usd)
        if saves > 0:
            throughput = min(throughput, level / (saves * piece.end))
    return _Factors(hosted / bills.hosted_usd, node, throughput)


def _at_volume(bills: Bills, volume: float) -> Iterator[Flip]:
    """Yield what makes self-hosting win at this volume, or lose, or no longer hold the volume."""
    tokens_usd = bills.hosted_usd * volume
    hosted = (bills.self_hosted(volume) - bills.hosted_fixed_usd) / tokens_usd
    if hosted > 0:
        yield Flip(Quantity.HOSTED_PRICE, hosted)
    budget = tokens_usd - bills.marginal_usd * volume - bills.net_fixed_usd
    nodes_usd = bills.nodes_usd(volume)
    if nodes_usd > 0 and cheaper(tokens_usd - budget, tokens_usd):
        yield Flip(Quantity.NODE_PRICE, budget / nodes_usd)
    affordable = _largest_affordable(bills, budget)
    if affordable is not None:
        yield Flip(Quantity.THROUGHPUT, volume / affordable)
    for edge in _edges_around(bills, volume):
        yield Flip(Quantity.VOLUME, edge / volume)


def _largest_affordable(bills: Bills, budget: float) -> float | None:
    """Return the largest volume whose nodes cost less than `budget`; None where none do.

    Nodes depend on volume over throughput alone, so it says how slow (or fast) a replica may be.
    """
    end = bills.capacity
    if end is None:
        rate = bills.floor_usd - bills.marginal_usd
        end = max(0.0, budget - bills.node_fixed_usd) / rate
    best = None
    for piece in pieces(bills, above=0.0, up_to=end) if end > 0 else ():
        if not cheaper(piece.nodes_usd, budget):
            break
        best = piece.end
    return best


def _edges_around(bills: Bills, volume: float) -> Iterator[float]:
    """Yield the nearest volumes, down and up, at which winning ends or begins.

    A single point at which the bills are equal is no edge: self-hosting is dearer on both sides.
    """
    won = [(low, high) for low, high in won_intervals(bills) if high > low * (1 + TIE)]
    if cheaper(bills.self_hosted(volume), bills.hosted(volume)):
        around = [i for i in won if i[0] <= volume * (1 + TIE) and volume * (1 - TIE) <= i[1]]
        edges = [edge for interval in around for edge in interval]
    else:
        below = [high for _, high in won if high < volume]
        edges = [*below[-1:], *[low for low, _ in won if low >= volume * (1 - TIE)][:1]]
    end = float("inf") if bills.capacity is None else bills.capacity
    yield from (edge for edge in edges if 0 < edge < end)
