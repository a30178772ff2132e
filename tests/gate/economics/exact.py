"""The model a second time: in exact rational numbers, point by point, without any shortcut.

Volumes are in millions of tokens (Mtok) a month. The stacks are drawn from a grid on which ties (a
break-even exactly at a full node, savings that exactly pay the nodes) are common, not exceptions.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

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

    def per_node(self) -> "ExactStack":
        """Return the same stack with what fills a node at the peak as its unit of volume."""
        unit = 1 / max(need for need, _ in self.needs)
        return replace(
            self,
            hosted=self.hosted * unit,
            marginal=self.marginal * unit,
            needs=tuple((need * unit, intervals) for need, intervals in self.needs),
        )

    @property
    def net_fixed(self) -> Fraction:
        return self.fixed - self.hosted_fixed

    @property
    def floor_usd(self) -> Fraction:
        intervals = sum(count for _, count in self.needs)
        needed = sum((need * count for need, count in self.needs), Fraction(0))
        return self.marginal + self.node * needed / intervals

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

    def loses_for_good_from(self) -> Fraction:
        """Return a volume above which saved fixed costs cannot pay for dearer units."""
        return max(Fraction(0), -self.net_fixed) / (self.floor_usd - self.hosted)

    def piece_ends(self) -> list[Fraction]:
        """Return all volumes at which a node is full, up to the capacity or to where it always wins."""
        if self.capacity is not None:
            end = self.capacity
        elif self.floor_usd < self.hosted:
            end = self.wins_for_good_from() + 1
        else:
            end = self.loses_for_good_from() + 1
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
        if self.capacity is None and self.floor_usd < self.hosted:
            union[-1] = (union[-1][0], None)
        return union


Pick = Callable[[int, int], int]
"""Returns a whole number from the first to the last."""


def merged(stacks: Sequence[ExactStack]) -> Bills:
    """Return the bills of a stack of several models with the same volume, each with its own pool."""
    each = [stack.bills() for stack in stacks]
    return Bills(
        hosted_usd=float(sum(stack.hosted for stack in stacks)),
        marginal_usd=float(sum(stack.marginal for stack in stacks)),
        fixed_usd=float(sum(stack.fixed for stack in stacks)),
        hosted_fixed_usd=float(sum(stack.hosted_fixed for stack in stacks)),
        pools=tuple(pool for bills in each for pool in bills.pools),
    )


FINITE = (25, 100)
"""Twentieths of what a full node saves over what it costs, (p - v) u / c: above 1, it breaks even."""
ANY = (10, 100)
TIE = (20, 20)


def make_stack(
    pick: Pick,
    *,
    ratios: tuple[int, int] = FINITE,
    most_levels: int = 1,
    capped: bool | None = False,
    most_hosted_fixed: int = 0,
) -> ExactStack:
    """Return a stack of picked numbers; `capped` None makes either kind.

    Where the hosted side has fixed costs, those of self-hosting may be the smaller ones.
    """
    node = Fraction(pick(1, 20_000))
    saves = Fraction(pick(1, 2_000), 100)
    marginal = saves * Fraction(pick(0, 8), 4)
    ratio = Fraction(pick(*ratios), 20)
    loads = [pick(1, 6), *(pick(0, 6) for _ in range(pick(1, most_levels) - 1))]
    # A full node's margin as the unit of fixed costs lets break-evens meet the ends of pieces.
    fixed_unit = abs(ratio - 1) * node if pick(0, 1) else node
    floor = pick(0, 3)
    has_cap = bool(pick(0, 1)) if capped is None else capped
    return ExactStack(
        hosted=saves + marginal,
        marginal=marginal,
        fixed=fixed_unit * Fraction(pick(0, 16), 4),
        hosted_fixed=fixed_unit * Fraction(pick(0, most_hosted_fixed), 4),
        node=node,
        floor=floor,
        cap=max(floor, 1) + Fraction(pick(0, 24), 2) if has_cap else None,
        needs=tuple(
            (load * Fraction(len(loads), sum(loads)) * saves / (ratio * node), count)
            for load, count in sorted(Counter(loads).items())
        ),
    )


@st.composite
def exact_stacks(draw: st.DrawFn, /, **kind: Any) -> ExactStack:
    """Draw a stack that shrinks to a simple one where a law fails."""
    return make_stack(lambda first, last: draw(st.integers(first, last)), **kind)


def random_stacks(number: int, **kind: Any) -> Iterator[ExactStack]:
    """Yield as many stacks, the same ones each time; quicker than drawing them."""
    random = Random(730)  # noqa: S311 - the same stacks each time is the point
    for _ in range(number):
        yield make_stack(random.randint, **kind)
