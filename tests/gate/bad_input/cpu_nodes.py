"""What does not go together with a node without GPUs, or with one that has them."""

from tests.cpu_nodes import ON_CPU
from tests.factories import Changes
from tests.gate.bad_input import Wrong
from tests.gate.bad_input.together import COMMITTED, PURCHASE, M

DIGEST = "@sha256:" + 64 * "a"
THERE: Changes = {**ON_CPU, PURCHASE: {"kind": "on_demand"}}


def on_cpu(what: str, field: str, value: object, *, allowed: str) -> Wrong:
    """A value that goes with GPUs alone."""
    changes = {**THERE, M + field: value}
    return Wrong(what, M + field, f"{value}, with pool.node.kind: cpu", changes, allowed=allowed)


CPU_NODES = (
    Wrong(
        "a replica without GPUs on a node that has them",
        M + "pool.gpus_per_replica",
        "0, with node.kind: instance",
        changes={M + "pool.gpus_per_replica": 0},
        allowed="from 1",
    ),
    Wrong(
        "GPUs of a node without any",
        M + "pool.gpus_per_replica",
        "1, with node.kind: cpu",
        changes={**THERE, M + "pool.gpus_per_replica": 1},
        allowed="0 with node.kind: cpu",
    ),
    on_cpu("weights in a format that was not tried on CPUs", "weights.precision", "fp8",
           allowed="bf16, int8, int4"),
    on_cpu("a KV cache in a format that was not tried on CPUs", "weights.kv_cache_precision", "fp8",
           allowed="bf16"),
    on_cpu("spare GPUs of a node without any", "serving.spare_gpus_for_rollout", 1, allowed="0"),
    Wrong(
        "weights that the image for CPUs cannot stream",
        M + "serving.source.kind",
        "s3, with pool.node.kind: cpu",
        changes={**THERE, M + "serving.source": {"kind": "s3", "uri": "s3://models/qwen"}},
        allowed="hub, volume, image",
    ),
    Wrong(
        "a processor that is bought as a node with GPUs is",
        PURCHASE + ".kind",
        "reserved, with pool.node.kind: cpu",
        changes={**THERE, PURCHASE: COMMITTED | {"committed_nodes": 1}},
        allowed="on_demand",
    ),
    Wrong(
        "the image for GPUs on a node without any",
        M + "serving.image",
        "vllm-openai, with pool.node.kind: cpu",
        changes={**THERE, M + "serving.image": f"mirror.example:5000/vllm/vllm-openai:v1{DIGEST}"},
        allowed="vllm-openai-cpu",
    ),
    Wrong(
        "the image for CPUs on a node with GPUs",
        M + "serving.image",
        "vllm-openai-cpu, with pool.node.kind: instance",
        changes={M + "serving.image": f"vllm/vllm-openai-cpu{DIGEST}"},
        allowed="vllm-openai",
    ),
)  # fmt: skip
