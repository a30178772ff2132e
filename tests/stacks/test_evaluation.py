"""What must be passed before requests move: how it is declared, and the questions of a dataset."""

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.dataset import MAX_BYTES, dataset_text, read_dataset
from stacks.errors import InputError, Place
from stacks.evaluation import Question
from stacks.reading import parse_stack
from tests.factories import a_stack

PLACE = Place("Pulumi.test.yaml", "models[0].serving.evaluation.file")
EVALUATION = "models[0].serving.evaluation"
DATASET = {"kind": "dataset", "file": "questions.jsonl", "at_least": 0.9}
COMMAND = {"kind": "command", "image": f"evals@sha256:{64 * 'a'}", "command": ["./evaluate"]}


def refused(changes: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_stack(a_stack(changes), file="x.yaml")
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize("evaluation", [DATASET, COMMAND])
def test_a_model_that_may_sleep_has_no_replica_to_evaluate(evaluation: dict[str, Any]):
    stack = a_stack({"models[0].pool.replicas.min": 0, EVALUATION: evaluation})

    with pytest.raises(InputError) as caught:
        parse_stack(stack, file="x.yaml")

    (problem,) = caught.value.problems
    assert problem.field == EVALUATION
    assert "replicas.min: 0" in problem.found


@pytest.mark.parametrize(
    ("declared", "field", "found"),
    [
        ({"kind": "vibes"}, ".kind", "'vibes'"),
        (DATASET | {"at_least": 90}, ".at_least", "90"),
        (DATASET | {"at_least": 0}, ".at_least", "0"),
        (COMMAND | {"image": "evals:latest"}, ".image", "evals:latest"),
        (COMMAND | {"command": []}, ".command", "a list of 0"),
        (COMMAND | {"environment": {"OPENAI_BASE_URL": "http://other"}}, ".OPENAI_BASE_URL", "given"),
        (COMMAND | {"timeout_minutes": 1441}, ".timeout_minutes", "1441"),
        (COMMAND | {"at_least": 0.9}, ".at_least", "an unknown key"),
    ],
)  # fmt: skip
def test_a_slip_in_an_evaluation_is_answered_where_it_is(
    declared: dict[str, Any], field: str, found: str
):
    message = refused({EVALUATION: declared})

    assert f"{EVALUATION}" in message
    assert field in message
    assert found in message


def questions(tmp_path: Path, content: str | bytes) -> tuple[Question, ...]:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_dataset(file, PLACE)


def test_a_dataset_is_one_question_a_line(tmp_path: Path):
    text = '\ufeff{"prompt": "2+2?", "equals": "4"}\r\n\n{"prompt": "Hi", "matches": "(?i)hello"}\n'

    assert questions(tmp_path, text) == (
        Question(prompt="2+2?", equals="4"),
        Question(prompt="Hi", matches="(?i)hello"),
    )


def test_how_a_dataset_is_written_does_not_change_it(tmp_path: Path):
    one = questions(tmp_path, '{"prompt": "é", "equals": "4"}\n')
    other = questions(tmp_path, '\n{"equals":"4",  "prompt": "\\u00e9"}')

    assert dataset_text(one) == dataset_text(other)
    assert json.loads(dataset_text(one)) == {"prompt": "é", "equals": "4"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "a list of 1"),
        ('{"prompt": "x"}', "no expected answer"),
        ('{"prompt": "x", "equals": "y", "contains": "z"}', "equals and contains"),
        ('{"prompt": "x", "matches": "("}', "a regular expression that is none"),
        ('{"prompt": "", "equals": "y"}', "''"),
        ('{"prompt": "x", "equals": 4}', "4"),
        ('{"prompt": "x", "answer": "y"}', "an unknown key"),
        ('{"equals": "y"}', "nothing"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(tmp_path: Path, line: str, found: str):
    with pytest.raises(InputError) as caught:
        questions(tmp_path, '{"prompt": "x", "equals": "y"}\n' + line + "\n")

    (problem,) = caught.value.problems
    assert problem.field.startswith("line 2")
    assert problem.file.endswith("questions.jsonl")
    assert found in problem.found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "no question"),
        ("\n\n", "no question"),
        (b"\xff\xfe", "not UTF-8"),
        ('{"prompt": "x", "equals": "y"}\n' * (MAX_BYTES // 30), "bytes"),
    ],
)
def test_a_file_that_is_no_dataset_is_named_where_the_stack_names_it(
    tmp_path: Path, content: str | bytes, found: str
):
    with pytest.raises(InputError) as caught:
        questions(tmp_path, content)

    (problem,) = caught.value.problems
    assert (problem.file, problem.field) == (PLACE.file, PLACE.path)
    assert found in problem.found


def test_a_dataset_that_is_not_there_is_one_error(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_dataset(tmp_path / "none.jsonl", PLACE)
