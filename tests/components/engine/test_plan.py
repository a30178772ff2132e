"""From a declared model to its pods: what the gate judged is what the engine is started with."""

from typing import Any

import pytest

from components.engine.known_arguments import known_variables
from components.engine.plan import EngineSurroundings, vllm_plan
from components.images import PLACEHOLDER_DIGEST
from stacks.aws.target import Eks
from stacks.errors import InputError
from stacks.target import Kubernetes
from tests.components.aws.registered import declared
from tests.components.engine.models import (
    ON_CPU,
    PLACE,
    RENDER,
    TRACED,
    a_model,
    flag,
    plan_of,
    words_of,
)

CLUSTER = Kubernetes(kind="kubernetes", context="here")
EKS = Eks.model_validate(declared("prod")["target"])
DIGEST = "vllm/vllm-openai@sha256:" + 32 * "ab"


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({}, "--tensor-parallel-size", "1"),
        ({"pool.gpus_per_replica": 4}, "--tensor-parallel-size", "4"),
        ({}, "--max-model-len", "16384"),
        ({"workload.max_output_tokens": 1024}, "--max-model-len", "15360"),
        ({}, "--dtype", "bfloat16"),
        ({"weights.precision": "fp8"}, "--quantization", "fp8"),
        ({"weights.precision": "int4"}, "--dtype", "auto"),
        ({"weights.kv_cache_precision": "fp8"}, "--kv-cache-dtype", "fp8"),
        ({"serving.max_num_seqs": 64}, "--max-num-seqs", "64"),
        ({}, "--max-num-queued-reqs", "165"),
        ({"serving.max_queued_requests": 40}, "--max-num-queued-reqs", "40"),
        ({}, "--max-num-queued-tokens", "48282"),
        ({"serving.gpu_memory_utilization": 0.8}, "--gpu-memory-utilization", "0.8"),
        ({"serving.drain_seconds": 120.5}, "--shutdown-timeout", "121"),
        ({"serving.tool_call_parser": "hermes"}, "--tool-call-parser", "hermes"),
        ({}, "--served-model-name", "support-chat"),
        ({}, "--revision", "b968826d9c46dd6066d109eabc6255188de91218"),
        (
            {"serving.arguments": {"--max-num-batched-tokens": 4096}},
            "--max-num-batched-tokens",
            "4096",
        ),
    ],
)
def test_what_is_declared_reaches_the_engine(changes: dict[str, Any], name: str, value: str):
    assert flag(plan_of(a_model(**changes)).arguments, name) == value


def test_aliases_follow_the_name_which_stays_the_label_of_the_metrics():
    arguments = plan_of(a_model(**{"serving.aliases": ["chat", "default"]})).arguments

    assert words_of(arguments, "--served-model-name") == ["support-chat", "chat", "default"]


def test_an_alias_that_moves_to_another_model_restarts_no_engine():
    around = EngineSurroundings(aliases=frozenset({"chat", "support"}))
    before = plan_of(a_model(**{"serving.aliases": ["chat"]}), around=around)
    after = plan_of(a_model(**{"serving.aliases": ["support"]}), around=around)

    assert words_of(before.arguments, "--served-model-name") == ["support-chat", "chat", "support"]
    assert before == after


