"""Types of flags: a value outside its range is a usage error that says the range."""

import argparse
import math
from collections.abc import Callable
from datetime import date

LEAST, MOST = 1e-9, 1e15
"""Nothing costs, serves or asks for less or more; beyond, sums would overflow or vanish."""
MOST_COUNTED = 1_000_000


def number(
    *, above: float | None = None, least: float | None = None, most: float | None = None
) -> Callable[[str], float]:
    """Return an argparse type for a finite number within bounds."""
    lower = (
        f"above {above:g}" if above is not None else f"from {least:g}" if least is not None else ""
    )
    wanted = " ".join(filter(None, ["a finite number", lower, f"up to {most:g}" if most else ""]))

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        too_low = (above is not None and value <= above) or (least is not None and value < least)
        magnitude = value == 0 or LEAST <= abs(value) <= MOST
        if not magnitude or too_low or (most is not None and value > most):
            msg = f"found {text!r}; allowed: {wanted} ({LEAST:g} to {MOST:g})"
            raise argparse.ArgumentTypeError(msg)
        return value

    return parse


def count(*, least: int) -> Callable[[str], int]:
    """Return an argparse type for a whole number."""

    def parse(text: str) -> int:
        value = int(text) if text.isdecimal() and len(text) <= len(str(MOST_COUNTED)) else -1
        if not least <= value <= MOST_COUNTED:
            msg = f"found {text!r}; allowed: a whole number from {least} to {MOST_COUNTED:,}"
            raise argparse.ArgumentTypeError(msg)
        return value

    return parse


def day(text: str) -> date:
    """Return a day; for argparse, of a flag."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"found {text!r}; allowed: a day as YYYY-MM-DD"
        raise argparse.ArgumentTypeError(msg) from None
