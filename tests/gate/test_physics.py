"""What physics allows: memory by hand, the roofline by hand, and a prefix cache's credit."""

from typing import get_args

import pytest

from gate import facts, physics
from gate.findings import Level
from stacks.serving import KvPrecision, Precision
from tests.factories import Changes, decide_plain, own_node

M = "models[0]."
Q = M + "benchmark.total_tokens_per_second"


def test_every_precision_of_a_stack_has_its_bytes_and_its_arithmetic():
    assert set(physics.BYTES_PER_WEIGHT) == set(get_args(Precision))
    assert set(physics.BYTES_PER_KV_ELEMENT) == set(get_args(KvPrecision))
    assert all(physics.dense_flops({"bf16": 100.0}, each) > 0 for each in get_args(Precision))


@pytest.mark.parametrize(
    ("precision", "tflops"),
    [("bf16", 989), ("fp8", 1979), ("int8", 1978), ("int4", 989), ("fp4", 1979)],
)
def test_an_h100_computes_dense_and_widens_what_it_has_no_units_for(precision, tflops):
    gpu = facts.gpu("h100-sxm-80gb")

    assert physics.dense_flops(gpu.dense_tflops, precision) == tflops * 1e12


@pytest.mark.parametrize(
    ("gpus", "copies"),
    [(1, 1), (8, 1), (16, 2)],
)
def test_a_token_of_llama_8b_holds_131072_bytes_and_heads_are_copied_past_their_number(
    gpus, copies
):
    held = physics.kv_bytes_per_token(
        layers=32, elements_per_layer=2 * 8 * 128, kv_heads=8, precision="bf16", gpus=gpus
    )

    assert held == copies * 131_072


SILICON = physics.Silicon(memory_bytes=16e9, bytes_per_second=1e12, dense_flops=1e14)
NETWORK = physics.Network(
    weight_bytes=8e9, active_weight_bytes=8e9, active_parameters=4e9, kv_bytes_per_token=1e5
)


def test_memory_less_weights_is_the_cache():
    assert physics.kv_tokens(SILICON, NETWORK) == 80_000


def test_the_roofline_by_hand():
    """80,000 tokens of cache hold 80 requests of 900 + 100; a step of them moves 16 GB in 16 ms.

    A prefill computes 2 x 4e9 x 900 / 1e14 = 72 ms; a request has 200 steps.
    """
    speed = physics.ideal_tokens_per_second(
        SILICON, NETWORK, input_tokens=900, cached=0, output_tokens=200
    )
    steps = 80 / (0.016 + 80 / 200 * 0.072)

    assert speed == pytest.approx(steps * 1100 / 200)


def test_a_cached_prefix_saves_its_prefill_alone():
    speed = physics.ideal_tokens_per_second(
        SILICON, NETWORK, input_tokens=900, cached=1, output_tokens=200
    )

    assert speed == pytest.approx(80 / 0.016 * 1100 / 200)


def test_more_weights_than_memory_hold_no_cache():
    heavy = NETWORK._replace(weight_bytes=17e9)

    assert physics.kv_tokens(SILICON, heavy) == -10_000


def test_what_is_published_weighs_what_it_weighs():
    """gpt-oss-120b is 60.8 GiB on disk, not half a byte times its parameters: embeddings are wide."""
    model: Changes = {
        M + "weights.id": "openai/gpt-oss-120b",
        M + "weights.precision": "fp4",
        M + "benchmark.precision": "fp4",
    }
    served = decide_plain(model).cases[0].served

    assert served.weight_gib == pytest.approx(60.8)
    requantised = {**model, M + "weights.precision": "bf16", M + "benchmark.precision": "bf16"}
    eight = {M + "pool.node": own_node(40, gpus=8), M + "pool.gpus_per_replica": 8}
    wide = decide_plain({**requantised, **eight, M + "benchmark.gpus": 8}).cases[0].served
    assert wide.weight_gib == pytest.approx(116_829_156_672 * 2 / 2**30)


@pytest.mark.parametrize(
    ("share_of_ideal", "level"),
    [
        (0.29, Level.ADVISORY),
        (0.31, None),
        (0.84, None),
        (0.86, Level.ADVISORY),
        (0.999, Level.ADVISORY),
        (1.001, Level.BLOCKING),
    ],
)
def test_a_throughput_is_plausible_from_30_to_85_percent_and_impossible_above_all(
    share_of_ideal, level
):
    ideal = decide_plain().cases[0].served.ideal_tokens_per_second
    findings = decide_plain({Q: ideal * share_of_ideal}).findings
    levels = [f.level for f in findings if f.problem.field == Q]

    assert levels == ([level] if level else [])


@pytest.mark.parametrize(
    ("expected", "measured", "prefill", "throughput"),
    [
        (0.5, 0, 0.4, 20_000 / (1 - 0.4 * 0.5)),
        (0.5, 0.2, 0.4, 20_000 / (1 - 0.4 * (0.5 - 0.2) / (1 - 0.2))),
        (0.5, 0.5, 0.4, 20_000),
        (1, 0, 0.4, 20_000 / (1 - 0.4)),
        (0.5, 0, None, 20_000),
    ],
)
def test_a_prefix_cache_is_credited_with_the_prefill_it_saves(
    expected, measured, prefill, throughput
):
    decision = decide_plain({
        M + "workload.prefix_cache_hit_fraction": expected,
        M + "benchmark.prefix_cache_hit_fraction": measured,
        M + "benchmark.prefill_time_fraction": prefill,
    })  # fmt: skip
    told = [f for f in decision.findings if "no credit is given" in f.problem.found]

    assert decision.cases[0].served.tokens_per_second == pytest.approx(throughput)
    assert bool(told) is (prefill is None)
