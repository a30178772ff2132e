"""The volumes at which the number of nodes changes, and between which S(x) is a straight line."""

import math
from collections.abc import Iterator
from operator import mul
from typing import Final, NamedTuple

from gate.economics.bills import Bills, Pool
from gate.economics.units import TIE

MAX_PIECES: Final = 500_000
"""About a second of work and 100 MB. A stack needs a few thousand; see `TooFineError`."""


class TooFineError(ArithmeticError):
    """The bills run so close together that telling them apart would take too many steps."""


class Piece(NamedTuple):
    """Volumes above `start`, up to and with `end`, that need the same nodes in every interval."""

    start: float
    end: float
    nodes_usd: float
    """G(x), constant within the piece."""


def pieces(bills: Bills, *, above: float, up_to: float) -> Iterator[Piece]:
    """Yield the pieces of S between two volumes, in order and without gaps.

    Counts of nodes are summed as whole numbers, so that no rounding builds up over the pieces.

    Raises:
        TooFineError: there are more than `MAX_PIECES`.
    """
    expected = sum((up_to - above) * n.nodes_per_unit for p in bills.pools for n in p.needs)
    if not expected <= MAX_PIECES:  # nor where it is not a number
        msg = f"{expected:.3g} steps lie between {above:.6g} and {up_to:.6g}; at most {MAX_PIECES:,} are walked"
        raise TooFineError(msg)
    totals = [_intervals_x_nodes(pool, above) for pool in bills.pools]
    rates = [pool.node_usd / pool.intervals for pool in bills.pools]
    steps = sorted(
        (end, index, intervals)
        for index, pool in enumerate(bills.pools)
        for end, intervals in _steps(pool, above, up_to)
    )
    start, position = above, 0
    while start < up_to:
        end = steps[position][0] if position < len(steps) else up_to
        nodes_usd = sum(map(mul, rates, totals), start=bills.node_fixed_usd)
        yield Piece(start, end, nodes_usd)
        while position < len(steps) and steps[position][0] <= end * (1 + TIE):
            totals[steps[position][1]] += steps[position][2]
            position += 1
        start = end


def _level(pool: Pool, nodes_per_unit: float, volume: float) -> int:
    """Return the nodes needed just above `volume`; an interval without load needs only the floor."""
    if nodes_per_unit == 0:
        return pool.min_nodes
    return max(pool.min_nodes, math.floor(nodes_per_unit * volume * (1 + TIE)) + 1)


def _intervals_x_nodes(pool: Pool, above: float) -> int:
    return sum(n.intervals * _level(pool, n.nodes_per_unit, above) for n in pool.needs)


def _steps(pool: Pool, above: float, up_to: float) -> Iterator[tuple[float, int]]:
    """Yield the volumes below `up_to` beyond which one more node is needed, with how often."""
    for need in pool.needs:
        level = _level(pool, need.nodes_per_unit, above)
        last = math.ceil(need.nodes_per_unit * up_to * (1 - TIE)) - 1
        for nodes in range(level, last + 1):
            yield nodes / need.nodes_per_unit, need.intervals
