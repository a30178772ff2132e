"""Keys that stand in Secrets of the cluster: one value, or two while a key is rotated."""

import base64

import pulumi
import pytest

from components.gateway.existing import known_values
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
