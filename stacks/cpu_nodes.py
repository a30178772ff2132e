"""What must hold between a node, with GPUs or without, and what is served on it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from stacks.errors import ContradictionError
from stacks.pool import CpuNode
from stacks.purchase import OnDemand
from stacks.sources import S3Source

if TYPE_CHECKING:
    from stacks.stack import ServedModel

FOR_GPUS: Final = "vllm-openai"
FOR_CPUS: Final = "vllm-openai-cpu"
"""The repositories of vLLM's images; one that bears another name is taken as it is."""


def processor_problems(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    """Yield an image of the other kind, and what nodes without a GPU do not have."""
    on_cpu = isinstance(model.pool.node, CpuNode)
    right, wrong = (FOR_CPUS, FOR_GPUS) if on_cpu else (FOR_GPUS, FOR_CPUS)
    if _repository(model.serving.image) == wrong:
        yield ContradictionError(
            field=f"{place}.serving.image",
            found=f"{wrong}, with pool.node.kind: {model.pool.node.kind}",
            allowed=f"{right}, or an image of your own",
            remedy="name the build for what the pool's nodes compute with",
        )
    if on_cpu:
        yield from _without_gpus(place, model)


def _without_gpus(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    weights, serving, purchase = model.weights, model.serving, model.pool.purchase
    if weights.precision in ("fp8", "fp4"):
        yield _not_here(f"{place}.weights.precision", weights.precision, "bf16, int8, int4")
    if weights.kv_cache_precision == "fp8":
        yield _not_here(f"{place}.weights.kv_cache_precision", "fp8", "bf16")
    if serving.spare_gpus_for_rollout:
        spare = f"{serving.spare_gpus_for_rollout}"
        yield _not_here(f"{place}.serving.spare_gpus_for_rollout", spare, "0")
    if isinstance(serving.source, S3Source):  # its streamer is not in the image for CPUs
        yield _not_here(f"{place}.serving.source.kind", "s3", "hub, volume, image")
    if not isinstance(purchase, OnDemand):
        yield _not_here(f"{place}.pool.purchase.kind", purchase.kind, "on_demand")


def _not_here(field: str, found: str, allowed: str) -> ContradictionError:
    return ContradictionError(
        field=field,
        found=f"{found}, with pool.node.kind: cpu",
        allowed=allowed,
        remedy="take one of these, or declare a node with GPUs",
    )


def _repository(image: str) -> str:
    """Return the last part of an image's name, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
