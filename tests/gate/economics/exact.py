"""The model a second time: in exact rational numbers, point by point, without any shortcut.

Volumes are in millions of tokens (Mtok) a month. The stacks are drawn from a grid on which ties (a
break-even exactly at a full node, savings that exactly pay the nodes) are common, not exceptions.
"""

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st

from gate.economics.bills import Bills, Need, Pool

Interval = tuple[Fraction, Fraction | None]
"""Volumes from, up to and with; None is without an end."""


@dataclass(frozen=True, kw_only=True)
class ExactStack:
    """One pool of nodes; prices are in USD per Mtok, amounts in USD per month."""

    hosted: Fraction
    marginal: Fraction
    fixed: Fraction
    hosted_fixed: Fraction
    node: Fraction
    floor: int
    cap: Fraction | None
    needs: tuple[tuple[Fraction, int], ...]
    """Nodes per Mtok, and in how many intervals of the load."""

    def bills(self) -> Bills:
        """Return what the program is given: the same numbers, rounded to floats."""
        pool = Pool(
            node_usd=float(self.node),
            min_nodes=self.floor,
            max_nodes=None if self.cap is None else float(self.cap),
            needs=tuple(Need(float(need), intervals) for need, intervals in self.needs),
        )
        return Bills(
            hosted_usd=float(self.hosted),
            marginal_usd=float(self.marginal),
            fixed_usd=float(self.fixed),
            hosted_fixed_usd=float(self.hosted_fixed),
            pools=(pool,),
        )

    @property
    def net_fixed(self) -> Fraction:
        return self.fixed - self.hosted_fixed

    @property
    def floor_usd(self) -> Fraction:
        intervals = sum(count for _, count in self.needs)
        mean_need = sum(need * count for need, count in self.needs) / intervals
        return self.marginal + self.node * mean_need

    @property
    def capacity(self) -> Fraction | None:
        return None if self.cap is None else self.cap / max(need for need, _ in self.needs)

    def self_hosted(self, volume: Fraction) -> Fraction:
        intervals = sum(count for _, count in self.needs)
        nodes = sum(count * max(self.floor, math.ceil(n * volume)) for n, count in self.needs)
        return self.fixed + self.marginal * volume + self.node * Fraction(nodes, intervals)

    def saving(self, volume: Fraction) -> Fraction:
        """Return H(x) - S(x)."""
        return self.hosted_fixed + self.hosted * volume - self.self_hosted(volume)

    def wins_for_good_from(self) -> Fraction:
        """Return a volume above which even a node too many in each interval is paid for."""
        slack = self.node * max(1, self.floor)
        return max(Fraction(0), self.net_fixed + slack) / (self.hosted - self.floor_usd)

    def piece_ends(self) -> list[Fraction]:
        """Return all volumes at which a node is full, up to the capacity or to where it always wins."""
        end = self.wins_for_good_from() + 1 if self.capacity is None else self.capacity
        full = {
            Fraction(nodes) / need
            for need, _ in self.needs
            for nodes in range(1, math.floor(need * end) + 1 if need else 1)
        }
        return sorted(full | {end})

    def won(self) -> list[Interval]:
        """Return the volumes at which self-hosting is not dearer, piece after piece."""
        union: list[Interval] = []
        for start, end in pairwise([Fraction(0), *self.piece_ends()]):
            at_end = self.saving(end)
            if at_end < 0:
                continue
            crossing = max(start, end - at_end / (self.hosted - self.marginal))
            if union and union[-1][1] == crossing:
                union[-1] = (union[-1][0], end)
            else:
                union.append((crossing, end))
        if self.capacity is None:
            union[-1] = (union[-1][0], None)
        return union


FINITE_RATIOS = st.integers(25, 100).map(lambda twentieths: Fraction(twentieths, 20))
"""What a full node saves over what it costs, (p - v) u / c: above 1 there is a break-even."""
ANY_RATIOS = st.integers(10, 100).map(lambda twentieths: Fraction(twentieths, 20))


@st.composite
def exact_stacks(
    draw: st.DrawFn,
    *,
    ratios: st.SearchStrategy[Fraction] = FINITE_RATIOS,
    most_levels: int = 1,
    capped: bool | None = False,
    most_hosted_fixed: int = 0,
) -> ExactStack:
    """Draw a stack; `capped` None draws either kind.

    Where the hosted side has fixed costs, those of self-hosting may be the smaller ones.
    """
    node = Fraction(draw(st.integers(1, 20_000)))
    saves = Fraction(draw(st.integers(1, 2_000)), 100)
    marginal = saves * Fraction(draw(st.integers(0, 8)), 4)
    ratio = draw(ratios)
    loads = draw(st.lists(st.integers(0, 6), min_size=1, max_size=most_levels).filter(any))
    mtok_per_node = ratio * node / saves
    # A full node's margin as the unit of fixed costs lets break-evens meet the ends of pieces.
    fixed_unit = draw(st.sampled_from([node, abs(ratio - 1) * node]))
    floor = draw(st.integers(0, 3))
    has_cap = draw(st.booleans()) if capped is None else capped
    cap = max(floor, 1) + Fraction(draw(st.integers(0, 24)), 2) if has_cap else None
    return ExactStack(
        hosted=saves + marginal,
        marginal=marginal,
        fixed=fixed_unit * Fraction(draw(st.integers(0, 16)), 4),
        hosted_fixed=fixed_unit * Fraction(draw(st.integers(0, most_hosted_fixed)), 4),
        node=node,
        floor=floor,
        cap=cap,
        needs=tuple(
            (load * Fraction(len(loads), sum(loads)) / mtok_per_node, count)
            for load, count in sorted(Counter(loads).items())
        ),
    )
