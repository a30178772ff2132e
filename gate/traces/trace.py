"""What a load trace is, and the answers that both kinds of file share."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from gate.economics.load import LoadProfile, profile
from stacks.errors import InputError, Problem

MAXIMUM_HOURS: Final = 5 * 8760
"""Five years: more is a timestamp where an hour was meant, or a clock that was never set."""


class MissingHours(StrEnum):
    """What an hour that the trace has no row for means."""

    REFUSE = "refuse"
    EXCLUDE = "exclude"
    """Unknown: the hour is left out, and its neighbours meet."""
    ZERO = "zero"
    """The service was known to be idle."""


class Trace(NamedTuple):
    """The load of a file, in tokens (input and output together) for each interval."""

    tokens: tuple[float, ...]
    interval_minutes: int
    burst_factor: float | None
    """Peak minute over the peak hour, where the file shows it; None where it is unknown."""
    missing_hours: int

    def profile(self, burst_factor: float | None = None) -> LoadProfile:
        """Return the shape, with the burst factor that was declared, else measured, else 1."""
        burst = burst_factor or self.burst_factor or 1.0
        return profile(self.tokens, interval_minutes=self.interval_minutes, burst_factor=burst)


def problem(path: Path, field: str, found: str, allowed: str, remedy: str) -> InputError:
    """Return the error for something wrong in a trace."""
    return InputError(
        Problem(file=str(path), field=field, found=found, allowed=allowed, remedy=remedy)
    )


def not_utf8(path: Path) -> InputError:
    """Return the error for a file in another encoding."""
    return problem(
        path, "", "bytes that are not UTF-8", "UTF-8 text", "convert the file, e.g. with iconv"
    )


def refuse_unusable(path: Path, loads: Sequence[float], minimum: int, interval: str) -> None:
    """Raise InputError for a trace too short to show a rhythm, or without any load."""
    if len(loads) < minimum:
        raise problem(
            path,
            "",
            f"{len(loads)} {interval}s of load",
            f"{minimum} {interval}s or more",
            "export a longer trace, or declare another load.kind",
        )
    if sum(loads) < 1:
        raise problem(
            path, "", "no tokens in any row", "a load above zero", "export a trace with traffic"
        )
