"""Which images must lie in the registry of the stack's own account, and under which names."""

import pytest

from components.images import PLACEHOLDER_DIGEST
from components.needed_images import every_image, field_of
from components.own_registry import own_image, registry_problems, repositories, repository_of
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.components.aws.registered import declared
from tests.factories import Changes

FILE = "stacks/Pulumi.regulated.yaml"
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
ENGINE = "models[0].serving.image"


def a_stack(changes: Changes | None = None, name: str = "regulated") -> Stack:
    return parse_stack(declared(name, changes), file=FILE)


def copied(changes: Changes | None = None) -> Stack:
    """Return the regulated stack with every image under its name in the own registry."""
    stack = a_stack(changes)
    own = {field_of(path): own_image(stack, "regulated", path) for path in every_image(stack)}
    parts = {field.partition(".")[2]: i for field, i in own.items() if field.startswith("images.")}
    return a_stack({**(changes or {}), "images": parts, ENGINE: own[ENGINE]})


def fields(stack: Stack) -> set[str]:
    return {each.field for each in registry_problems(stack, file=FILE)}


def test_every_image_of_a_closed_stack_must_be_copied_to_its_own_registry():
    stack = a_stack({"images": {}, ENGINE: f"vllm/vllm-openai:v0.33.0@{PLACEHOLDER_DIGEST}"})

    assert fields(stack) == {field_of(path) for path in every_image(stack)}
    assert {"images.envoy", "images.nvidia-device-plugin", ENGINE} <= fields(stack)
    assert fields(copied()) == set()


@pytest.mark.parametrize(
    ("field", "image"),
    [
        ("images.envoy", f"envoyproxy/envoy:v1@{PLACEHOLDER_DIGEST}"),
        ("images.envoy", f"999999999999.dkr.ecr.us-east-1.amazonaws.com/a@{PLACEHOLDER_DIGEST}"),
        ("images.envoy", f"{HOST}.example.com/envoy@{PLACEHOLDER_DIGEST}"),
        (ENGINE, f"vllm/vllm-openai:v0.33.0@{PLACEHOLDER_DIGEST}"),
    ],
)
def test_one_that_is_elsewhere_is_named_with_what_to_do(field: str, image: str):
    own = copied()
    changes: dict[str, object] = {"images": dict(own.images), ENGINE: own.models[0].serving.image}
    (problem,) = registry_problems(a_stack({**changes, field: image}), file=FILE)

    assert problem.field == field
    assert problem.allowed == f"an image in {HOST}/, by its digest"
    assert "tools/copy_images.py" in problem.remedy


@pytest.mark.parametrize(
    ("name", "changes", "closed"),
    [
        ("prod", {}, False),
        ("prod", {"target.registry": {"gib": 60}}, True),
        ("demo", {}, False),
    ],
)
def test_others_take_their_images_from_where_they_are_unless_they_declare_a_registry(
    name: str, changes: Changes, closed: bool
):
    assert bool(fields(a_stack(changes, name))) is closed


def test_each_part_has_a_repository_under_the_name_of_the_cluster():
    found = repositories(a_stack(), "regulated")

    assert found["envoy"] == "breakeven-regulated/envoy"
    assert found["vllm-openai"] == "breakeven-regulated/vllm-openai"
    assert len(found) == len(every_image(a_stack()))


def test_tag_and_digest_stay():
    image = own_image(a_stack(), "regulated", ("models", 0, "serving", "image"))

    assert image == f"{HOST}/breakeven-regulated/vllm-openai:v0.33.0@{PLACEHOLDER_DIGEST}"
    assert own_image(copied(), "regulated", ("models", 0, "serving", "image")) == image


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("redis:7@sha256:0", "redis"),
        ("localhost:5000/redis", "localhost:5000/redis"),
        ("localhost:5000/a/redis:7@sha256:0", "localhost:5000/a/redis"),
        ("a.example/b@sha256:0", "a.example/b"),
    ],
)
def test_a_port_is_no_tag(image: str, repository: str):
    assert repository_of(image) == repository
