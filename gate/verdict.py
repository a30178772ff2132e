"""The verdicts, in the words that preview, exit codes and the decision record share."""

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What the gate says of a stack; see docs/model.md#verdicts."""

    INDETERMINATE = "indeterminate"
    """An input is missing, stale past its limit, inconsistent or physically impossible."""
    MANDATED = "mandated"
    """It would be refused, and a valid hard constraint stands."""
    INFINITE = "infinite"
    """No volume makes self-hosting cheaper at this utilization."""
    BEYOND_CAP = "beyond_cap"
    """A break-even exists, above what the stack's maximum can serve."""
    BELOW_BREAK_EVEN = "below_break_even"
    """Finite, and self-hosting is not cheaper at the declared volume."""
    WINS = "wins"
    """Cheaper at the declared volume."""
    FINITE = "finite"
    """A break-even exists; no volume was given to judge."""


NEVER_BREAKS_EVEN: Final = frozenset({Verdict.INFINITE, Verdict.BEYOND_CAP})
"""The verdicts in which the modeled break-even is infinite for the stack."""


def exit_code(verdict: Verdict, *, refuse_below_break_even: bool = False) -> int:
    """Return 0 where deploying is allowed, 1 where it is refused, 2 where it cannot be judged."""
    if verdict is Verdict.INDETERMINATE:
        return 2
    below = verdict is Verdict.BELOW_BREAK_EVEN and refuse_below_break_even
    return 1 if verdict in NEVER_BREAKS_EVEN or below else 0
