"""Laws of the break-even, each over many random stacks; exact.py is the second derivation."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gate.economics.break_even import BreakEven, break_even, won_intervals
from gate.verdict import Verdict
from tests.gate.economics.exact import (
    ANY,
    TIE,
    ExactStack,
    Interval,
    exact_stacks,
    merged,
    random_stacks,
)

ROUNDING = 1e-9
"""What floats may differ by from exact numbers: far below any price, far above their noise."""


def end_of(interval: Interval) -> float:
    return float("inf") if interval[1] is None else float(interval[1])


def as_floats(union: list[Interval]) -> list[tuple[float, float]]:
    return [(float(interval[0]), end_of(interval)) for interval in union]


def flat(union: Iterable[tuple[float, float]]) -> list[float]:
    return [edge for interval in union for edge in interval]


def assert_three_derivations_agree(stack: ExactStack) -> None:
    """Closed form, enumeration of the pieces, and brute force; `stack` needs the closed form."""
    won = as_floats(stack.won())
    losses = [(left[1], right[0]) for left, right in pairwise(won)]

    outcome = break_even(stack.bills())
    enumerated = list(won_intervals(stack.bills()))

    assert outcome.verdict is Verdict.FINITE, stack
    assert outcome.first == pytest.approx(won[0][0], rel=ROUNDING), stack
    assert outcome.safe == pytest.approx(won[-1][0], rel=ROUNDING), stack
    assert outcome.loss_window_count == len(losses), stack
    assert flat(outcome.loss_windows) == pytest.approx(flat(losses), rel=ROUNDING), stack
    assert flat(enumerated) == pytest.approx(flat(won), rel=ROUNDING), stack


@given(exact_stacks(most_hosted_fixed=12))
def test_the_closed_form_equals_the_enumeration_and_brute_force(stack: ExactStack):
    assert_three_derivations_agree(stack)


def test_the_closed_form_equals_brute_force_over_thousands_of_stacks():
    for stack in random_stacks(2000):
        assert_three_derivations_agree(stack)


def assert_enumeration_is_brute_force(stack: ExactStack) -> None:
    enumerated = list(won_intervals(stack.bills()))

    assert flat(enumerated) == pytest.approx(flat(as_floats(stack.won())), rel=ROUNDING), stack


@given(exact_stacks(most_levels=5, capped=None, most_hosted_fixed=12))
def test_the_enumeration_equals_brute_force(stack: ExactStack):
    assert_enumeration_is_brute_force(stack)


def test_the_enumeration_equals_brute_force_over_thousands_of_stacks():
    for stack in random_stacks(1000, most_levels=5, capped=None):
        assert_enumeration_is_brute_force(stack)


def expected_verdict(stack: ExactStack) -> Verdict:
    if stack.hosted <= stack.floor_usd and stack.net_fixed >= 0:
        return Verdict.INFINITE
    if stack.won():
        return Verdict.FINITE
    return Verdict.BEYOND_CAP if stack.floor_usd < stack.hosted else Verdict.INFINITE


def test_where_only_fixed_costs_are_saved_small_volumes_may_win():
    kind = {"most_levels": 5, "capped": None, "ratios": ANY, "most_hosted_fixed": 30}
    stacks = [s for s in random_stacks(500, **kind) if s.net_fixed < 0 and s.hosted != s.floor_usd]

    for stack in stacks:
        assert_enumeration_is_brute_force(stack)
        assert break_even(stack.bills()).verdict is expected_verdict(stack), stack


@given(exact_stacks(most_levels=5, capped=None, most_hosted_fixed=6), st.data())
def test_the_union_of_intervals_agrees_with_comparing_the_bills_at_single_points(
    stack: ExactStack, data: st.DataObject
):
    intervals = list(won_intervals(stack.bills()))
    ends = [Fraction(0), *stack.piece_ends()]
    share = Fraction(data.draw(st.integers(1, 999)), 1000)
    within = [start + (end - start) * share for start, end in pairwise(ends)]

    for volume in [*ends[1:], *within]:
        saving = stack.saving(volume)
        if 0 < abs(saving) < stack.hosted * volume * Fraction(ROUNDING):
            continue  # so near the crossing that floats cannot tell
        wins = any(
            low * (1 - ROUNDING) <= volume <= high * (1 + ROUNDING) for low, high in intervals
        )
        assert wins == (saving >= 0), f"at {float(volume)} Mtok: H - S = {float(saving)} USD"


def test_the_pools_of_several_models_are_judged_together_point_by_point():
    kind = {"most_levels": 3, "capped": True, "ratios": ANY}
    stacks = (stack.per_node() for stack in random_stacks(300, **kind))
    for pair in zip(stacks, stacks, strict=True):
        capacity = min(stack.capacity for stack in pair if stack.capacity is not None)
        ends = sorted({end for stack in pair for end in stack.piece_ends() if end <= capacity})
        middles = [(start + end) / 2 for start, end in pairwise([Fraction(0), *ends])]
        intervals = list(won_intervals(merged(pair)))

        for volume in [*ends, *middles]:
            saving = sum(stack.saving(volume) for stack in pair)
            wins = any(
                low * (1 - ROUNDING) <= volume <= high * (1 + ROUNDING) for low, high in intervals
            )
            assert wins == (saving >= 0), f"at {float(volume)} Mtok: {float(saving)} USD; {pair}"


def test_the_verdict_says_whether_and_why_no_volume_wins():
    for stack in random_stacks(500, most_levels=5, capped=None, ratios=ANY):
        outcome = break_even(stack.bills())

        assert outcome.verdict is expected_verdict(stack), stack


@given(exact_stacks(most_levels=5, ratios=TIE, capped=None))
def test_a_tie_is_infinite_however_it_is_rounded(stack: ExactStack):
    outcome = break_even(stack.bills())

    assert outcome.verdict is Verdict.INFINITE, "a unit that costs the same is not cheaper"


@given(exact_stacks(most_levels=4))
def test_the_nodes_at_the_break_even_are_just_enough_for_it(stack: ExactStack):
    (nodes,) = break_even(stack.bills()).peak_nodes
    assume(nodes > max(1, stack.floor))

    enough = break_even(replace(stack, cap=Fraction(nodes)).bills())
    one_less = break_even(replace(stack, cap=Fraction(nodes - 1)).bills())

    assert enough.verdict is Verdict.FINITE
    assert one_less.verdict is Verdict.BEYOND_CAP
    assert one_less.peak_nodes == (nodes,), "a refusal names the cap that would be enough"


def volumes(outcome: BreakEven) -> list[float]:
    found = [outcome.first, outcome.safe, outcome.capacity, *flat(outcome.loss_windows)]
    return [volume for volume in found if volume is not None]


@given(
    exact_stacks(most_levels=4, capped=None, ratios=ANY),
    st.sampled_from([Fraction(1, 10**6), Fraction(1, 1000), Fraction(7, 3), Fraction(10**6)]),
)
def test_counting_tokens_in_another_unit_changes_nothing(stack: ExactStack, unit: Fraction):
    counted = replace(
        stack,
        hosted=stack.hosted * unit,
        marginal=stack.marginal * unit,
        needs=tuple((need * unit, count) for need, count in stack.needs),
    )

    plain, scaled = break_even(stack.bills()), break_even(counted.bills())

    assert scaled.verdict is plain.verdict
    assert scaled.peak_nodes == plain.peak_nodes
    in_plain_units = [volume * float(unit) for volume in volumes(scaled)]
    assert in_plain_units == pytest.approx(volumes(plain), rel=ROUNDING)


@given(
    exact_stacks(most_levels=4, capped=None, ratios=ANY),
    st.sampled_from([Fraction(1, 100), Fraction(107, 93), Fraction(150)]),
)
def test_paying_in_another_currency_changes_nothing(stack: ExactStack, rate: Fraction):
    paid = replace(
        stack,
        hosted=stack.hosted * rate,
        marginal=stack.marginal * rate,
        fixed=stack.fixed * rate,
        node=stack.node * rate,
    )

    plain, converted = break_even(stack.bills()), break_even(paid.bills())

    assert converted.verdict is plain.verdict
    assert volumes(converted) == pytest.approx(volumes(plain), rel=ROUNDING)
