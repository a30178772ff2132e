"""Types of flags: a value outside its range is a usage error that says the range."""

import argparse
import math
from collections.abc import Callable
from datetime import date


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
        if not math.isfinite(value) or too_low or (most is not None and value > most):
            msg = f"found {text!r}; allowed: {wanted}"
            raise argparse.ArgumentTypeError(msg)
        return value

    return parse


def count(*, least: int) -> Callable[[str], int]:
    """Return an argparse type for a whole number."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            msg = f"found {text!r}; allowed: a whole number from {least}"
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
