"""`python -m gate break-even`: its figures and its exit codes."""

import json
import re

import pytest

from tests.gate.cli.break_even_flags import AUTOSCALED, FULLY_USED, ON_A_TRACE, SILYBENCH
from tests.traces import CONVERSATION, MID

KEYS_OF_THE_ISSUE = {
    "verdict",
    "break_even_tokens_per_month",
    "safe_break_even_tokens_per_month",
    "replicas_at_break_even",
    "capacity_tokens_per_month",
    "self_hosted_floor_usd_per_mtok",
    "loss_windows",
    "utilization",
    "peak_to_mean",
}
OTHER_KEYS = {"replicas_needed_to_break_even", "loss_window_count", "burst_factor", "missing_hours"}


@pytest.mark.parametrize(
    "flags",
    [
        FULLY_USED,
        (*FULLY_USED, "--fixed-monthly-usd=6000"),
        (*FULLY_USED, "--fixed-monthly-usd=6000", "--max-replicas=4"),
        (*SILYBENCH, "--utilization=0.3"),
        (*FULLY_USED, "--monthly-tokens=1e9"),
        ON_A_TRACE,
        (*AUTOSCALED, "--max-replicas=5"),
    ],
)
def test_the_json_has_the_same_keys_whatever_the_verdict(figures, flags):
    assert set(figures(*flags)) == KEYS_OF_THE_ISSUE | OTHER_KEYS


def test_a_finite_break_even_without_a_volume(figures):
    result = figures(*FULLY_USED, "--fixed-monthly-usd=6000")

    # See test_published_cases.py: 7 replicas at the crossing, losing again above 7 and 8 full ones.
    full = 5629.363 * 730 * 3600
    assert result["verdict"] == "finite"
    assert result["break_even_tokens_per_month"] == pytest.approx((6000 + 7 * 1963.7) / 0.2e-6)
    assert result["safe_break_even_tokens_per_month"] == pytest.approx((6000 + 9 * 1963.7) / 0.2e-6)
    assert result["replicas_at_break_even"] == 7
    assert result["replicas_needed_to_break_even"] is None
    assert result["capacity_tokens_per_month"] is None
    assert result["self_hosted_floor_usd_per_mtok"] == pytest.approx(0.132737, abs=5e-7)
    assert [low for low, _ in result["loss_windows"]] == pytest.approx([7 * full, 8 * full])
    assert result["utilization"] == pytest.approx(1)


def test_what_an_infinite_break_even_has_not_is_null(figures):
    result = figures(*SILYBENCH, "--utilization=0.6")

    assert result["verdict"] == "infinite"
    assert {key for key, value in result.items() if value is None} == {
        "break_even_tokens_per_month",
        "safe_break_even_tokens_per_month",
        "replicas_at_break_even",
        "replicas_needed_to_break_even",
        "capacity_tokens_per_month",
        "peak_to_mean",
        "burst_factor",
        "missing_hours",
    }
    assert result["loss_windows"] == []


def test_a_break_even_beyond_the_cap_names_the_replicas_it_would_need(figures):
    result = figures(*FULLY_USED, "--fixed-monthly-usd=6000", "--max-replicas=4")

    assert result["verdict"] == "beyond_cap"
    assert result["break_even_tokens_per_month"] is None
    assert result["replicas_at_break_even"] is None
    assert result["replicas_needed_to_break_even"] == 7
    assert result["capacity_tokens_per_month"] == pytest.approx(4 * 5629.363 * 730 * 3600)


def test_a_load_trace_tells_utilization_and_peak_to_mean(figures):
    result = figures(*ON_A_TRACE)

    assert result["peak_to_mean"] == pytest.approx(2.5134, abs=5e-5)
    assert result["utilization"] == pytest.approx(1 / 2.5134, abs=5e-5)
    assert result["burst_factor"] == 1
    assert result["missing_hours"] == 1


def test_a_burst_factor_lowers_the_utilization(figures):
    assert figures(*ON_A_TRACE, "--burst-factor=2")["utilization"] == pytest.approx(
        figures(*ON_A_TRACE)["utilization"] / 2
    )


def test_following_the_load_raises_the_utilization_and_lowers_the_break_even(figures):
    fixed, follows = (
        figures(*flags, "--fixed-monthly-usd=30000") for flags in (ON_A_TRACE, AUTOSCALED)
    )

    assert follows["utilization"] > fixed["utilization"]
    assert follows["break_even_tokens_per_month"] < fixed["break_even_tokens_per_month"]


