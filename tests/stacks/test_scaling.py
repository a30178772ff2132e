"""Windows and the hosted fallback: what may be declared, and what is told about the rest."""

from typing import Any

import pytest

from stacks.errors import InputError, Problem
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.factories import a_stack, put

SERVING = "models[0].serving"
WINDOW = {"timezone": "Europe/Berlin", "start": "0 7 * * 1-5", "end": "0 19 * * 1-5", "replicas": 4}
FALLBACK = {
    "base_url": "https://api.example.com/v1",
    "model": "accounts/example/models/qwen3-8b",
    "daily_cap_usd": 200,
}


def declared(changes: dict[str, Any]) -> Stack:
    """Return the demo with exactly these changes: nothing else follows them."""
    stack = a_stack()
    for path, value in changes.items():
        put(stack, path, value)
    return parse_stack(stack, file="x.yaml")


def refused(changes: dict[str, Any]) -> Problem:
    with pytest.raises(InputError) as caught:
        declared(changes)
    (problem,) = caught.value.problems
    return problem


def window(**changes: Any) -> dict[str, Any]:
    return {f"{SERVING}.scaling": {"cooldown_seconds": 1800, "windows": [WINDOW | changes]}}


def fallback(**changes: Any) -> dict[str, Any]:
    return {f"{SERVING}.fallback": FALLBACK | changes}


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "0 7 * * 1-5",
        "59 23 31 12 6",
        "0 0 1 1 0",
        "0,30 7-9,17 * * *",
        "*/15 8-18/2 * jan-Mar MON,wed-fri",
    ],
)
def test_a_window_begins_when_a_cron_expression_says(expression: str):
    stack = declared(window(start=expression))
    scaling = stack.models[0].serving.scaling

    assert scaling is not None
    assert scaling.windows[0].start == expression


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 7 * *", "not five fields"),
        ("0 7 * * * *", "not five fields"),
        ("0  7 * * *", "not five fields"),
        ("", "not five fields"),
        ("@daily", "not five fields"),
        ("60 7 * * *", "'60' as minute"),
        ("0 24 * * *", "'24' as hour"),
        ("0 7 0 * *", "'0' as day of the month"),
        ("0 7 32 * *", "'32' as day of the month"),
        ("0 7 * 13 *", "'13' as month"),
        ("0 7 * 0 *", "'0' as month"),
        ("0 7 * * 7", "'7' as day of the week"),  # KEDA's Sunday is 0 alone
        ("0 7 * mon *", "'mon' as month"),
        ("0 jan * * *", "'jan' as hour"),
        ("0 7 * * 5-1", "'5-1' as day of the week"),
        ("*/0 7 * * *", "'*/0' as minute"),
        ("*/60 7 * * *", "'*/60' as minute"),
        ("*-5 7 * * *", "'*-5' as minute"),
        ("1, 7 * * *", "'1,' as minute"),
        ("-1 7 * * *", "'-1' as minute"),
        ("1-2-3 7 * * *", "'1-2-3' as minute"),
        ("0 7h * * *", "'7h' as hour"),
        ("0 7 ? * *", "'?' as day of the month"),
        ("0 7 L * *", "'L' as day of the month"),
        ("٣ 7 * * *", "as minute"),
    ],
)
@pytest.mark.parametrize("end", ["start", "end"])
def test_what_keda_would_not_read_is_refused(end: str, expression: str, found: str):
    problem = refused(window(**{end: expression}))

    assert problem.field == f"{SERVING}.scaling.windows[0].{end}"
    assert found in problem.found


@pytest.mark.parametrize(
    ("timezone", "remedy"),
    [("Europe/Berln", "did you mean Europe/Berlin?"), ("Nowhere", "correct the name")],
)
def test_a_time_zone_that_does_not_exist_is_refused(timezone: str, remedy: str):
    problem = refused(window(timezone=timezone))

    assert problem.field == f"{SERVING}.scaling.windows[0].timezone"
    assert problem.remedy == remedy


def test_a_window_that_ends_as_it_starts_is_none():
    problem = refused(window(end=WINDOW["start"]))

    assert problem.field == f"{SERVING}.scaling.windows[0].end"


@pytest.mark.parametrize(("replicas", "fits"), [(14, True), (15, False)])
def test_a_window_keeps_no_more_than_the_cap(replicas: int, fits: bool):
    if fits:
        assert declared(window(replicas=replicas)).models
        return
    problem = refused(window(replicas=replicas))
    assert problem.field == f"{SERVING}.scaling.windows[0].replicas"
    assert problem.allowed == "up to 14"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": "QWEN3-8B"},
        {"model": "other/model", "input_usd_per_mtok": 0, "output_usd_per_mtok": 0.5},
    ],
)
def test_a_fallback_has_a_known_price(changes: dict[str, Any]):
    assert declared(fallback(**changes)).models


@pytest.mark.parametrize(
    ("changes", "field", "found"),
    [
        ({"model": "qwen3-32b"}, "input_usd_per_mtok", "qwen3-32b is not qwen3-8b"),
        ({"model": "qwen3-8b/turbo"}, "input_usd_per_mtok", "is not qwen3-8b"),
        ({"input_usd_per_mtok": 0.5}, "output_usd_per_mtok", "nothing"),
        ({"output_usd_per_mtok": 0.5}, "input_usd_per_mtok", "nothing"),
        ({"input_usd_per_mtok": -1, "output_usd_per_mtok": 1}, "input_usd_per_mtok", "-1"),
        ({"input_usd_per_mtok": 1, "output_usd_per_mtok": 2000}, "output_usd_per_mtok", "2000"),
        ({"input_usd_per_mtok": 1, "output_usd_per_mtok": "inf"}, "output_usd_per_mtok", "inf"),
    ],
)
def test_a_cap_is_never_counted_at_a_price_of_something_else(
    changes: dict[str, Any], field: str, found: str
):
    problem = refused(fallback(**changes))

    assert problem.field == f"{SERVING}.fallback.{field}"
    assert found in problem.found
