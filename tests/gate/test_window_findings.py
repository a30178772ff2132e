"""Hours with a higher floor are not in the bill: the gate says so."""

import pytest

from gate.findings import Finding, Level
from tests.factories import a_plain_stack, decided, put

SCALING = "models[0].serving.scaling"


def of_windows(floor: int, *replicas: int) -> list[Finding]:
    stack = a_plain_stack({"models[0].pool.replicas": {"min": floor, "max": 14}})
    put(
        stack,
        "models[0].pool.scaling",
        {"kind": "autoscaled", "lead_minutes": 10, "hold_minutes": 30},
    )
    times = {"timezone": "Europe/Berlin", "start": "0 7 * * 1-5", "end": "0 19 * * 1-5"}
    windows = [times | {"replicas": each} for each in replicas]
    put(stack, SCALING, {"cooldown_seconds": 1800, "windows": windows})
    return [f for f in decided(stack).findings if ".windows[" in f.problem.field]


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_window_up_to_the_floor_is_priced_with_it(replicas: int):
    assert of_windows(2, replicas) == []


def test_a_window_above_the_floor_is_pointed_out():
    (finding,) = of_windows(2, 2, 3)

    assert finding.level is Level.ADVISORY
    assert finding.problem.field == f"{SCALING}.windows[1].replicas"
    assert "keeps 3 replicas, which this decision does not price" in finding.problem.found
    assert finding.problem.remedy == "model it in the load, or raise the floor"
