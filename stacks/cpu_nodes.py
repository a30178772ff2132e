"""What must hold for a model on nodes without a GPU."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from stacks.errors import ContradictionError
from stacks.pool import CpuNode

if TYPE_CHECKING:
    from stacks.stack import ServedModel

LEFT_GIB: Final = 2.0
"""For vLLM's API server and its scheduler, which run beside the worker in its pod: 0.81 and 0.78 GiB resident
once 0.33.0 was up on a CPU, measured 2026-11-22. The worker alone keeps to gpu_memory_utilization."""


def cpu_problems(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    """Yield what needs a GPU, and a worker that leaves no memory to who serves it."""
    if not isinstance(model.pool.node, CpuNode):
        return
    weights, serving = model.weights, model.serving
    if weights.precision in ("fp8", "fp4"):
        yield _needs_gpu(f"{place}.weights.precision", weights.precision, "bf16, int8, int4")
    if weights.kv_cache_precision == "fp8":
        yield _needs_gpu(f"{place}.weights.kv_cache_precision", "fp8", "bf16")
    if serving.spare_gpus_for_rollout:
        spare = f"{serving.spare_gpus_for_rollout}"
        yield _needs_gpu(f"{place}.serving.spare_gpus_for_rollout", spare, "0")
    taken, most = serving.gpu_memory_utilization, 1 - LEFT_GIB / serving.memory_gib
    if taken > most:
        yield ContradictionError(
            field=f"{place}.serving.gpu_memory_utilization",
            found=f"{taken:g} of {serving.memory_gib:g} GiB, with pool.node.kind: cpu",
            allowed=f"up to {most:.2f}, so that {LEFT_GIB:g} GiB are left"
            if most > 0
            else f"a serving.memory_gib above {LEFT_GIB:g}",
            remedy="lower it or raise serving.memory_gib: API server and scheduler run in that memory too",
        )


def _needs_gpu(field: str, found: str, allowed: str) -> ContradictionError:
    return ContradictionError(
        field=field,
        found=f"{found}, with pool.node.kind: cpu",
        allowed=allowed,
        remedy="take one of these, or declare a node with GPUs",
    )
