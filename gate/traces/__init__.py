"""The load of a CSV file: one row an hour, or one row a request."""

import csv
from pathlib import Path

from gate.traces import hourly
from gate.traces.trace import MissingHours, Trace, not_utf8, problem

__all__ = ["MissingHours", "Trace", "read_trace"]


def read_trace(path: Path, *, missing_hours: MissingHours = MissingHours.REFUSE) -> Trace:
    """Return the load in `path`.

    Raises:
        InputError: the file cannot be read as one of the two kinds, or holds something impossible.
    """
    columns = _header(path)
    if set(hourly.COLUMNS) <= set(columns):
        return hourly.read_hourly(path, missing_hours)
    from gate.traces import per_request  # noqa: PLC0415 - most stacks never need it

    if set(per_request.COLUMNS) <= set(columns):
        return per_request.read_per_request(path)
    raise problem(
        path,
        "line 1",
        f"the columns {', '.join(columns)[:120] or '(none)'}",
        f"{','.join(hourly.COLUMNS)} (a row an hour) or {','.join(per_request.COLUMNS)} (a row a request)",
        "name the columns so, in the first line",
    )


def _header(path: Path) -> list[str]:
    """Return the column names, after a look at whether this is a text file at all."""
    line = _first_line(path)
    if not line.strip():
        found = "an empty first line" if line else "an empty file"
        raise problem(path, "", found, "a header and rows", "export the trace again")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise not_utf8(path)
    try:
        return next(csv.reader([text]))
    except csv.Error:
        raise problem(
            path,
            "line 1",
            "a header that ends in a bare carriage return",
            "lines that end in LF or CRLF",
            "convert the line ends, e.g. with tr '\\r' '\\n'",
        ) from None


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(4096)
    except IsADirectoryError:
        raise problem(path, "", "a directory", "a CSV file", "name the file in it") from None
    except OSError as error:
        reason = (error.strerror or "an error").lower()
    except ValueError:  # a NUL in the path
        reason = "a path that cannot exist"
    raise problem(path, "", reason, "a readable CSV file", "check the path")
