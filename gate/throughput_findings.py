"""Where the benchmark is not about this deployment, does not fit it, or is not possible."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Final

from gate import physics
from gate.findings import Finding, advisory, blocking, of_age
from gate.nodes import NodePlan
from gate.throughput import Throughput, model_shape
from stacks.errors import Place
from stacks.stack import ServedModel

LENGTH_TOLERANCE: Final = 0.25
"""Throughput moves 26 times between shapes of one model on one GPU; a quarter either way is the same."""
BESIDE_WORKER_GIB: Final = 2.0
"""For vLLM's API server and scheduler on a CPU: 0.81 and 0.78 GiB resident once 0.33.0 was up with a
model of 0.4 M weights on x86-64, measured 2026-11-22. Its worker takes gpu_memory_utilization of the pod's
limit, and does not start if so much is not left; pages of the weights' files count as taken."""
BENCHMARK_MAX_AGE_DAYS: Final = 365
"""Engines get faster: an old figure understates them, and says nothing of today's version."""


def throughput_findings(
    model: ServedModel, served: Throughput, nodes: NodePlan, place: Place, *, as_of: date
) -> Iterator[Finding]:
    """Yield where the benchmark is not about this deployment, or not possible."""
    here = place.at("benchmark")
    yield from _same_deployment(model, nodes, here)
    yield from _fits(model, served, nodes, place)
    if served.kv_tokens >= model.workload.max_model_len:  # else there is no throughput to speak of
        yield from _possible(served, here)
    measured = model.benchmark.measured_on
    yield from of_age(
        here.at("measured_on"), checked=measured, as_of=as_of, max_age_days=BENCHMARK_MAX_AGE_DAYS
    )


def _same_deployment(model: ServedModel, nodes: NodePlan, place: Place) -> Iterator[Finding]:
    benchmark, workload = model.benchmark, model.workload
    expected = {
        "precision": (benchmark.precision, model.weights.precision),
        "revision": (benchmark.revision, model.weights.revision),
        "gpu": (benchmark.gpu, nodes.chip.name),
        "gpus": (benchmark.gpus, nodes.gpus_per_replica),
    }
    for field, (found, wanted) in expected.items():
        if found != wanted:
            yield blocking(
                place.at(field),
                found=f"{found}",
                allowed=f"{wanted}, as deployed",
                remedy="measure what is deployed, or deploy what was measured",
            )
    lengths = {
        "input_tokens": (benchmark.input_tokens, workload.input_tokens_per_request),
        "output_tokens": (benchmark.output_tokens, workload.output_tokens_per_request),
    }
    for field, (length, wanted_length) in lengths.items():
        if abs(length - wanted_length) > LENGTH_TOLERANCE * wanted_length:
            yield blocking(
                place.at(field),
                found=f"{length:g}",
                allowed=f"within {LENGTH_TOLERANCE:.0%} of the workload's {wanted_length:g}",
                remedy="measure at the workload's lengths: throughput follows them",
            )
    yield from _within_slo(model, place)
    yield from _cache_credit(model, place)


def _within_slo(model: ServedModel, place: Place) -> Iterator[Finding]:
    slo, benchmark = model.workload.slo, model.benchmark
    observed = {
        "ttft_p99_ms": (benchmark.ttft_p99_ms, slo.ttft_p99_ms),
        "tpot_p50_ms": (benchmark.tpot_p50_ms, slo.tpot_p50_ms),
    }
    for field, (found, promised) in observed.items():
        if found > promised:
            yield blocking(
                place.at(field),
                found=f"{found:g} ms",
                allowed=f"up to the promised {promised:g} ms",
                remedy="take the throughput at which the SLO still holds, or promise less",
            )


