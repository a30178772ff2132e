"""A trace with a row a request, tens of millions of them: polars streams it into a sum a minute."""

import math
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

from gate.traces.hourly import MINIMUM_HOURS
from gate.traces.trace import MAXIMUM_HOURS, Trace, problem, refuse_unusable

COLUMNS: Final = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
MINIMUM_MINUTES: Final = 30
"""Less is a sample of bursts, not a load."""
_ADVICE: Final = re.compile(r" (?:The current offset|Consider setting|You might want)")
"""Where what polars says of a file turns to how polars should be called."""


def read_per_request(path: Path) -> Trace:
    """Return the tokens of each minute, or of each hour once there is a day of them."""
    minutes = _tokens_by_minute(path)
    first, last = min(minutes), max(minutes)
    span = last - first + 1
    if span > MAXIMUM_HOURS * 60:
        raise problem(
            path,
            COLUMNS[0],
            f"{span // (60 * 8760)} years from the first row to the last",
            "five years or less",
            "leave out the rows whose clock was not set",
        )
    # Nobody asked anything in a minute without rows: that is known, unlike a missing hourly figure.
    loads = [minutes.get(minute, 0.0) for minute in range(first, last + 1)]
    refuse_unusable(path, loads, MINIMUM_MINUTES, "minute")
    if span < MINIMUM_HOURS * 60:
        return Trace(tokens=tuple(loads), interval_minutes=1, burst_factor=1.0, missing_hours=0)
    whole_hours = loads[: span - span % 60]
    refuse_unusable(path, whole_hours, MINIMUM_MINUTES, "minute")
    hours = [math.fsum(whole_hours[start : start + 60]) for start in range(0, len(whole_hours), 60)]
    burst = max(whole_hours) * 60 / max(hours)
    return Trace(tokens=tuple(hours), interval_minutes=60, burst_factor=burst, missing_hours=0)


def _tokens_by_minute(path: Path) -> dict[int, float]:
    """Return tokens by minute since the epoch."""
    pl = _polars(path)
    # A count that is no UInt32 is refused by the parser, and sums of 2^31 of them fit an Int64.
    overrides = dict.fromkeys(COLUMNS[1:], pl.UInt32)
    lazy = pl.scan_csv(path, glob=False, infer_schema=False, schema_overrides=overrides)
    context, generated = (pl.col(column).cast(pl.Int64) for column in COLUMNS[1:])
    query = (
        lazy.select(minute=pl.col(COLUMNS[0]).str.slice(0, 16), tokens=context + generated)
        .group_by("minute")
        .agg(pl.col("tokens").sum(), without=pl.col("tokens").null_count())
    )
    try:
        rows = query.collect(engine="streaming").rows()
    except pl.exceptions.PolarsError as error:
        reason = _ADVICE.split(" ".join(str(error).split()))[0][:160]
        raise problem(
            path,
            "",
            f"rows that cannot be read ({reason})",
            f"{','.join(COLUMNS)} in each row, tokens as whole numbers from 0 to 4294967295",
            "correct them",
        ) from None
    return _by_epoch_minute(path, rows)


def _polars(path: Path) -> ModuleType:
    try:
        import polars as pl  # noqa: PLC0415 - 100 ms that only this kind of trace has to pay
    except ImportError:
        raise problem(
            path,
            "",
            "a per-request trace, and no polars",
            "polars installed",
            "run: pip install -r requirements.txt",
        ) from None
    return pl


def _by_epoch_minute(path: Path, rows: Iterable[tuple[str | None, int, int]]) -> dict[int, float]:
    minutes: dict[int, float] = {}
    for text, tokens, without in rows:
        if without:
            raise problem(
                path,
                f"minute {text}" if text else "a row without a timestamp",
                f"no token count, {without} times",
                "0 tokens or more in each row",
                "correct the rows, and leave no empty line",
            )
        try:
            minute = _epoch_minute(text or "")
        except ValueError:
            raise problem(
                path,
                COLUMNS[0],
                repr(text) if text else "nothing",
                "YYYY-MM-DD HH:MM:SS, all rows in one time zone",
                "write the time so",
            ) from None
        minutes[minute] = minutes.get(minute, 0.0) + tokens
    if not minutes:
        raise problem(path, "", "a header and no rows", "rows", "export the trace again")
    return minutes


def _epoch_minute(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return (moment.toordinal() * 24 + moment.hour) * 60 + moment.minute
