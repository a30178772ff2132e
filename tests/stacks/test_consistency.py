"""Parts of a stack that are declared apart and must go together."""

from typing import Any

import pytest

from stacks.errors import InputError, Problem
from stacks.names import PARTS
from stacks.reading import parse_stack
from tests.factories import a_plain_stack, a_stack, another_model


def refused(stack: dict[str, Any]) -> Problem:
    with pytest.raises(InputError) as caught:
        parse_stack(stack, file="x.yaml")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_model_has_no_name_of_a_part(name: str):
    problem = refused(a_stack({"models[0].name": name}))

    assert problem.field == "models[0].name"
    assert problem.found == f"{name}, which is the name of a part of every stack"
    assert problem.remedy.startswith("rename the model")


@pytest.mark.parametrize("order", [("chat", "chat-router"), ("chat-router", "chat")])
def test_a_model_has_no_name_of_anothers_router(order: tuple[str, str]):
    first, second = order
    changes = {"models[0].name": first, "models[1]": another_model(second)}
    problem = refused(a_plain_stack(changes))

    assert problem.field == f"models[{order.index('chat-router')}].name"
    assert problem.found == "chat-router, which is the name of the router of chat"


def test_a_router_that_no_other_model_has_is_a_name_like_any():
    assert parse_stack(a_stack({"models[0].name": "chat-router"}), file="x.yaml").models


SLEEPS = {
    "models[0].pool.replicas.min": 0,
    "gateway.longest_request_seconds": 100,
    "models[0].serving.scaling": {"cooldown_seconds": 1800},
    "models[0].serving.hold_seconds": 500,
}


@pytest.mark.parametrize(("silence", "fits"), [(600, True), (599, False), (501, False)])
def test_a_held_request_may_be_silent_for_as_long_as_its_answer_takes(silence: int, fits: bool):
    stack = a_stack(SLEEPS | {"gateway.longest_silence_seconds": silence})
    if fits:
        assert parse_stack(stack, file="x.yaml").models
        return
    problem = refused(stack)
    assert problem.field == "gateway.longest_silence_seconds"
    assert problem.allowed == "from 600"


def test_where_nothing_is_held_silence_may_be_shorter_than_an_answer():
    changes = {"gateway.longest_request_seconds": 100, "gateway.longest_silence_seconds": 30}

    assert parse_stack(a_stack(changes), file="x.yaml").models


@pytest.mark.parametrize(
    ("field", "most"),
    [
        ("gateway.longest_request_seconds", 86_400),
        ("gateway.longest_silence_seconds", 86_400),
        ("gateway.keys[0].concurrent_requests", 100_000),
    ],
)
def test_seconds_and_requests_of_the_gateway_have_a_bound(field: str, most: int):
    drains = {"models[0].serving.drain_seconds": 86_400}
    assert parse_stack(a_stack(drains | {field: most}), file="x.yaml").models

    problem = refused(a_stack(drains | {field: most + 1}))

    assert problem.field == field
    assert (
        problem.allowed.replace("8.64e+04", "86400").replace("1e+05", "100000").endswith(str(most))
    )
