"""A secret of a wrong form is told by its name before anything exists; its value never is."""

import re

import pytest

from components.secrets import Needed, needed_secrets, stack_secrets
from stacks.errors import InputError
from stacks.stack import Stack
from stacks.target import Kubernetes, Render, Target
from tests.factories import a_stack

LIVE = Kubernetes(kind="kubernetes", context="c")
RENDERED = Render(kind="render", directory="out")
STACK = Stack.model_validate(a_stack({"observability.langfuse": {"kind": "none"}}))


def a_value(needed: Needed) -> str:
    return needed.make() if needed.make else "a-value-that-is-given"


VALUES = {needed.name: a_value(needed) for needed in needed_secrets(STACK)}


CLIENTS = tuple(f"key-{key.alias}" for key in STACK.gateway.keys)


def refused(changes: dict[str, str], target: Target = LIVE) -> InputError:
    with pytest.raises(InputError) as told:
        stack_secrets(STACK, VALUES | changes, file="s.yaml", target=target)
    return told.value


@pytest.mark.parametrize("name", ["engine-key", "engine-key-next"])
@pytest.mark.parametrize("value", ["-begins-with-a-dash", "short", "has a blank within its value"])
def test_an_engine_key_that_vllm_would_not_read_is_refused(name: str, value: str):
    error = str(refused({name: value}))

    assert f"config.breakeven:secrets.{name}" in error
    assert "not beginning with -" in error
    assert value not in error


def test_a_second_engine_key_is_known_where_it_is_set_and_never_asked_for():
    both = VALUES | {"engine-key-next": "a-second-key-of-the-engines"}

    assert "engine-key-next" not in stack_secrets(STACK, VALUES, file="s.yaml", target=LIVE)
    assert stack_secrets(STACK, both, file="s.yaml", target=LIVE) == both


def test_what_is_made_up_has_the_form_that_is_asked():
    for needed in needed_secrets(Stack.model_validate(a_stack())):
        if needed.make:
            assert all(re.fullmatch(needed.form, needed.make()) for _ in range(200)), needed.name


def test_the_placeholder_of_a_rendered_stack_opens_nothing_on_a_live_one():
    error = str(refused({"engine-key": "replace-me-engine-key-and-more"}))

    assert "a placeholder" in error


def test_a_gateway_that_is_rendered_without_keys_lets_nobody_in():
    assert set(CLIENTS).isdisjoint(stack_secrets(STACK, {}, file="s.yaml", target=RENDERED))
    assert "a placeholder" in str(refused({CLIENTS[0]: f"replace-me-{CLIENTS[0]}"}, RENDERED))


@pytest.mark.parametrize("target", [LIVE, RENDERED], ids=["live", "rendered"])
def test_a_key_that_is_short_or_another_clients_is_refused_on_every_target(target: Target):
    first, second = CLIENTS[:2]

    assert "at least 22, random" in str(refused({first: "less-than-22-letters"}, target))
    assert f"the value of {first} again" in str(refused({second: VALUES[first]}, target))
