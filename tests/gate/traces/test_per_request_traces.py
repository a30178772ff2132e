"""A trace with a row a request: summed by the minute, and by the hour once it covers a day."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gate.traces import read_trace
from tests.traces import CONVERSATION

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
START = datetime(2026, 2, 27, 23, 30)  # noqa: DTZ001 - traces have no zone; over a month's end

Request = tuple[datetime, int, int]


def written(path: Path, requests: Iterable[Request]) -> Path:
    rows = [f"{moment:%Y-%m-%d %H:%M:%S.%f}0,{i},{o}\n" for moment, i, o in requests]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def a_request(minute: float, tokens: int = 100) -> Request:
    return START + timedelta(minutes=minute), tokens - 10, 10


def test_real_requests_are_summed_by_the_minute():
    by_minute: Counter[str] = Counter()
    for line in CONVERSATION.read_text(encoding="utf-8").splitlines()[1:]:
        timestamp, context, generated = line.split(",")
        by_minute[timestamp[:16]] += int(context) + int(generated)
    naive = [by_minute[f"2023-11-16 18:{minute:02}"] for minute in range(15, 60)]
    naive += [by_minute[f"2023-11-16 19:{minute:02}"] for minute in range(15)]

    trace = read_trace(CONVERSATION)

    assert list(trace.tokens) == naive
    assert trace.interval_minutes == 1


def test_a_minute_is_its_own_burst():
    assert read_trace(CONVERSATION).profile().burst_factor == 1


def test_a_minute_without_rows_is_a_minute_without_load(tmp_path: Path):
    minutes = [minute for minute in range(40) if minute != 7]
    path = written(tmp_path / "t.csv", [a_request(minute) for minute in minutes])

    trace = read_trace(path)

    assert trace.tokens == tuple(0 if minute == 7 else 100 for minute in range(40))
    assert trace.missing_hours == 0, "nobody asked: that is known"


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path):
    requests = [a_request(minute / 3, 100 + minute) for minute in range(120)]

    forwards = read_trace(written(tmp_path / "forwards.csv", requests))
    backwards = read_trace(written(tmp_path / "backwards.csv", reversed(requests)))

    assert forwards == backwards


def a_day_and_more() -> list[Request]:
    """26 hours and 20 minutes: 10 tokens each minute, 130 in one minute of the fifth hour."""
    quiet = [a_request(minute, 10) for minute in range(26 * 60 + 20)]
    return [*quiet, a_request(4 * 60 + 10.5, 120)]


def test_a_day_or_more_is_told_by_the_hour(tmp_path: Path):
    trace = read_trace(written(tmp_path / "t.csv", a_day_and_more()))

    assert trace.tokens == tuple(720 if hour == 4 else 600 for hour in range(26)), (
        "whole hours from the first row on; the 20 minutes that are left are left out"
    )
    assert trace.interval_minutes == 60


def test_the_burst_factor_is_the_peak_minute_over_the_mean_minute_of_the_peak_hour(tmp_path: Path):
    trace = read_trace(written(tmp_path / "t.csv", a_day_and_more()))

    # 130 tokens in a minute, where the hour has 720 / 60 = 12 a minute.
    assert trace.profile().burst_factor == pytest.approx(130 / 12)


def test_replicas_sized_for_burst_times_peak_hold_the_peak_minute(tmp_path: Path):
    trace = read_trace(written(tmp_path / "t.csv", a_day_and_more()))
    load = trace.profile()

    mean_minute = sum(trace.tokens) / len(trace.tokens) / 60
    assert load.burst_factor * load.peak_to_mean * mean_minute == pytest.approx(130)


def test_a_declared_burst_factor_overrules_the_measured_one(tmp_path: Path):
    trace = read_trace(written(tmp_path / "t.csv", a_day_and_more()))

    assert trace.profile(2.5).burst_factor == 2.5


@pytest.mark.parametrize("offset", ["Z", "+00:00"])
def test_iso_timestamps_with_a_zone_are_read(tmp_path: Path, offset: str):
    rows = "".join(f"2026-01-01T00:{minute:02}:01{offset},90,10\n" for minute in range(40))
    path = tmp_path / "t.csv"
    path.write_text(HEADER + rows, encoding="utf-8")

    assert read_trace(path).tokens == (100,) * 40


def test_other_columns_are_left_alone(tmp_path: Path):
    rows = "".join(f"caf\u00e9,2026-01-01 00:{minute:02},90,,10\n" for minute in range(40))
    path = tmp_path / "t.csv"
    path.write_text("who,TIMESTAMP,ContextTokens,why,GeneratedTokens\n" + rows, encoding="utf-8")

    assert read_trace(path).tokens == (100,) * 40


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path):
    requests = written(tmp_path / "t.csv", [a_request(minute) for minute in range(40)])
    text = requests.read_text(encoding="utf-8").replace("\n", "\r\n")
    path = tmp_path / "windows.csv"
    path.write_bytes(text.encode("utf-8-sig"))

    assert read_trace(path) == read_trace(requests)


def test_a_name_with_wildcards_is_that_file(tmp_path: Path):
    requests = [a_request(minute) for minute in range(40)]
    written(tmp_path / "load1.csv", [*requests, a_request(3)])

    assert read_trace(written(tmp_path / "load[1]*.csv", requests)).tokens == (100,) * 40
