"""A trace with a row an hour, on real ones."""

import csv
import math
from pathlib import Path

import pytest

from gate.economics.bills import Bills, Pool
from gate.economics.break_even import break_even
from gate.economics.load import needs_of_autoscaled_pool
from gate.traces import MissingHours, read_trace
from stacks.errors import InputError
from tests.traces import MID, SMALL

SECONDS = 730 * 3600


def tokens_by_hour(path: Path) -> dict[int, int]:
    with path.open(newline="", encoding="utf-8") as file:
        return {
            int(row["hour"]): int(row["input_tokens"]) + int(row["output_tokens"])
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize(("path", "peak_to_mean"), [(SMALL, 2.51), (MID, 2.90)])
def test_the_published_peak_to_mean_is_found(path: Path, peak_to_mean: float):
    load = read_trace(path, missing_hours=MissingHours.EXCLUDE).profile()

    assert load.peak_to_mean == pytest.approx(peak_to_mean, abs=0.005)


def test_missing_hours_are_refused_unless_it_is_said_what_they_mean():
    with pytest.raises(InputError) as refusal:
        read_trace(MID)

    (problem,) = refusal.value.problems
    assert problem.found == "no row for hour 87, 185, 186, 235, 236, 237, 316, 320"
    assert "exclude" in problem.remedy
    assert "zero" in problem.remedy


def test_excluded_hours_are_left_out_and_counted():
    trace = read_trace(MID, missing_hours=MissingHours.EXCLUDE)

    assert list(trace.tokens) == list(tokens_by_hour(MID).values())
    assert trace.missing_hours == 8


def test_zero_hours_are_hours_without_load():
    hours = tokens_by_hour(MID)

    trace = read_trace(MID, missing_hours=MissingHours.ZERO)

    assert list(trace.tokens) == [hours.get(hour, 0) for hour in range(336)]
    assert trace.missing_hours == 8


def test_excluding_tells_a_lower_peak_to_mean_than_calling_hours_idle():
    hours = tokens_by_hour(MID)
    excluded, zero = (
        read_trace(MID, missing_hours=meaning).profile().peak_to_mean
        for meaning in (MissingHours.EXCLUDE, MissingHours.ZERO)
    )

    assert excluded == pytest.approx(max(hours.values()) * 328 / sum(hours.values()))
    assert zero == pytest.approx(max(hours.values()) * 336 / sum(hours.values()))


def test_the_burst_factor_is_the_declared_one_since_hours_show_none():
    trace = read_trace(SMALL, missing_hours=MissingHours.EXCLUDE)

    assert trace.profile().burst_factor == 1
    assert trace.profile(1.4).burst_factor == 1.4


@pytest.mark.parametrize(
    ("path", "hours_around", "replicas", "published"),
    [
        (SMALL, 0, 2, 0.465),
        (SMALL, 0, 4, 0.542),
        (SMALL, 0, 16, 0.649),
        (SMALL, 1, 4, 0.479),
        (SMALL, 1, 16, 0.569),
        (MID, 0, 2, 0.450),
        (MID, 0, 4, 0.522),
        (MID, 0, 64, 0.683),
        (MID, 1, 4, 0.474),
        (MID, 1, 16, 0.565),
    ],
)
def test_autoscaling_reaches_the_utilization_that_was_computed_for_these_traces(
    path: Path, hours_around: int, replicas: int, published: float
):
    """Planned at 70 % of saturation, so many replicas at the peak; the figures were made apart."""
    load = read_trace(path, missing_hours=MissingHours.EXCLUDE).profile()
    minutes = 60 * hours_around
    pool = Pool(
        node_usd=1.0,
        min_nodes=1,
        max_nodes=None,
        needs=needs_of_autoscaled_pool(
            load, node_tokens_per_second=700, lead_minutes=minutes, hold_minutes=minutes
        ),
    )
    volume = replicas * 700 * SECONDS / load.peak_to_mean

    utilization = volume / (1000 * SECONDS * pool.nodes(volume))

    assert utilization == pytest.approx(published, abs=0.0011)


def test_the_break_even_of_an_autoscaled_pool_is_the_first_volume_that_brute_force_finds():
    hours = list(tokens_by_hour(SMALL).values())
    mean = sum(hours) / len(hours)
    held = [max(hours[i - 1], load, hours[(i + 1) % len(hours)]) for i, load in enumerate(hours)]
    node_usd, node_tokens, fixed, hosted = 5000.0, 20_000.0 * SECONDS, 3000.0, 0.2e-6

    def loses(volume: float) -> bool:
        full = [volume * load / mean / node_tokens for load in held]
        nodes = sum(max(1, math.ceil(load * (1 - 1e-12))) for load in full) / len(full)
        return fixed + node_usd * nodes > hosted * volume * (1 + 1e-12)

    load = read_trace(SMALL, missing_hours=MissingHours.EXCLUDE).profile()
    needs = needs_of_autoscaled_pool(
        load, node_tokens_per_second=20_000, lead_minutes=60, hold_minutes=60
    )
    pool = Pool(node_usd=node_usd, min_nodes=1, max_nodes=8, needs=needs)
    first = break_even(
        Bills(hosted_usd=hosted, marginal_usd=0.0, fixed_usd=fixed, pools=(pool,))
    ).first

    assert first is not None
    below = [first * step / 2000 for step in range(1, 2000)]
    assert all(loses(volume) for volume in [*below, first * (1 - 1e-9)])
    assert not loses(first * (1 + 1e-9))
