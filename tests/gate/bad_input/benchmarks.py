"""Benchmarks of something else, and figures that no hardware reaches."""

from tests.factories import own_node
from tests.gate.bad_input import Wrong

M = "models[0]."
BENCHMARK = M + "benchmark."
CONTEXT = M + "workload.max_input_tokens"


def measured(what: str, field: str, wrong: object, allowed: str) -> Wrong:
    """One field of the benchmark that is not about what is deployed."""
    found = f"{wrong:g}" if isinstance(wrong, float) else str(wrong)
    changes = {BENCHMARK + field: wrong}
    return Wrong(what, BENCHMARK + field, found, changes=changes, allowed=allowed)


BENCHMARKS = (
    measured("another precision", "precision", "fp8", "bf16, as deployed"),
    measured("another GPU", "gpu", "h200-sxm-141gb", "h100-sxm-80gb, as deployed"),
    measured("another number of GPUs", "gpus", 2, "1, as deployed"),
    measured("another revision", "revision", "0123abc", "b968826d9c46"),
    measured("longer inputs", "input_tokens", 1281.0, "within 25% of the workload's 1024"),
    measured("shorter outputs", "output_tokens", 95.0, "within 25% of the workload's 128"),
    measured("a first token too late", "ttft_p99_ms", 2000.5, "up to the promised 2000 ms"),
    measured("tokens too slow", "tpot_p50_ms", 50.5, "up to the promised 50 ms"),
    measured("hits that production lacks", "prefix_cache_hit_fraction", 0.3, "up to 0"),
    measured("an impossible throughput", "total_tokens_per_second", 99_999, "up to the ideal")._replace(
        found="99,999, 2.14 of the ideal"
    ),
    measured("tokens a month for a second", "total_tokens_per_second", 7.1e10, "up to 1e+09")._replace(
        found="71000000000"
    ),
    Wrong(
        "weights that do not fit",
        CONTEXT,
        "73.3 GiB usable on 1 x h100-sxm-80gb less 131.4 GiB of weights hold 0",
        changes={M + "weights.id": "meta-llama/Llama-3.3-70B-Instruct"},
        remedy="more or larger GPUs",
    ),
    Wrong(
        "a context that does not fit beside the weights",
        CONTEXT,
        "16,384 tokens of context",
        changes={
            M + "pool.node": own_node(1, gpu="l4-24gb"),
            BENCHMARK + "gpu": "l4-24gb",
            M + "serving.gpu_memory_utilization": 0.7,
        },
        allowed="up to",
    ),
    Wrong(
        "a context longer than the model's",
        CONTEXT,
        "42,048 tokens of context",
        changes={CONTEXT: 40_000},
        allowed="the model's 40,960",
    ),
    Wrong(
        "GPUs that the heads do not divide over",
        M + "pool.gpus_per_replica",
        "3; Qwen/Qwen3-8B has 32 attention heads",
        changes={
            M + "pool.node": own_node(40, gpus=6),
            M + "pool.gpus_per_replica": 3,
            BENCHMARK + "gpus": 3,
        },
        allowed="1, 2",
    ),
)  # fmt: skip