def _cache_credit(model: ServedModel, place: Place) -> Iterator[Finding]:
    measured = model.benchmark.prefix_cache_hit_fraction
    expected = model.workload.prefix_cache_hit_fraction
    here = place.at("prefix_cache_hit_fraction")
    if measured > expected:
        yield blocking(
            here,
            found=f"{measured:g}, more than the workload's {expected:g}",
            allowed=f"up to {expected:g}",
            remedy="measure without the hits that production will not have",
        )
    elif measured < expected and model.benchmark.prefill_time_fraction is None:
        yield advisory(
            here,
            found=f"{measured:g}, less than the workload's {expected:g}: no credit is given",
            allowed="the workload's hit rate, or prefill_time_fraction",
            remedy="measure with production's prefixes; the throughput is understated",
        )


def _fits(
    model: ServedModel, served: Throughput, nodes: NodePlan, place: Place
) -> Iterator[Finding]:
    shape, chips = model_shape(model, place), nodes.chips_per_replica
    needed = model.workload.max_model_len
    if served.kv_tokens < needed:
        room = max(0.0, served.kv_tokens)
        yield blocking(
            place.at("workload.max_input_tokens"),
            found=f"{needed:,} tokens of context; {served.usable_gib:.1f} GiB usable on {chips} x "
            f"{nodes.chip.name} less {served.weight_gib:.1f} GiB of weights hold {room:,.0f}",
            allowed=f"up to {room:,.0f} tokens",
            remedy=f"{_more_memory(nodes)}, a smaller precision, or a shorter context",
        )
    if not nodes.gpus_per_node:
        yield from _left_of_the_pod(model, served, place)
    if needed > shape.max_position_embeddings:
        yield blocking(
            place.at("workload.max_input_tokens"),
            found=f"{needed:,} tokens of context",
            allowed=f"up to the model's {shape.max_position_embeddings:,}",
            remedy="shorten max_input_tokens or max_output_tokens",
        )
    if shape.attention_heads % chips:
        sizes = physics.tensor_parallel_sizes(shape.attention_heads, up_to=nodes.gpus_per_node)
        yield blocking(
            place.at("pool.gpus_per_replica"),
            found=f"{chips}; {shape.name} has {shape.attention_heads} attention heads",
            allowed=", ".join(f"{size}" for size in sizes if nodes.gpus_per_node % size == 0),
            remedy="use a number of GPUs that the heads divide over",
        )


def _left_of_the_pod(model: ServedModel, served: Throughput, place: Place) -> Iterator[Finding]:
    """Yield a worker that leaves no memory to the other processes of its pod and to cached weights."""
    serving = model.serving
    needed = BESIDE_WORKER_GIB + served.weight_gib
    left = serving.memory_gib * (1 - serving.gpu_memory_utilization)
    if left < needed:
        share = math.floor(100 * (1 - needed / serving.memory_gib)) / 100
        yield blocking(
            place.at("serving.gpu_memory_utilization"),
            found=f"{serving.gpu_memory_utilization:g} of {serving.memory_gib:g} GiB, which leaves "
            f"{left:.1f} GiB to API server, scheduler and {served.weight_gib:.1f} GiB of cached weights",
            allowed=f"up to {share:g}" if share > 0 else f"a memory_gib above {needed:.1f}",
            remedy="raise serving.memory_gib, or let the worker take less of it",
        )


def _more_memory(nodes: NodePlan) -> str:
    return "use more or larger GPUs" if nodes.gpus_per_node else "raise serving.memory_gib"


def _possible(served: Throughput, place: Place) -> Iterator[Finding]:
    here, ratio = place.at("total_tokens_per_second"), served.of_ideal
    found = f"{served.tokens_per_second:,.0f}, {ratio:.2f} of the ideal {served.ideal_tokens_per_second:,.0f}"
    low, high = physics.PLAUSIBLE
    if ratio > 1:
        yield blocking(
            here,
            found=found,
            allowed="up to the ideal: memory and arithmetic at their full rate",
            remedy="check the unit (a replica's tokens a second, input and output) and the shape",
        )
    elif not low <= ratio <= high:
        yield advisory(
            here,
            found=found,
            allowed=f"{low:g} to {high:g} of the ideal, as published runs reach",
            remedy="check the benchmark: too low wastes money, too high was rarely seen",
        )
