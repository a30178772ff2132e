"""What the gate noticed beside the verdict: an advisory, or something that makes judging impossible."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from stacks.errors import Place, Problem


class Level(StrEnum):
    """How much a finding weighs."""

    ADVISORY = "advisory"
    """Shown, and nothing else."""
    BLOCKING = "blocking"
    """The verdict is `indeterminate`."""


class Finding(NamedTuple):
    """One thing noticed, in the form of every message: found, allowed, remedy."""

    level: Level
    problem: Problem


def advisory(place: Place, *, found: str, allowed: str, remedy: str) -> Finding:
    """Return a finding that is only shown."""
    problem = place.problem(found=found, allowed=allowed, remedy=remedy)
    return Finding(level=Level.ADVISORY, problem=problem)


def blocking(place: Place, *, found: str, allowed: str, remedy: str) -> Finding:
    """Return a finding that makes the verdict `indeterminate`."""
    problem = place.problem(found=found, allowed=allowed, remedy=remedy)
    return Finding(level=Level.BLOCKING, problem=problem)


def of_age(place: Place, *, checked: date, as_of: date, max_age_days: int) -> Iterator[Finding]:
    """Yield what the age of a fact calls for: nothing, an advisory past the limit, blocking past twice it.

    A day that lies ahead of the clock is blocking as well: nobody can have looked yet.
    """
    age = (as_of - checked).days
    remedy = "look again, and write down the price and the day"
    # No count of days: the message, and with it the decision record, would change every day.
    allowed = f"a day at most {max_age_days} days back (blocking past {2 * max_age_days})"
    if age < 0:
        yield blocking(
            place, found=f"{checked}, a day in the future", allowed=f"up to {as_of}", remedy=remedy
        )
    elif age > max_age_days:
        stale = age > 2 * max_age_days
        found = f"last checked on {checked}"
        make = blocking(place, found=found, allowed=allowed, remedy=remedy)
        yield make if stale else advisory(place, found=found, allowed=allowed, remedy=remedy)
