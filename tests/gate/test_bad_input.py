"""Whatever is wrong with a stack: exit code 2, one message that says all of it, and no traceback."""

import re
from pathlib import Path

import pytest

from gate.cli import main
from tests.factories import a_stack, write_stack
from tests.gate.bad_input import LOAD, Wrong
from tests.gate.bad_input.benchmarks import BENCHMARKS
from tests.gate.bad_input.cpu_nodes import CPU_NODES
from tests.gate.bad_input.dates import DATES
from tests.gate.bad_input.files import ON_DISK
from tests.gate.bad_input.names import NAMES
from tests.gate.bad_input.on_aws import ON_AWS
from tests.gate.bad_input.shape import SHAPES
from tests.gate.bad_input.together import TOGETHER
from tests.gate.bad_input.values import VALUES

WRONG = (*VALUES, *SHAPES, *NAMES, *DATES, *TOGETHER, *BENCHMARKS, *CPU_NODES, *ON_DISK, *ON_AWS)
MESSAGE = re.compile(r"found (?P<found>.+?); allowed: (?P<allowed>.+); remedy: (?P<remedy>.+)")
JARGON = re.compile(
    r"Traceback|Input should|validation error|pydantic|<class|type=|Error\b|\bctx\b"
)


def check(file: Path, *flags: str) -> int:
    return main(["check", str(file), *flags])


@pytest.mark.parametrize("wrong", WRONG, ids=[row.what for row in WRONG])
def test_a_wrong_stack_gets_one_message_that_says_everything(
    wrong: Wrong, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file, named = wrong.write(tmp_path)
    code = check(file, "--as-of", wrong.as_of)
    report, errors = capsys.readouterr()
    messages = errors.splitlines()
    assert code == 2, f"it was judged: {report.splitlines()[1:2]}; make the gate refuse to"
    assert len(messages) == 1, f"one cause has one message, not {len(messages)}:\n{errors}"
    assert not JARGON.search(errors), f"say it in a user's words: {errors}"
    named = file if wrong.field.startswith(LOAD) else named
    place, _, rest = messages[0].removeprefix(f"error: {named}").partition(": found ")
    told = MESSAGE.fullmatch(f"found {rest}")

    assert place.removeprefix(": ") == wrong.field, f"name the field in: {errors}"
    assert told, f"say found, allowed and remedy in: {errors}"
    assert wrong.found in told["found"]
    assert wrong.allowed in told["allowed"]
    assert wrong.remedy in told["remedy"]
    if report:  # judged as far as it goes: the table names the cause before any figure
        head, _, _ = report.partition("self-hosted, USD/month")
        assert f"blocking: {wrong.field}: found" in " ".join(head.split()), head


def test_there_are_many_wrong_stacks_and_no_two_alike():
    names = [row.what for row in WRONG]

    assert len(WRONG) >= 60
    assert len(set(names)) == len(names)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path, capsys):
    changes = {"purpos": 1, "models[0].pool.replicas.max": 0, "gate.horizon_months": "two years"}
    code = check(write_stack(tmp_path, a_stack(changes)))
    errors = capsys.readouterr().err.splitlines()

    assert code == 2
    assert [error.split(": ")[2] for error in errors] == [
        "gate.horizon_months",
        "models[0].pool.replicas.max",
        "purpos",
    ]


def test_unknown_names_of_two_models_are_told_at_once(tmp_path, capsys):
    second = a_stack({"models[0].name": "second", "models[0].weights.id": "B"})["models"][0]
    stack = a_stack({"models[0].weights.id": "A", "models[1]": second})
    code = check(write_stack(tmp_path, stack))
    errors = capsys.readouterr().err.splitlines()

    assert code == 2
    assert [error.split(": ")[2] for error in errors] == [
        "models[0].weights.id",
        "models[1].weights.id",
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [("stacks", "a directory"), ("stacks/Pulumi.nowhere.yaml", "no such file or directory")],
)
def test_a_path_that_is_no_file(path, found, capsys):
    code = check(Path(path))

    assert code == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: found {found}; allowed: ")


@pytest.mark.parametrize("load", [{"file": "."}, {"file": "nowhere.csv"}, {"file": "a\0b.csv"}])
def test_a_trace_that_is_no_file(load, tmp_path, capsys):
    stack = a_stack({LOAD: {"kind": "trace", **load}})
    code = check(write_stack(tmp_path, stack))
    errors = capsys.readouterr().err

    assert code == 2
    assert errors.count("\n") == 1
    assert MESSAGE.search(errors), errors


def test_a_measurement_that_is_no_file(tmp_path, capsys):
    stack = a_stack({LOAD: {"kind": "measured_utilization", "evidence": "nowhere.json"}})
    code = check(write_stack(tmp_path, stack))

    assert code == 2
    assert "nowhere.json: found no such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "markdown", "text"])
def test_a_message_is_on_stderr_whatever_the_format(form, tmp_path, capsys):
    file = write_stack(tmp_path, a_stack({"models[0].benchmark.gpus": 2}))
    code = check(file, "--format", form, "--as-of", "2026-11-21")
    report, errors = capsys.readouterr()

    assert code == 2
    assert errors.startswith(f"error: {file}: models[0].benchmark.gpus: found 2; ")
    assert "models[0].benchmark.gpus" in report
