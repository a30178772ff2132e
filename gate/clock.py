"""The one clock: the day that prices, approvals and windows are judged on."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from stacks.errors import Place

VARIABLE: Final = "BREAKEVEN_AS_OF"
"""Environment variable that sets the day for tests and for looking back; the report shows it."""


def today() -> date:
    """Return the day in UTC, so that two people in two zones get one verdict."""
    return datetime.now(UTC).date()


def as_of_day(environment: Mapping[str, str] = os.environ) -> date:
    """Return the day to judge on: the variable's, else today.

    Raises:
        InputError: the variable holds no day.
    """
    text = environment.get(VARIABLE)
    return parse_day(text, Place("environment", VARIABLE)) if text else today()


def parse_day(text: str, place: Place) -> date:
    """Return a day written as YYYY-MM-DD.

    Raises:
        InputError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise place.error(
            found=repr(text), allowed="a day as YYYY-MM-DD", remedy="write it so, or leave it out"
        ) from None
