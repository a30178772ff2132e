"""How much of the hardware a load uses, and how that is known."""

import json
from pathlib import Path

import pytest

from gate.case import ModelCase
from gate.findings import Level
from gate.usage import Origin
from stacks.errors import InputError
from tests.factories import STACKS, Changes, decide_plain

M = "models[0]."
LOAD = M + "workload.load"
ROLLING: Changes = {
    M + "pool.scaling": {"kind": "autoscaled", "lead_minutes": 60, "hold_minutes": 0}
}


def case_of(load: dict[str, object], changes: Changes | None = None) -> ModelCase:
    return decide_plain({LOAD: load, M + "pool.replicas.max": 400, **(changes or {})}).cases[0]


NINE_TO_FIVE = {
    "kind": "business_hours",
    "first_hour": 9,
    "last_hour": 17,
    "off_hours_fraction": 0,
    "weekend_factor": 0,
}


@pytest.mark.parametrize(
    ("load", "utilization", "peak", "origin"),
    [
        ({"kind": "constant"}, 1, 1, Origin.SHAPE),
        ({"kind": "constant", "burst_factor": 4}, 1 / 4, 1, Origin.SHAPE),
        ({"kind": "peak_to_mean", "ratio": 2.5}, 1 / 2.5, 2.5, Origin.SHAPE),
        ({"kind": "peak_to_mean", "ratio": 2.5, "burst_factor": 2}, 1 / 5, 2.5, Origin.SHAPE),
        ({"kind": "diurnal", "peak_to_mean": 2, "weekend_factor": 1}, 1 / 2, 2, Origin.SHAPE),
        (NINE_TO_FIVE, 40 / 168, 168 / 40, Origin.SHAPE),
        ({"kind": "assumed_utilization", "utilization": 0.3}, 0.3, None, Origin.ASSUMPTION),
    ],
)
def test_a_pool_sized_for_the_peak_is_used_one_over_the_peak(load, utilization, peak, origin):
    used = case_of(load).used

    assert used.utilization == pytest.approx(utilization)
    assert used.peak_to_mean == (peak if peak is None else pytest.approx(peak))
    assert used.origin is origin


def test_an_office_that_is_followed_hour_by_hour_pays_for_the_hour_ahead():
    assert case_of(NINE_TO_FIVE, ROLLING).used.utilization == pytest.approx(40 / 45)


def test_a_trace_says_how_many_intervals_it_has():
    used = case_of(
        {"kind": "trace", "file": "traces/m-mid-hourly.csv", "missing_hours": "exclude"}
    ).used

    assert used.detail == "328 intervals of 60 min, traces/m-mid-hourly.csv"
    assert used.origin is Origin.TRACE
    assert used.peak_to_mean == pytest.approx(2.9, abs=0.01)
    assert used.burst_factor == 1


def test_what_a_missing_hour_means_moves_the_utilization():
    trace: dict[str, object] = {"kind": "trace", "file": "traces/m-mid-hourly.csv"}
    unknown, idle = (
        case_of(trace | {"missing_hours": meaning}).used.utilization
        for meaning in ("exclude", "zero")
    )

    assert idle == pytest.approx(unknown * 328 / 336)


MEASURED = {
    "kind": "prometheus",
    "query": "sum(increase(vllm:generation_tokens_total[7d]))",
    "window_start": "2026-11-10",
    "window_end": "2026-11-17",
    "tokens_served": 0.4 * 2 * 7 * 24 * 3600 * 20_000,
    "replica_hours": 2 * 7 * 24,
    "saturated_tokens_per_second": 20_000,
}


def measured(folder: Path, **changes: object) -> dict[str, object]:
    file = folder / "evidence.json"
    file.write_text(json.dumps(MEASURED | changes), encoding="utf-8")
    return {"kind": "measured_utilization", "evidence": str(file)}


def test_a_measurement_is_tokens_served_over_tokens_possible(tmp_path):
    used = case_of(measured(tmp_path)).used

    assert used.utilization == pytest.approx(0.4)
    assert used.origin is Origin.EVIDENCE
    assert used.detail == "prometheus, 7 days to 2026-11-17"


def test_a_measurement_brings_its_own_saturation(tmp_path):
    decision = decide_plain({LOAD: measured(tmp_path, saturated_tokens_per_second=10_000)})
    pool = decision.whole.bills.pools[0]

    assert decision.cases[0].used.utilization == pytest.approx(0.8)
    assert pool.peak_need == pytest.approx(1 / (0.8 * 10_000 / 20_000)), (
        "what is served a replica-hour is the same, whatever saturation is said to be"
    )


FIXED_AT_4: Changes = {M + "pool.replicas": {"min": 4, "max": 4}}


@pytest.mark.parametrize(
    ("utilization", "agrees"),
    [(0.25, True), (0.2751, False), (0.2749, True), (0.2251, True), (0.2249, False)],
)
def test_volume_replicas_and_utilization_agree_within_a_tenth(utilization, agrees):
    """52.56 B tokens on four replicas of 20,000 tokens/s are a quarter of what is possible."""
    load = {"kind": "assumed_utilization", "utilization": utilization}
    decision = decide_plain({LOAD: load, **FIXED_AT_4})

    assert [each.field for each in decision.blocking] == ([] if agrees else [LOAD])
    if agrees:
        assert decision.whole.self_hosted_usd == 4 * 5 * 730, "four are declared, and four are paid"


def findings(load: dict[str, object]) -> list[tuple[Level, str]]:
    decision = decide_plain({LOAD: load, M + "pool.replicas.max": 400})
    return [(each.level, each.problem.found) for each in decision.findings]


def test_a_guess_is_called_a_guess():
    assert findings({"kind": "assumed_utilization", "utilization": 0.3}) == [
        (Level.ADVISORY, "a utilization of 30% that is a guess")
    ]


@pytest.mark.parametrize(
    ("window", "level", "said"),
    [
        (("2026-11-10", "2026-11-17"), None, ""),
        (("2026-11-13", "2026-11-17"), Level.ADVISORY, "a window of 4 days"),
        (("2026-08-10", "2026-08-17"), Level.ADVISORY, "last checked on 2026-08-17"),
        (("2026-05-10", "2026-05-17"), Level.BLOCKING, "last checked on 2026-05-17"),
    ],
)
def test_a_measurement_is_of_about_a_week_and_of_this_quarter(window, level, said, tmp_path):
    start, end = window
    found = findings(measured(tmp_path, window_start=start, window_end=end))

    assert found == ([(level, said)] if level else [])


def test_a_file_is_looked_for_beside_the_stack_file():
    with pytest.raises(InputError, match=str(STACKS / "nowhere.csv")):
        case_of({"kind": "trace", "file": "nowhere.csv"})
