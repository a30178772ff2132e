"""How many requests in flight one replica serves within the SLO. Pure."""

from stacks.pool import Benchmark
from stacks.stack import ServedModel


def requests_per_replica(model: ServedModel) -> float:
    """Return the requests in flight that one replica serves within the SLO: declared, or measured."""
    scaling = model.serving.scaling
    declared = scaling.requests_per_replica if scaling else None
    return requests_in_flight(model.benchmark) if declared is None else declared


def requests_in_flight(benchmark: Benchmark) -> float:
    """Return the requests that were in flight during a benchmark, by Little's law.

    Rate times time: total_tokens_per_second / (input + output tokens), times ttft_p99 + output
    tokens x tpot_p50. 27159.118 / 1152 x (1.95256 + 128 x 0.01196) = 82.1, where the publication
    says that 80 users asked at once.
    """
    tokens = benchmark.input_tokens + benchmark.output_tokens
    requests_per_s = benchmark.total_tokens_per_second / tokens
    in_flight_s = (benchmark.ttft_p99_ms + benchmark.output_tokens * benchmark.tpot_p50_ms) / 1000
    return requests_per_s * in_flight_s
