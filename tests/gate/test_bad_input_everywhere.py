"""An extreme in any place of a stack gets a decision or a message, never a traceback."""

import copy
import json
from typing import Any

import pytest

from gate.decision import Decision
from gate.record import with_basis
from gate.report.text import text
from gate.standing import standing
from stacks.errors import InputError
from tests.factories import Declaration, decided, put
from tests.gate.test_decision_inputs import a_rich_stack, leaves

EXTREMES: dict[str, Any] = {
    "the least float": 5e-324,
    "a large number": 1e15,
    "a number no float holds": 10**400,
    "a name of 5,000 letters": "x" * 5000,
    "text with lines and control characters": "a\nb\0c\x1b[31m",
}


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_anywhere_is_judged_or_answered(name):
    stack = a_rich_stack()
    for path, _ in leaves(stack):
        changed = copy.deepcopy(stack)
        put(changed, path, EXTREMES[name])
        answer = judged(changed)
        if isinstance(answer, Decision):
            shown(answer)
        else:
            assert "\n" not in answer, f"{path}: one line a problem"


def judged(stack: Declaration) -> Decision | str:
    """Return the decision, or the answer to what is wrong."""
    try:
        return decided(stack)
    except InputError as error:
        return "; ".join(map(str, error.problems))


def shown(decision: Decision) -> None:
    """Show a decision in every way, or fail."""
    assert json.dumps(with_basis(decision), allow_nan=False)
    assert text(decision)
    assert standing(decision, None)
