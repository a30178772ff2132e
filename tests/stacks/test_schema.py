"""The schema that editors complete and check a stack file with."""

import copy
import json
from math import isfinite
from typing import Any

import jsonschema
import pytest
import yaml

from stacks.documentation import field_docstrings
from stacks.numbers import Declared
from stacks.reading import KNOWN_KEYS, PROJECT, read_stack
from stacks.schema import stack_file_schema
from tests.factories import STACKS, Changes, a_stack, own_node
from tests.gate.bad_input import Wrong
from tests.gate.bad_input.shape import KEYS, KINDS
from tests.gate.bad_input.values import VALUES
from tests.gate.test_decision_inputs import a_rich_stack, numbers_as_text

FILES = sorted(STACKS.glob("Pulumi.*.yaml"))
MODELS = [*Declared.__subclasses__()]
VALIDATOR = jsonschema.Draft202012Validator(stack_file_schema())


def mistakes(stack: object) -> list[str]:
    """Return where an editor would underline a stack."""
    document = json.loads(json.dumps({"config": {f"{PROJECT}:stack": stack}}))
    return [error.json_path for error in VALIDATOR.iter_errors(document)]


def test_the_checked_in_schema_is_current():
    written = json.loads((STACKS / "stack.schema.json").read_text(encoding="utf-8"))

    assert written == stack_file_schema(), "run: python -m gate schema > stacks/stack.schema.json"


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(stack_file_schema())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_stack_file_names_the_schema_in_its_first_line(file):
    first, *_ = file.read_text(encoding="utf-8").splitlines()

    assert first == "# yaml-language-server: $schema=stack.schema.json"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_stack_file_is_right_for_an_editor_and_for_the_gate(file):
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document = json.loads(json.dumps(document, default=str))

    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert read_stack(file).models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_says_what_it_means(model):
    documented = field_docstrings(model)
    silent = [name for name in model.model_fields if name != "kind" and not documented.get(name)]

    assert not silent, f"write a docstring below {', '.join(silent)} of {model.__name__}"
    assert model.__doc__, f"write a docstring for {model.__name__}"


def test_every_docstring_reaches_the_editor():
    definitions = stack_file_schema()["$defs"]
    for model in MODELS:
        properties = definitions.get(model.__name__, {}).get("properties", {})
        for name, text in field_docstrings(model).items():
            assert not properties or properties[name]["description"] == text


def test_no_definition_is_left_with_bounds_that_no_editor_knows():
    unknown = {"ge", "le", "gt", "lt"} & set(keywords(stack_file_schema()))

    assert not unknown, "name them as JSON schema does, in stacks/schema.py"


def keywords(value: Any) -> list[str]:
    """Return every key at every level."""
    if isinstance(value, dict):
        return [*value, *(key for content in value.values() for key in keywords(content))]
    return (
        [key for content in value for key in keywords(content)] if isinstance(value, list) else []
    )


def test_the_keys_of_the_project_are_those_the_gate_reads():
    keys = stack_file_schema()["properties"]["config"]["properties"]

    assert set(keys) == {f"{PROJECT}:{key}" for key in KNOWN_KEYS}


def test_numbers_that_pulumi_wrote_as_text_are_not_underlined():
    stack = a_rich_stack()

    assert mistakes(stack) == []
    assert mistakes(numbers_as_text(stack)) == []


M = "models[0]."
UNDERLINED: list[tuple[Changes, str]] = [
    ({"purpos": 1}, ""),
    ({M + "pool.replicas.max": 0}, ".models[0].pool.replicas.max"),
    ({M + "workload.load.kind": "spiky"}, ".models[0].workload.load"),
    ({M + "hosted.negotiated.input_usd_per_mtok": 2e-7}, ".models[0].hosted.negotiated"),
    ({M + "workload.growth_per_month": -1}, ".growth_per_month"),
    ({M + "pool.node": own_node(5) | {"gpus": 1.5}}, ".pool.node"),
    ({"gate.on_below_break_even": "ignore"}, ".on_below_break_even"),
]


@pytest.mark.parametrize(("changes", "place"), UNDERLINED)
def test_an_editor_underlines_the_place_that_is_wrong(changes, place):
    [found] = mistakes(a_stack(changes)) or ["nothing"]

    assert place in found


def seen_by_an_editor(wrong: Wrong) -> bool:
    """Return whether JSON can hold what is wrong; text may stand in place of a number."""
    [value] = [*(wrong.changes or {}).values()][-1:]
    return not isinstance(value, str) and not (isinstance(value, float) and not isfinite(value))


EDITED = [wrong for wrong in (*VALUES, *KEYS, *KINDS) if seen_by_an_editor(wrong)]


@pytest.mark.parametrize("wrong", EDITED, ids=[wrong.what for wrong in EDITED])
def test_what_the_gate_refuses_an_editor_underlines(wrong):
    stack = a_stack(wrong.changes)

    assert mistakes(copy.deepcopy(stack)), f"an editor sees nothing wrong in {wrong.field}"
