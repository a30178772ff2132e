"""A trace with a row an hour: small, read with the standard library."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gate.traces.trace import MissingHours, Trace, not_utf8, problem, refuse_unusable
from stacks.errors import InputError

COLUMNS: Final = ("hour", "requests", "input_tokens", "output_tokens")
MINIMUM_HOURS: Final = 24
"""A day: less cannot show the daily rhythm that decides the utilization."""
LISTED_HOURS: Final = 8


def read_hourly(path: Path, missing: MissingHours) -> Trace:
    """Return the load of a file whose rows are hours, counted from 0 at the trace's start."""
    hours: dict[int, float] = {}
    last = -1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                hour, tokens = _hourly_row(path, line, row)
                if hour <= last:
                    what = "again" if hour in hours else f"after hour {last}"
                    raise problem(
                        path,
                        f"line {line}, hour",
                        f"hour {hour} {what}",
                        "each hour once, in order",
                        "sort the rows by hour and merge the doubles",
                    )
                hours[hour] = tokens
                last = hour
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    refuse_unusable(path, list(hours.values()), MINIMUM_HOURS, "hour")
    absent = sorted(set(range(min(hours), last + 1)) - set(hours))
    if absent and missing is MissingHours.REFUSE:
        raise _holes(path, absent)
    if missing is MissingHours.ZERO:
        hours |= dict.fromkeys(absent, 0.0)
    ordered = tuple(hours[hour] for hour in sorted(hours))
    return Trace(tokens=ordered, interval_minutes=60, burst_factor=None, missing_hours=len(absent))


def _hourly_row(path: Path, line: int, row: dict[str, str]) -> tuple[int, float]:
    hour = _number(path, line, "hour", row["hour"])
    if hour != int(hour):
        raise problem(
            path, f"line {line}, hour", row["hour"], "a whole number", "count hours from 0"
        )
    tokens = [_number(path, line, column, row[column]) for column in COLUMNS[2:]]
    return int(hour), sum(tokens)


def _holes(path: Path, absent: Sequence[int]) -> InputError:
    listed = ", ".join(map(str, absent[:LISTED_HOURS]))
    more = f" and {len(absent) - LISTED_HOURS} more" if len(absent) > LISTED_HOURS else ""
    return problem(
        path,
        "hour",
        f"no row for hour {listed}{more}",
        "a row for each hour from the first to the last",
        "say what a missing hour means with missing_hours: exclude (unknown) or zero (idle)",
    )


def _number(path: Path, line: int, column: str, text: str) -> float:
    """Return a count out of the file: finite and not negative."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise problem(
            path, f"line {line}, {column}", repr(text), "a number, 0 or above", "correct the row"
        )
    return value
