"""`check`, `explain`, `approve`, `prices` and `schema`, and the exit codes of all of them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gate.cli import main
from gate.clock import VARIABLE
from tests.factories import (
    STACKS,
    a_constraint,
    a_plain_stack,
    put,
    write_stack,
)

DEMO = str(STACKS / "Pulumi.demo.yaml")
REFUSED = str(STACKS / "Pulumi.demo-refused.yaml")
DAY = "--as-of=2026-11-21"
M = "models[0]."
CHEAP_API = {
    M + "hosted.negotiated.input_usd_per_mtok": 0.02,
    M + "hosted.negotiated.output_usd_per_mtok": 0.02,
}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function: arguments to exit code, output and errors, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv(VARIABLE, raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("command", ["check", "explain"])
@pytest.mark.parametrize(("file", "code"), [(DEMO, 0), (REFUSED, 1)])
def test_the_exit_code_is_the_decision(gate, command, file, code):
    found, report, errors = gate(command, file, DAY)

    assert (found, errors) == (code, "")
    assert "\n" in report.strip()


@pytest.mark.parametrize("command", ["check", "explain"])
def test_what_cannot_be_judged_is_2_and_says_why_on_stderr(gate, command, tmp_path):
    file = write_stack(tmp_path, a_plain_stack({M + "benchmark.gpus": 2}))
    code, report, errors = gate(command, str(file), DAY)

    assert code == 2
    assert report
    assert errors.startswith(f"error: {file}: models[0].benchmark.gpus: found 2; allowed: 1")
    assert errors.count("\n") == 1


def test_below_the_break_even_is_0_unless_the_stack_says_refuse(gate, tmp_path):
    dear = {M + "costs.other": {"usd_per_month": 30_000, "source": "invoice"}}
    codes = []
    for answer in ("warn", "refuse"):
        stack = a_plain_stack({**dear, "gate.on_below_break_even": answer})
        codes.append(gate("check", str(write_stack(tmp_path, stack)), DAY)[0])

    assert codes == [0, 1]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chekc",),
        ("check",),
        ("check", DEMO, "--format", "yaml"),
        ("check", DEMO, "--as-off", "2026-11-21"),
        ("check", DEMO, "--as-of", "yesterday"),
        ("check", DEMO, "--as-of", "2026-02-30"),
        ("check", DEMO, "--as-of", ""),
        ("prices", "--as-of", "21.11.2026"),
        ("explain", DEMO, "another"),
        ("schema", "another"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_64_and_shows_the_usage(gate, arguments):
    code, output, errors = gate(*arguments)

    assert (code, output) == (64, "")
    assert errors.startswith("usage: python -m gate")


def test_a_day_that_is_none_is_answered_with_the_form_it_has(gate):
    _, _, errors = gate("check", DEMO, "--as-of", "yesterday")

    assert "--as-of: found 'yesterday'; allowed: a day as YYYY-MM-DD" in errors


def test_json_is_one_object_with_every_figure(gate):
    code, output, _ = gate("check", DEMO, DAY, "--format=json")
    content = json.loads(output, parse_constant=pytest.fail)

    assert code == 0
    assert content["verdict"] == "wins"
    assert content["as_of"] == "2026-11-21"
    assert content["whole"]["flip_factors"]["hosted_price"] == [pytest.approx(0.7203, abs=1e-4)]


def test_markdown_is_for_a_review(gate):
    code, output, _ = gate("check", REFUSED, DAY, "--format=markdown")

    assert code == 1
    assert output.startswith("## Break-even: `infinite`, deploying is REFUSED\n")


def test_the_clock_is_the_flag_then_the_environment(gate, monkeypatch):
    monkeypatch.setenv(VARIABLE, "2026-11-20")
    _, by_environment, _ = gate("check", DEMO)
    _, by_flag, _ = gate("check", DEMO, DAY)

    assert "as of 2026-11-20" in by_environment
    assert "as of 2026-11-21" in by_flag


def test_a_clock_that_holds_no_day_is_2(gate, monkeypatch):
    monkeypatch.setenv(VARIABLE, "tomorrow")
    code, _, errors = gate("check", DEMO)

    assert code == 2
    assert errors.startswith(f"error: environment: {VARIABLE}: found 'tomorrow'; allowed: a day")


def test_what_approve_prints_makes_the_constraint_stand(gate, tmp_path):
    constraints = {"constraints": [a_constraint("support-chat")]}
    stack = a_plain_stack({**CHEAP_API, **constraints})
    file = str(write_stack(tmp_path, stack))
    before, *_ = gate("check", file, DAY)
    code, printed, _ = gate("approve", file, DAY)
    put(stack, "constraints[0].approval", yaml.safe_load(printed)["approval"])
    write_stack(tmp_path, stack)
    after, report, _ = gate("check", file, DAY)

    assert (before, code, after) == (1, 0, 0)
    assert printed.startswith("# constraints[0], residency: to be put in by Head of Legal\n")
    assert "VERDICT: mandated" in report


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "constraints: found no hard constraint"),
        (
            {"constraints": [a_constraint("support-chat")], M + "benchmark.gpus": 2},
            "models[0].benchmark.gpus: found 2",
        ),
    ],
)
def test_nothing_is_approved_without_a_constraint_or_without_a_verdict(
    gate, changes, said, tmp_path
):
    file = write_stack(tmp_path, a_plain_stack(changes))
    code, output, errors = gate("approve", str(file), DAY)

    assert (code, output) == (2, "")
    assert said in errors


def test_prices_lists_every_fact_with_its_age_and_source(gate):
    code, output, _ = gate("prices", DAY)
    lines = output.splitlines()

    assert code == 0
    assert any(re.match(r"p5\.4xlarge us-east-1 on_demand +6\.88 USD/h$", line) for line in lines)
    assert re.fullmatch(r"\d+ facts as of 2026-11-21, \d+ past their max_age_days", lines[-1])
    assert all(re.match(r"    (ok|STALE|EXPIRED): \d{4}-", line) for line in lines[1:-1:2])


def test_prices_of_a_provider_are_its_models(gate):
    code, output, _ = gate("prices", "fireworks", DAY, "--format=json")
    facts = json.loads(output)

    assert code == 0
    assert {fact["unit"] for fact in facts} == {"USD/Mtok"}
    assert all(fact["value"] > 0 and fact["source"].startswith("http") for fact in facts)


def test_prices_of_an_unknown_provider_name_the_nearest(gate):
    code, _, errors = gate("prices", "firework", DAY)

    assert code == 2
    assert "did you mean fireworks?" in errors


def test_a_price_that_grew_old_is_marked(gate):
    _, output, _ = gate("prices", "--as-of=2030-01-01")

    assert "EXPIRED" in output


COMMANDS = ("break-even", "check", "explain", "approve", "prices", "schema")


@pytest.mark.parametrize("command", [(), *((each,) for each in COMMANDS)], ids=" ".join)
def test_help_fits_in_80_columns(gate, command):
    code, output, _ = gate(*command, "--help")

    assert code == 0
    assert max(map(len, output.splitlines())) <= 80, max(output.splitlines(), key=len)


def test_help_names_every_command_and_exit_code(gate):
    _, output, _ = gate("--help")

    for name in COMMANDS:
        assert re.search(rf"^    {name}\s+\w", output, re.MULTILINE), name
    for code in ("0", "1", "2", "64"):
        assert re.search(rf"^  {code} +\w", output, re.MULTILINE), code


@pytest.mark.parametrize(("file", "code"), [(DEMO, 0), (REFUSED, 1)])
def test_a_reader_that_leaves_early_changes_nothing_about_the_exit_code(file, code):
    command = [sys.executable, "-m", "gate", "check", file, DAY]
    folder = Path(DEMO).parent.parent
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (code, b"")
