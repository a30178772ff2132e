"""Which images a stack needs beside those that its models name themselves."""

from collections.abc import Iterator
from typing import Final

from components.eks.needed import cluster_images
from components.images import locked_images
from components.observability.parts import observability_images
from stacks.evaluation import CommandEvaluation
from stacks.stack import Stack

ImagePath = tuple[str | int, ...]
"""Where an image stands in a stack file: ("models", 0, "serving", "image")."""

GATEWAY_IMAGES: Final = frozenset({"envoy", "ratelimit", "redis", "vllm-router"})
"""Every stack has a gateway and routers."""


def needed_images(stack: Stack) -> frozenset[str]:
    """Return the names in images.yaml of the parts that the stack deploys."""
    return GATEWAY_IMAGES | observability_images(stack) | cluster_images(stack)


def every_image(stack: Stack) -> dict[ImagePath, str]:
    """Return every image that the stack needs, by where it stands or would stand in its file."""
    known, needed = {**locked_images(), **stack.images}, needed_images(stack)
    parts: dict[ImagePath, str] = {("images", n): known[n] for n in known if n in needed}
    return parts | dict(_of_models(stack))


def _of_models(stack: Stack) -> Iterator[tuple[ImagePath, str]]:
    for index, model in enumerate(stack.models):
        here = ("models", index, "serving")
        yield (*here, "image"), model.serving.image
        if isinstance(model.serving.evaluation, CommandEvaluation):
            yield (*here, "evaluation", "image"), model.serving.evaluation.image


def field_of(path: ImagePath) -> str:
    """Return a path as messages name it: models[0].serving.image."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)[1:]
