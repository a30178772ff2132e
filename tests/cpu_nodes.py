"""The declaration of a model on nodes without a GPU."""

from typing import Final

from tests.factories import Changes, Declaration

M: Final = "models[0]."
PROCESSOR: Final = "ryzen-7-7840u"
CPU_NODE: Final[Declaration] = {
    "kind": "cpu",
    "processor": PROCESSOR,
    "memory_bandwidth_gb_per_s": 89.6,
    "bf16_tflops": 2.6,
    "usd_per_hour": 0.01,
    "evidence": "electricity, 30 W at 0.30 USD/kWh",
    "checked": "2026-11-01",
}
ON_CPU: Final[Changes] = {
    M + "pool.node": CPU_NODE,
    M + "pool.gpus_per_replica": 0,
    M + "benchmark.gpu": PROCESSOR,
    M + "benchmark.gpus": 0,
    M + "serving.image": "vllm/vllm-openai-cpu@sha256:" + 64 * "b",
}
"""What moves a stack's model there."""
