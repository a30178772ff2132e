"""The month, the million and the tie: the only constants of the model."""

import math
from typing import Final

HOURS_PER_MONTH: Final = 730.0
"""The convention of the field (Infracost, AWS price pages): 8,760 hours a year over twelve months."""

SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600

MTOK: Final = 1_000_000.0
"""Tokens in the denominator of a list price."""

TIE: Final = 1e-12
"""Amounts closer than one part in 10^12 are equal, and equal is not cheaper (docs/adr/0003)."""


def cheaper(amount: float, other: float) -> bool:
    """Return whether `amount` is below `other` by more than rounding can explain."""
    return other - amount > TIE * max(abs(amount), abs(other))


def whole(amount: float) -> int:
    """Return the least whole number of nodes that holds `amount`, which may carry rounding noise."""
    return math.ceil(amount * (1 - TIE))
