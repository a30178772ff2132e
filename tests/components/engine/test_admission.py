"""What a replica holds before it answers 503."""

from typing import Any

import pytest

from components.engine.admission import queued_requests, queued_tokens, requests_per_replica
from tests.components.engine.models import a_model

# 10 requests/s of 900 + 100 tokens; 0.5 s to the first token and 100 x 0.015 s: 2 s each.
ROUND = {
    "benchmark.total_tokens_per_second": 10_000,
    "benchmark.input_tokens": 900,
    "benchmark.output_tokens": 100,
    "benchmark.ttft_p99_ms": 500,
    "benchmark.tpot_p50_ms": 15,
}
COOLDOWN = {"cooldown_seconds": 1800}


@pytest.mark.parametrize(
    ("changes", "in_flight"),
    [
        (ROUND, 20.0),
        (ROUND | {"benchmark.total_tokens_per_second": 20_000}, 40.0),
        (ROUND | {"serving.scaling": COOLDOWN | {"requests_per_replica": 12}}, 12.0),
        ({}, 82.124),
    ],
)
def test_requests_in_flight_by_littles_law(changes: dict[str, Any], in_flight: float):
    assert requests_per_replica(a_model(**changes)) == pytest.approx(in_flight, abs=0.001)


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        (ROUND, 40),
        (ROUND | {"serving.scaling": COOLDOWN | {"requests_per_replica": 12.2}}, 25),
        (ROUND | {"serving.max_queued_requests": 7}, 7),
    ],
)
def test_twice_as_many_are_held_unless_declared(changes: dict[str, Any], held: int):
    assert queued_requests(a_model(**changes)) == held


@pytest.mark.parametrize(
    ("ttft_ms", "tokens"),
    [
        (2000, 18_000),  # 9,000 input tokens/s for 2 s
        (4000, 36_000),
        (1000, 16_384),  # 9,000 would not hold the longest input
    ],
)
def test_the_input_that_is_read_in_time_waits_and_always_the_longest(ttft_ms: float, tokens: int):
    changes = ROUND | {"workload.slo.ttft_p99_ms": ttft_ms}

    assert queued_tokens(a_model(**changes)) == tokens
