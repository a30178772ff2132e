"""Keys that stand in Secrets of the cluster: one value, or two while a key is rotated."""

import base64

import pulumi
import pytest

from components.gateway.existing import all_values, known_values
from stacks.gateway import GatewayKey

GOOD, OTHER = "a" * 22, "b" * 22
KEY = GatewayKey(
    alias="web",
    team="t",
    models=("m",),
    requests_per_minute=1,
    tokens_per_minute=1,
    concurrent_requests=1,
    residency="open",
    existing_secret="web-key",
)


def held(**values: str) -> dict[str, str]:
    return {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (held(key=GOOD), {"key-web": GOOD}),
        (held(key=GOOD, next=OTHER), {"key-web": GOOD, "key-web-next": OTHER}),
        (held(key=GOOD, more="x"), {"key-web": GOOD}),
    ],
)
def test_it_is_known_as_a_secret_of_the_stack_would_be(data, values):
    assert known_values(KEY, data) == values


@pytest.mark.parametrize(
    ("data", "field", "found"),
    [
        ({}, "data.key", "none"),
        (held(next=OTHER), "data.key", "none"),
        (held(key=GOOD + "\n"), "data.key", "other characters"),
        (held(key=GOOD, next="b"), "data.next", "1 characters"),
        (held(key=GOOD, next=GOOD), "data.next", "again"),
    ],
)
def test_a_wrong_one_is_named_by_its_secret_and_never_shown(data, field, found):
    with pytest.raises(pulumi.RunError) as told:
        known_values(KEY, data)

    assert f"Secret web-key: {field}: found" in str(told.value)
    assert found in str(told.value)
    assert GOOD not in str(told.value)


IN_CLUSTER = KEY.model_copy(update={"alias": "batch", "existing_secret": "batch-key"})
OF_STACK = KEY.model_copy(update={"alias": "own", "existing_secret": None})
KEYS = (KEY, IN_CLUSTER, OF_STACK)


def test_all_values_of_a_stack_are_known_by_name():
    own, existing = {"key-own": "o" * 22, "engine-key": "e"}, {"key-web": GOOD, "key-batch": OTHER}

    assert all_values(KEYS, own, existing) == own | existing


def test_of_a_key_in_the_cluster_nothing_else_counts():
    own = {"key-web": "weak", "key-web-next": "weak", "key-own": "o" * 22}

    assert all_values(KEYS, own, {"key-web": GOOD}) == {"key-web": GOOD, "key-own": "o" * 22}


@pytest.mark.parametrize(
    ("existing", "place", "other"),
    [
        ({"key-web": GOOD, "key-batch": GOOD}, "Secret batch-key: key of batch", "web"),
        ({"key-web": GOOD, "key-batch-next": GOOD}, "Secret batch-key: key of batch", "web"),
        ({"key-web": "o" * 22, "key-batch": GOOD}, "the stack's secrets: key of own", "web"),
        ({"key-web": OTHER, "key-batch": "n" * 22}, "the stack's secrets: key of own", "batch"),
    ],
)
def test_one_value_is_never_two_keys_wherever_they_stand(existing, place, other):
    own = {"key-own": "o" * 22, "key-own-next": "n" * 22}

    with pytest.raises(pulumi.RunError) as told:
        all_values(KEYS, own, existing)

    assert str(told.value).startswith(f"{place}: found a value of {other} again")
    assert all(value not in str(told.value) for value in (*own.values(), *existing.values()))
