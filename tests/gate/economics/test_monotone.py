"""What is worse for self-hosting never lowers its break-even; no break-even counts as endless."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from gate.economics.break_even import BreakEven, break_even
from gate.economics.pieces import TooFineError
from gate.verdict import NEVER_BREAKS_EVEN
from tests.gate.economics.exact import ANY, ExactStack, random_stacks

STACKS = list(random_stacks(300, most_levels=4, capped=None, ratios=ANY))
MORE = Fraction(9, 8)

WORSE: dict[str, Callable[[ExactStack], ExactStack]] = {
    "a cheaper hosted price": lambda s: replace(s, hosted=s.hosted / MORE),
    "a dearer token of one's own": lambda s: replace(s, marginal=s.marginal * MORE),
    "a dearer node": lambda s: replace(s, node=s.node * MORE),
    "more fixed costs": lambda s: replace(s, fixed=s.fixed + s.node / 3),
    "a slower node": lambda s: replace(s, needs=tuple((n * MORE, c) for n, c in s.needs)),
    "a higher peak": lambda s: replace(
        s, needs=(*s.needs[:-1], (s.needs[-1][0] * 2, s.needs[-1][1]))
    ),
    "a higher floor": lambda s: replace(s, floor=s.floor + 1),
    "a lower cap": lambda s: s if s.cap is None else replace(s, cap=max(s.cap - 1, Fraction(1))),
}


def outcome_of(stack: ExactStack) -> BreakEven | None:
    """Return the break-even, or None where the floor lies above the cap or it is too far to walk to."""
    if stack.cap is not None and stack.floor > stack.cap:
        return None
    try:
        return break_even(stack.bills())
    except TooFineError:
        return None


def volume(outcome: BreakEven) -> float:
    if outcome.verdict in NEVER_BREAKS_EVEN or outcome.first is None:
        return float("inf")
    return outcome.first


@pytest.mark.parametrize("change", WORSE)
def test_what_is_worse_never_lowers_the_break_even(change: str):
    for stack in STACKS:
        before, after = outcome_of(stack), outcome_of(WORSE[change](stack))
        if before is None or after is None:
            continue

        assert volume(after) >= volume(before) * (1 - 1e-12), f"{change} for {stack}"


@pytest.mark.parametrize("change", [change for change in WORSE if change != "a lower cap"])
def test_what_is_worse_never_lowers_the_volume_from_which_it_never_loses_again(change: str):
    for stack in STACKS:
        if stack.cap is not None:
            continue  # a cap may cut off the volumes that lose
        before, after = outcome_of(stack), outcome_of(WORSE[change](stack))
        if before is None or after is None or before.safe is None:
            continue

        safe = float("inf") if after.safe is None else after.safe
        assert safe >= before.safe * (1 - 1e-12), f"{change} for {stack}"


def test_each_change_moves_the_break_even_of_some_stack():
    finite = [stack for stack in STACKS if break_even(stack.bills()).first is not None]

    for change, worsened in WORSE.items():
        pairs = [(outcome_of(stack), outcome_of(worsened(stack))) for stack in finite]
        moved = [
            1 for before, after in pairs if before and after and volume(after) > volume(before)
        ]

        assert moved, f"{change} changes nothing: the law above would hold of a constant"