def test_hours_without_a_row_may_be_told_to_be_idle(figures):
    on_mid = (*SILYBENCH, f"--load-trace={MID}")

    excluded, idle = figures(*on_mid), figures(*on_mid, "--missing-hours=zero")

    assert idle["peak_to_mean"] == pytest.approx(excluded["peak_to_mean"] * 336 / 328)


def test_a_per_request_trace_is_read(figures):
    result = figures(*SILYBENCH, f"--load-trace={CONVERSATION}")

    assert result["peak_to_mean"] == pytest.approx(2.3459, abs=5e-5)


def test_replicas_that_share_a_node_are_bought_with_it(figures):
    # Half the replicas of a node at half its price: nothing but the granularity changes.
    apart = figures(*FULLY_USED)
    shared = figures("--replica-hourly-usd=5.38", *FULLY_USED[1:], "--replicas-per-node=2")

    floor = "self_hosted_floor_usd_per_mtok"
    assert shared[floor] == pytest.approx(apart[floor])
    # One node of 2 x 1,963.70 USD at 0.20 USD/M.
    assert shared["break_even_tokens_per_month"] == pytest.approx(2 * 1963.7 / 0.2e-6)
    assert shared["replicas_at_break_even"] == 2


def test_a_floor_is_paid_at_any_volume(figures):
    result = figures(*FULLY_USED, "--min-replicas=3")

    assert result["break_even_tokens_per_month"] == pytest.approx(3 * 1963.7 / 0.2e-6)
    assert result["replicas_at_break_even"] == 3


def test_a_marginal_cost_is_part_of_the_floor(figures):
    plain = figures(*FULLY_USED)["self_hosted_floor_usd_per_mtok"]

    with_traces = figures(*FULLY_USED, "--marginal-usd-per-mtok=0.03")

    assert with_traces["self_hosted_floor_usd_per_mtok"] == pytest.approx(plain + 0.03)
    assert with_traces["break_even_tokens_per_month"] == pytest.approx(1963.7 / 0.17e-6)


@pytest.mark.parametrize(
    ("flags", "verdict", "code"),
    [
        (FULLY_USED, "finite", 0),
        ((*FULLY_USED, "--monthly-tokens=9.82e9"), "wins", 0),
        ((*FULLY_USED, "--monthly-tokens=9.81e9"), "below_break_even", 0),
        ((*FULLY_USED, "--monthly-tokens=15e9"), "below_break_even", 0),
        ((*SILYBENCH, "--utilization=0.6"), "infinite", 1),
        ((*SILYBENCH, "--utilization=0.6", "--monthly-tokens=1e12"), "infinite", 1),
        ((*FULLY_USED, "--fixed-monthly-usd=6000", "--max-replicas=6"), "beyond_cap", 1),
        ((*FULLY_USED, "--fixed-monthly-usd=6000", "--max-replicas=7"), "finite", 0),
    ],
)
def test_the_exit_code_says_whether_the_verdict_refuses(break_even, flags, verdict, code):
    exit_code, output, errors = break_even(*flags, "--format=json")

    assert json.loads(output)["verdict"] == verdict
    assert exit_code == code
    assert not errors


def test_a_volume_above_the_capacity_cannot_be_judged(break_even):
    code, output, errors = break_even(*FULLY_USED, "--max-replicas=2", "--monthly-tokens=3e10")

    # Two replicas serve 2 x 14,794 M.
    assert code == 2
    assert not output
    assert errors.startswith("error: command line: --monthly-tokens: found 3e+10; allowed: up to ")
    assert "2.95879e+10" in errors
    assert "remedy: raise --max-replicas" in errors


def test_a_volume_that_just_fits_is_judged(break_even):
    code, *_ = break_even(
        *FULLY_USED, "--max-replicas=2", f"--monthly-tokens={2 * 5629.363 * 2_628_000}"
    )

    assert code == 0


def test_the_help_explains_itself(break_even):
    code, output, _ = break_even("--help")

    assert code == 0
    for flag in ("--replica-hourly-usd", "--utilization", "--load-trace", "--autoscaled"):
        assert flag in output


def test_the_text_says_the_same_and_a_dash_for_what_does_not_exist(break_even):
    _, output, _ = break_even(*FULLY_USED, "--fixed-monthly-usd=6000")

    rows = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in output.splitlines()[:12])
    assert rows["verdict"] == "finite"
    assert rows["break-even volume (V*)"] == "9.87295e+10 tokens/month"
    assert rows["capacity"] == "- tokens/month"
    assert rows["loss windows above V*"] == "2"
    assert "nan" not in output
    assert max(map(len, output.splitlines())) <= 80
