"""A trace with a row an hour: small, read with the standard library."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gate.traces.trace import (
    MAXIMUM_HOURS,
    MissingHours,
    Trace,
    not_utf8,
    problem,
    refuse_unusable,
)
from stacks.errors import InputError

COLUMNS: Final = ("hour", "requests", "input_tokens", "output_tokens")
MINIMUM_HOURS: Final = 24
"""A day: less cannot show the daily rhythm that decides the utilization."""
MAXIMUM_COUNT: Final = 1e15
"""Tokens in an hour, far above what is served anywhere: sums of them stay exact enough to compare."""
LISTED_HOURS: Final = 8


def read_hourly(path: Path, missing: MissingHours) -> Trace:
    """Return the load of a file whose rows are hours, counted from 0 at the trace's start."""
    hours = _tokens_by_hour(path)
    refuse_unusable(path, list(hours.values()), MINIMUM_HOURS, "hour")
    absent = sorted(set(range(min(hours), max(hours) + 1)) - set(hours))
    if absent and missing is MissingHours.REFUSE:
        raise _holes(path, absent)
    if missing is MissingHours.ZERO:
        hours |= dict.fromkeys(absent, 0.0)
    ordered = tuple(hours[hour] for hour in sorted(hours))
    return Trace(tokens=ordered, interval_minutes=60, burst_factor=None, missing_hours=len(absent))


def _tokens_by_hour(path: Path) -> dict[int, float]:
    hours: dict[int, float] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            for row in reader:
                hour, tokens = _hourly_row(path, reader.line_num, row)
                _refuse_out_of_place(path, reader.line_num, hour, hours)
                hours[hour] = tokens
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except csv.Error as error:
        raise problem(
            path, "", f"text that is no CSV ({error})", "rows of numbers", "look for a stray quote"
        ) from None
    return hours


def _hourly_row(path: Path, line: int, row: dict[str, str]) -> tuple[int, float]:
    if None in row:
        raise problem(
            path,
            f"line {line}",
            "more values than the header has columns",
            "a value for each column",
            "write numbers without thousands separators",
        )
    hour = _number(path, line, "hour", row["hour"])
    if hour != int(hour):
        raise problem(
            path, f"line {line}, hour", row["hour"], "a whole number", "count hours from 0"
        )
    tokens = [_number(path, line, column, row[column]) for column in COLUMNS[2:]]
    return int(hour), sum(tokens)


def _refuse_out_of_place(path: Path, line: int, hour: int, hours: dict[int, float]) -> None:
    """Raise InputError unless the hour comes after the others, and not years after."""
    if not hours:
        return
    first, last = next(iter(hours)), next(reversed(hours))
    if hour <= last:
        raise problem(
            path,
            f"line {line}, hour",
            f"hour {hour} {'again' if hour in hours else f'after hour {last}'}",
            "each hour once, in order",
            "sort the rows by hour and merge the doubles",
        )
    if hour - first >= MAXIMUM_HOURS:
        raise problem(
            path,
            f"line {line}, hour",
            f"hour {hour} in a trace that starts at hour {first}",
            f"{MAXIMUM_HOURS} hours (five years) or less",
            "count hours from 0 at the trace's start",
        )


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


def _number(path: Path, line: int, column: str, text: str | None) -> float:
    """Return a count out of the file: finite, not negative, and small enough to be summed."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAXIMUM_COUNT:
        raise problem(
            path,
            f"line {line}, {column}",
            "nothing" if text is None else repr(text),
            f"a number, 0 to {MAXIMUM_COUNT:.0e}",
            "correct the row",
        )
    return value
