"""How much memory a gateway pod has, and that it never asks for more. Pure."""

import math
from typing import Final

from components.gateway.pieces import Json, typed
from components.gateway.plan import GatewayPlan

BASE_MEMORY_GIB: Final = 0.5
HEAP_SHARE: Final = 0.85
"""Of the pod's memory; the rest is code, stacks, and what is freed and not yet given back."""
FULL, SHUT = 0.85, 0.95
"""Shares of the heap from which new requests are turned away, and new connections not taken."""
MONITOR: Final = "envoy.resource_monitors.fixed_heap"


def memory_gib(plan: GatewayPlan) -> float:
    """Return what a pod may use: every body of the keys' concurrent requests, kept twice, and itself."""
    bodies = sum(plan.concurrent(key) for key in plan.keys) * plan.largest_request_bytes
    return math.ceil(4 * (BASE_MEMORY_GIB + 2 * bodies / 2**30)) / 4


def overload_manager(plan: GatewayPlan) -> Json:
    """Return what turns requests away before the kernel ends the pod, and all its streams with it.

    A body is kept until it is whole: only then is it known which model it is for, and so its limits.
    Uploads that never end could otherwise be any number.
    """
    heap = typed(
        "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
        max_heap_size_bytes=int(memory_gib(plan) * HEAP_SHARE * 2**30),
    )
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [{"name": MONITOR, "typed_config": heap}],
        "actions": [
            _above(FULL, "shrink_heap"),
            _above(FULL, "disable_http_keepalive"),
            _above(FULL, "stop_accepting_requests"),
            # The first bytes of what is turned away take room too.
            _above(SHUT, "stop_accepting_connections"),
        ],
    }


def _above(share: float, action: str) -> Json:
    trigger = {"name": MONITOR, "threshold": {"value": share}}
    return {"name": f"envoy.overload_actions.{action}", "triggers": [trigger]}