def test_spans_go_to_the_collector_only_where_the_stack_keeps_them():
    traced, untraced = plan_of(a_model(), around=TRACED), plan_of(a_model())

    endpoint = flag(traced.arguments, "--otlp-traces-endpoint")
    assert endpoint == "http://otel-collector:4318/v1/traces"
    assert traced.environment["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "http/protobuf"
    assert traced.environment["OTEL_SERVICE_NAME"] == "vllm-support-chat"
    assert flag(untraced.arguments, "--otlp-traces-endpoint") is None
    assert not any(name.startswith("OTEL_") for name in untraced.environment)


@pytest.mark.parametrize(("mib", "limit"), [(4, 5 * 2**20), (0.5, 1_572_864), (64, 65 * 2**20)])
def test_the_engine_takes_what_the_gateway_lets_through(mib: float, limit: int):
    plan = plan_of(a_model(), around=EngineSurroundings(largest_request_mib=mib))

    assert plan.environment["VLLM_HTTP_MAX_REQUEST_BODY_SIZE"] == str(limit)
    assert {n for n in plan.environment if n.startswith("VLLM_")} <= known_variables()


@pytest.mark.parametrize(("gpus", "shared"), [(1, 1.0), (2, 8.0), (8, 32.0)])
def test_shared_memory_grows_with_the_gpus_and_counts_as_memory(gpus: int, shared: float):
    plan = plan_of(a_model(**{"pool.gpus_per_replica": gpus}))

    assert plan.shared_memory_gib == shared
    assert plan.memory_gib == 64 + shared


@pytest.mark.parametrize(("spare", "surge"), [(0, False), (1, False), (2, True)])
def test_a_roll_out_starts_a_new_replica_first_only_where_its_gpus_are_spare(
    spare: int, surge: bool
):
    model = a_model(**{"pool.gpus_per_replica": 2, "serving.spare_gpus_for_rollout": spare})

    assert plan_of(model).surge is surge


@pytest.mark.parametrize(("cpus", "threads"), [(8, "7"), (2.5, "1"), (0.5, "1")])
def test_on_a_cpu_all_cores_of_the_pod_but_one_compute(cpus: float, threads: str):
    plan = plan_of(a_model(**ON_CPU, **{"serving.cpus": cpus}))

    assert plan.environment["OMP_NUM_THREADS"] == threads
    assert plan.environment["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert flag(plan.arguments, "--tensor-parallel-size") in (None, "1")
    assert not plan.surge
    assert plan.memory_gib == 64, "of which the engine takes its share, as the gate judged"


def test_on_a_gpu_threads_are_vllms_own_affair():
    assert "OMP_NUM_THREADS" not in plan_of(a_model()).environment


@pytest.mark.parametrize(
    ("pool", "replicas", "rounds"),
    [
        ({"min": 1, "max": 6}, 1, 6),
        ({"min": 0, "max": 6}, 0, 6),
        (None, 2, 2),
        (None, 0, 1),
    ],
)
def test_an_update_may_take_a_round_for_each_replica_that_an_autoscaler_may_have_started(
    pool: dict[str, int] | None, replicas: int, rounds: int
):
    changes = {"pool.replicas": pool} if pool else {"pool.scaling": {"kind": "fixed"}}
    times = plan_of(a_model(**changes), replicas=replicas).timings

    assert times.deployment_await_s == rounds * times.progress_deadline_s
    assert times.progress_deadline_s == 840 + times.termination_grace_s + 60, "of one replica"


@pytest.mark.parametrize("start_seconds", [60.5, 240, 900])
def test_on_aws_a_roll_out_waits_for_a_node_as_well(start_seconds: float):
    model = a_model(**{"serving.image": DIGEST})
    nodes = EKS.gpu_nodes.model_copy(update={"start_seconds": start_seconds})
    eks = EKS.model_copy(update={"gpu_nodes": nodes})
    elsewhere, here = (
        vllm_plan(model, PLACE, target, replicas=2).timings for target in (CLUSTER, eks)
    )

    assert here.progress_deadline_s >= elsewhere.progress_deadline_s + start_seconds
    rounds = model.pool.replicas.max
    assert here.deployment_await_s >= rounds * (start_seconds + model.serving.cold_start_seconds)
    assert here.deployment_await_s >= rounds * here.progress_deadline_s
    assert here.startup_budget_s == elsewhere.startup_budget_s, "it begins with the pod"


@pytest.mark.parametrize(
    ("changes", "field", "found"),
    [
        ({"serving.engine_version": "0.11.0"}, "serving.engine_version", "0.11.0"),
        ({"serving.arguments": {"--swap-space": 4}}, "serving.arguments", "--swap-space"),
        ({"serving.arguments": {"--port": 9000}}, "serving.arguments", "--port"),
        ({"serving.arguments": {"--max-model-len": 9}}, "serving.arguments", "--max-model-len"),
    ],
)
def test_what_the_pinned_vllm_would_refuse_is_refused_when_declared(
    changes: dict[str, Any], field: str, found: str
):
    with pytest.raises(InputError) as refused:
        plan_of(a_model(**changes))

    (problem,) = refused.value.problems
    assert problem.field == f"models[0].{field}"
    assert found in problem.found
    assert problem.remedy


def test_a_placeholder_for_the_digest_renders_and_is_refused_on_a_cluster():
    model = a_model()
    assert model.serving.image.endswith(PLACEHOLDER_DIGEST)

    vllm_plan(model, PLACE, RENDER, replicas=1)
    with pytest.raises(InputError, match=r"python tools/pin_images\.py STACK"):
        vllm_plan(model, PLACE, CLUSTER, replicas=1)
    vllm_plan(a_model(**{"serving.image": DIGEST}), PLACE, CLUSTER, replicas=1)
