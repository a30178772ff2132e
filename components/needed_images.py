"""Which images a stack needs beside those that its models name themselves."""

from typing import Final

from components.observability.parts import observability_images
from stacks.stack import Stack

GATEWAY_IMAGES: Final = frozenset({"envoy", "ratelimit", "redis", "vllm-router"})
"""Every stack has a gateway and routers."""


def needed_images(stack: Stack) -> frozenset[str]:
    """Return the names in images.yaml of the parts that the stack deploys."""
    return GATEWAY_IMAGES | observability_images(stack)
