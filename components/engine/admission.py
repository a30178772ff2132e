"""How much one replica holds before it answers 503, from what was measured. Pure.

Without a limit vLLM queues for ever: in an overload every answer is late, and the router never hears
that another replica is free. With one it is told at once, and tries the next.
"""

import math
from typing import Final

from stacks.stack import ServedModel

ROOM: Final = 2.0
"""Requests held over those served within the SLO: a burst waits as long as it would on a replica
that is yet to start, and no longer."""
MS_PER_S: Final = 1000.0


def requests_per_replica(model: ServedModel) -> float:
    """Return the requests in flight that one replica serves within the SLO, declared or measured.

    By Little's law, requests/s times the seconds that each takes. 27,159 tokens/s in requests of
    1024 + 128 are 23.58 requests/s; 1.953 s to the first token and 128 x 0.01196 s for the output
    are 3.483 s a request (the first is a 99th percentile, so rather too many than too few): 82.1.
    """
    scaling = model.serving.scaling
    if scaling and scaling.requests_per_replica:
        return scaling.requests_per_replica
    measured = model.benchmark
    tokens = measured.input_tokens + measured.output_tokens
    seconds = (measured.ttft_p99_ms + measured.output_tokens * measured.tpot_p50_ms) / MS_PER_S
    return measured.total_tokens_per_second / tokens * seconds


def queued_requests(model: ServedModel) -> int:
    """Return how many requests a replica holds at once, running and waiting; the next gets a 503.

    As declared, else twice the requests that it serves within the SLO.
    """
    declared = model.serving.max_queued_requests
    return declared or math.ceil(ROOM * requests_per_replica(model))


def queued_tokens(model: ServedModel) -> int:
    """Return how many input tokens may wait for their first answer; above that a request gets a 503.

    What was measured to be read within the promised time to the first token: more would be late. At
    least the longest input, so that it may follow another request and not only find an idle replica.
    24,141 input tokens/s (27,159 x 1024 / 1152) and a promise of 2 s: 48,282.
    """
    measured, workload = model.benchmark, model.workload
    share = measured.input_tokens / (measured.input_tokens + measured.output_tokens)
    in_time = measured.total_tokens_per_second * share * workload.slo.ttft_p99_ms / MS_PER_S
    return max(workload.max_model_len, math.floor(in_time))
