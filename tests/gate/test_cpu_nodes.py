"""A node without a GPU: its processor and its pod's memory take the GPU's place."""

import pytest

from gate.decision import Decision
from gate.findings import Level
from gate.report.explain import explain
from stacks.errors import Problem
from tests.cpu_nodes import CPU_NODE, ON_CPU, M
from tests.factories import Changes, decide_plain

SERVED: Changes = {
    **ON_CPU,
    M + "benchmark.total_tokens_per_second": 40,
    M + "serving.memory_gib": 64,
    M + "serving.gpu_memory_utilization": 0.5,
}


def on_cpu(**changes: object) -> Decision:
    paths = {M + path.replace("__", "."): value for path, value in changes.items()}
    return decide_plain({**SERVED, **paths})


def test_a_node_holds_one_replica_whose_memory_is_its_pods():
    """By hand: 64 GiB x 0.5 less 8.19 G x 2 bytes = 15.26 GiB leave 16.74 GiB, at 147,456 bytes a token."""
    (case,) = on_cpu().cases

    assert (case.nodes.gpus_per_node, case.nodes.replicas_per_node) == (0, 1)
    assert case.served.usable_gib == pytest.approx(64 * 0.5)
    assert case.served.kv_tokens == pytest.approx(16.74 * 2**30 / 147_456, rel=0.001)


def test_its_replicas_are_paid_as_whole_nodes():
    floor = {"pool__replicas": {"min": 3, "max": 3}, "workload__tokens_per_month": 1_000_000}
    (case,) = on_cpu(**floor).cases

    assert case.node_item.usd_per_month == pytest.approx(3 * 0.01 * 730)


@pytest.mark.parametrize(
    ("memory_bandwidth_gb_per_s", "bf16_tflops", "bound"),
    [(89.6, 2.1, "bf16_tflops"), (89.6, 2100, "memory_bandwidth_gb_per_s")],
)
def test_both_peaks_of_the_processor_bound_what_it_serves(
    memory_bandwidth_gb_per_s, bf16_tflops, bound
):
    peaks = {
        "memory_bandwidth_gb_per_s": memory_bandwidth_gb_per_s,
        "bf16_tflops": bf16_tflops,
    }

    def ideal(peaks: dict[str, float]) -> float:
        return on_cpu(pool__node={**CPU_NODE, **peaks}).cases[0].served.ideal_tokens_per_second

    assert ideal(peaks | {bound: peaks[bound] / 2}) < 0.6 * ideal(peaks)


def test_a_throughput_above_the_roofline_is_impossible_here_too():
    ideal = on_cpu().cases[0].served.ideal_tokens_per_second
    findings = on_cpu(benchmark__total_tokens_per_second=ideal * 1.01).findings

    (told,) = [f for f in findings if f.problem.field.endswith("total_tokens_per_second")]
    assert told.level is Level.BLOCKING


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        (
            {"serving__memory_gib": 30},
            "workload.max_input_tokens",
            "raise serving.memory_gib",
        ),
        ({"benchmark__gpu": "h100-sxm-80gb"}, "benchmark.gpu", "deploy what was measured"),
        ({"benchmark__gpus": 1}, "benchmark.gpus", "deploy what was measured"),
    ],
)
def test_a_benchmark_or_a_memory_of_something_else_is_told(changes, field, said):
    told = [f.problem for f in on_cpu(**changes).findings if f.problem.field == M + field]

    assert [said in problem.remedy for problem in told] == [True]


def test_the_reader_is_told_that_there_are_no_gpus():
    assert "no GPUs, 1 replica a node" in explain(on_cpu())


UTILIZATION = M + "serving.gpu_memory_utilization"


def refused(memory_gib: float, share: float) -> list[Problem]:
    memory = {"serving__memory_gib": memory_gib, "serving__gpu_memory_utilization": share}
    return [f.problem for f in on_cpu(**memory).findings if f.problem.field == UTILIZATION]


def test_the_worker_leaves_memory_to_the_other_processes_and_to_the_weights_in_the_page_cache():
    """By hand: 2 + 15.26 GiB are needed of 64, so that 0.73 may be taken, and 0.74 not."""
    assert not refused(64, 0.73)
    (told,) = refused(64, 0.74)
    assert told.allowed == "up to 0.73"


@pytest.mark.parametrize("memory_gib", [19, 29, 35])
def test_the_share_that_the_refusal_allows_passes(memory_gib):
    (told,) = refused(memory_gib, 0.95)

    assert not refused(memory_gib, float(told.allowed.removeprefix("up to ")))


def test_a_pod_smaller_than_what_is_needed_beside_the_worker_is_told_so():
    (told,) = refused(16, 0.5)

    assert told.allowed == "a memory_gib above 17.3"
