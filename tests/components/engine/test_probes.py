from dataclasses import replace

import pytest

from components.engine.probes import (
    LIVENESS,
    READINESS,
    Probe,
    Timings,
    check_timings,
    startup_probe,
    timings,
)


def some_timings(**changes: float) -> Timings:
    times = timings(
        cold_start_s=420.0, startup_budget_s=600, pre_stop_s=10, drain_s=120, rollout_steps=2
    )
    return replace(times, **changes)  # type: ignore[arg-type]


def test_grace_deadline_and_await_are_the_worked_example():
    times = some_timings()

    assert times.termination_grace_s == 145, "10 + 120 + 15"
    assert times.progress_deadline_s == 805, "600 + 145 + 60"
    assert times.deployment_await_s == 1610, "2 x 805"
    assert check_timings(times) == ()


def test_a_node_that_must_come_first_lengthens_what_waits_for_the_pod_and_no_probe():
    there, comes = (
        timings(
            cold_start_s=420,
            startup_budget_s=600,
            pre_stop_s=10,
            drain_s=120,
            rollout_steps=2,
            node_start_s=node_s,
        )
        for node_s in (0, 480)
    )

    assert comes.progress_deadline_s == there.progress_deadline_s + 480
    assert comes.deployment_await_s == there.deployment_await_s + 2 * 480, "one for each round"
    assert comes.startup_budget_s == there.startup_budget_s
    assert comes.termination_grace_s == there.termination_grace_s


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"startup_budget_s": 421}, None),
        ({"startup_budget_s": 420}, "startup_budget_s > cold_start_s"),
        ({"deployment_await_s": 421}, None),
        ({"deployment_await_s": 420}, "deployment_await_s > cold_start_s"),
        ({"termination_grace_s": 145}, None),
        ({"termination_grace_s": 144}, "termination_grace_s >= pre_stop_s + drain_s + 15"),
        ({"drain_s": 1}, None),
        ({"drain_s": 0}, "drain_s > 0"),
    ],
)
def test_each_inequality_from_both_sides(changes, broken):
    problems = check_timings(some_timings(**changes))

    assert [problem.inequality for problem in problems] == ([broken] if broken else [])
    assert all(problem.remedy and problem.found and problem.allowed for problem in problems)


@pytest.mark.parametrize("cold_start_s", [float("nan"), float("inf")])
def test_a_cold_start_that_is_no_number_holds_nothing(cold_start_s):
    problems = check_timings(some_timings(cold_start_s=cold_start_s))

    assert [problem.inequality for problem in problems] == [
        "startup_budget_s > cold_start_s",
        "deployment_await_s > cold_start_s",
    ]


@pytest.mark.parametrize(
    ("budget_s", "failures"), [(600, 121), (601, 122), (604, 122), (605, 122), (606, 123), (1, 2)]
)
def test_the_startup_probe_tolerates_the_whole_budget_and_hardly_more(budget_s, failures):
    probe = startup_probe(budget_s)

    assert probe.failure_threshold == failures
    assert budget_s <= probe.tolerated_s < budget_s + probe.period_s


def test_a_busy_engine_leaves_the_endpoints_long_before_it_is_restarted():
    assert READINESS.tolerated_s < LIVENESS.tolerated_s


def test_a_probe_in_a_manifest():
    probe = Probe(period_s=5, timeout_s=2, failure_threshold=3)

    assert probe.manifest("http") == {
        "httpGet": {"path": "/health", "port": "http"},
        "periodSeconds": 5,
        "timeoutSeconds": 2,
        "failureThreshold": 3,
    }
