"""A trace with a row a request, tens of millions of them: polars streams it into a sum a minute."""

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from gate.traces.hourly import MINIMUM_HOURS
from gate.traces.trace import Trace, problem, refuse_unusable

COLUMNS: Final = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
MINIMUM_MINUTES: Final = 30
"""Less is a sample of bursts, not a load."""


def read_per_request(path: Path) -> Trace:
    """Return the tokens of each minute, or of each hour once there is a day of them."""
    minutes = _tokens_by_minute(path)
    span = max(minutes) - min(minutes) + 1
    first = min(minutes)
    # Nobody asked anything in a minute without rows: that is known, unlike a missing hourly figure.
    loads = [minutes.get(first + offset, 0.0) for offset in range(span)]
    refuse_unusable(path, loads, MINIMUM_MINUTES, "minute")
    if span < MINIMUM_HOURS * 60:
        return Trace(tokens=tuple(loads), interval_minutes=1, burst_factor=1.0, missing_hours=0)
    hours = [math.fsum(loads[start : start + 60]) for start in range(0, span - span % 60, 60)]
    burst = max(loads) * 60 / max(hours)
    return Trace(tokens=tuple(hours), interval_minutes=60, burst_factor=burst, missing_hours=0)


def _tokens_by_minute(path: Path) -> dict[int, float]:
    """Return tokens by minute since the epoch."""
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
    context, generated = pl.col(COLUMNS[1]), pl.col(COLUMNS[2])
    wrong = (context < 0) | (generated < 0) | context.is_null() | generated.is_null()
    lazy = pl.scan_csv(
        path, infer_schema=False, schema_overrides=dict.fromkeys(COLUMNS[1:], pl.Int64)
    )
    query = (
        lazy.select(
            minute=pl.col(COLUMNS[0]).str.slice(0, 16), tokens=context + generated, wrong=wrong
        )
        .group_by("minute")
        .agg(pl.col("tokens").sum(), pl.col("wrong").sum())
    )
    try:
        rows = query.collect(engine="streaming").rows()
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).split())[:160]
        raise problem(
            path,
            "",
            f"rows that cannot be read ({reason})",
            "whole numbers of tokens",
            "correct them",
        ) from None
    return _by_epoch_minute(path, rows)


def _by_epoch_minute(path: Path, rows: Iterable[tuple[str | None, int, int]]) -> dict[int, float]:
    minutes: dict[int, float] = {}
    for text, tokens, wrong in rows:
        if wrong:
            raise problem(
                path,
                f"minute {text}",
                f"{wrong} rows with a negative or missing token count",
                "0 tokens or more in each row",
                "correct the rows",
            )
        try:
            minute = _epoch_minute(text or "")
        except ValueError:
            raise problem(
                path,
                COLUMNS[0],
                repr(text),
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
