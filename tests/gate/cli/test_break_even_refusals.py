"""`python -m gate break-even`: what it answers to flags that are wrong or contradict each other."""

import re

import pytest

from tests.gate.cli.break_even_flags import AUTOSCALED, FULLY_USED, ON_A_TRACE, SILYBENCH
from tests.traces import MID, SMALL


@pytest.mark.parametrize(
    "flags",
    [
        (*FULLY_USED, "--autoscaled"),
        (*ON_A_TRACE, "--autoscaled"),
        (*ON_A_TRACE, "--autoscaled", "--lead-minutes=10"),
        (*ON_A_TRACE, "--lead-minutes=10"),
        (*ON_A_TRACE, "--hold-minutes=0"),
        (*FULLY_USED, "--burst-factor=1"),
        (*FULLY_USED, "--min-replicas=5", "--max-replicas=4"),
        (*SILYBENCH, "--load-trace=no-such-file.csv"),
        (*SILYBENCH, "--load-trace=."),
        (*SILYBENCH, f"--load-trace={MID}", "--missing-hours=refuse"),
    ],
    ids=lambda flags: " ".join(flags[3:]),
)
def test_what_contradicts_itself_is_answered_in_one_line_with_exit_code_2(break_even, flags):
    code, output, errors = break_even(*flags)

    assert code == 2
    assert not output
    assert re.fullmatch(r"error: .+: found .+; allowed: .+; remedy: .+\n", errors), errors


def test_bills_too_close_to_be_told_apart_cannot_be_judged(break_even, figures):
    floor = figures(*AUTOSCALED)["self_hosted_floor_usd_per_mtok"]

    code, output, errors = break_even(
        *AUTOSCALED, "--fixed-monthly-usd=1e6", f"--hosted-usd-per-mtok={floor * (1 + 1e-7)!r}"
    )

    assert code == 2
    assert not output
    assert "so near the self-hosted one" in errors


def with_flag(flag: str) -> tuple[str, ...]:
    """Return flags that work, with one written otherwise."""
    name = flag.partition("=")[0]
    return (*(each for each in FULLY_USED if each.partition("=")[0] != name), flag)


@pytest.mark.parametrize(
    "flag",
    [
        "--replica-hourly-usd=0",
        "--replica-hourly-usd=-1",
        "--replica-hourly-usd=nan",
        "--replica-hourly-usd=inf",
        "--replica-hourly-usd=cheap",
        "--tokens-per-second=0",
        "--hosted-usd-per-mtok=0",
        "--hosted-usd-per-mtok=",
        "--utilization=0",
        "--utilization=1.01",
        "--utilization=60%",
        "--marginal-usd-per-mtok=-0.01",
        "--fixed-monthly-usd=-1",
        "--monthly-tokens=0",
        "--min-replicas=-1",
        "--min-replicas=1.5",
        "--max-replicas=0",
        "--replicas-per-node=0",
        "--format=yaml",
        "--burst-factor=0.5",
        "--replicas=3",
        f"--load-trace={SMALL}",
    ],
)
def test_a_wrong_flag_is_a_usage_error(break_even, flag):
    code, output, errors = break_even(*with_flag(flag))

    assert code == 64
    assert not output
    assert flag.partition("=")[0] in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("missing", FULLY_USED)
def test_a_missing_flag_is_a_usage_error(break_even, missing):
    code, _, errors = break_even(*(flag for flag in FULLY_USED if flag != missing))

    assert code == 64
    assert missing.partition("=")[0] in errors


@pytest.mark.parametrize(
    "flag",
    [
        "--replica-hourly-usd=1e308",
        "--tokens-per-second=1e308",
        "--tokens-per-second=1e-320",
        "--utilization=1e-320",
        "--fixed-monthly-usd=1e308",
        f"--min-replicas=1{'0' * 320}",
        f"--max-replicas=1{'0' * 320}",
        f"--replicas-per-node=1{'0' * 320}",
    ],
)
def test_a_number_that_nothing_costs_or_serves_is_a_usage_error(break_even, flag):
    code, *_ = break_even(*with_flag(flag), "--format=json")

    assert code == 64
