"""From a declared model to its pods: what the gate judged is what the engine is started with."""

from typing import Any

import pytest

from components.engine.plan import PLACEHOLDER_DIGEST, vllm_plan
from components.engine.pod import pod_template
from stacks.errors import InputError, Place
from stacks.stack import ServedModel, Stack
from stacks.target import Kubernetes, Render
from tests.factories import a_stack

RENDER = Render(kind="render", directory="out")
CLUSTER = Kubernetes(kind="kubernetes", context="here")
PLACE = Place("stacks/Pulumi.test.yaml", "models[0]")
DIGEST = "vllm/vllm-openai@sha256:" + 32 * "ab"


def a_model(**changes: Any) -> ServedModel:
    """Return the demo's model with changes by path below it."""
    paths = {f"models[0].{path}": value for path, value in changes.items()}
    return Stack.model_validate(a_stack(paths)).models[0]


def plan_of(model: ServedModel, *, replicas: int = 2):
    return vllm_plan(model, PLACE, RENDER, replicas=replicas)


def flag(arguments: tuple[str, ...], name: str) -> str | None:
    return next((a.partition("=")[2] for a in arguments if a.split("=")[0] == name), None)


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
        ({"serving.gpu_memory_utilization": 0.8}, "--gpu-memory-utilization", "0.8"),
        ({"serving.drain_seconds": 90.5}, "--shutdown-timeout", "91"),
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


def test_weights_in_the_image_need_no_hub_and_have_no_revision():
    plan = plan_of(a_model(**{"weights.id": "/models/qwen"}))

    assert plan.arguments[0] == "/models/qwen"
    assert flag(plan.arguments, "--revision") is None
    assert plan.environment["HF_HUB_OFFLINE"] == "1"


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
    with pytest.raises(InputError, match="docker buildx imagetools inspect"):
        vllm_plan(model, PLACE, CLUSTER, replicas=1)
    vllm_plan(a_model(**{"serving.image": DIGEST}), PLACE, CLUSTER, replicas=1)


def template(*, token_secret: str | None = None) -> dict[str, Any]:
    made: Any = pod_template(
        plan_of(a_model()),
        pod_labels={"app": "x"},
        service_account="support-chat",
        token_secret=token_secret,
        node_selector={"gpu": "h100"},
    )
    return dict(made["spec"])


def test_the_pod_meets_pod_security_restricted():
    spec = template()
    container = spec["containers"][0]

    assert spec["security_context"]["run_as_non_root"] is True
    assert spec["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}
    assert container["security_context"]["allow_privilege_escalation"] is False
    assert container["security_context"]["capabilities"] == {"drop": ["ALL"]}
    assert all("empty_dir" in volume for volume in spec["volumes"])


def test_the_pod_has_time_to_drain_and_no_access_to_the_cluster():
    spec = template()
    pre_stop = spec["containers"][0]["lifecycle"]["pre_stop"]["sleep"]["seconds"]

    assert spec["termination_grace_period_seconds"] >= pre_stop + 120 + 15
    assert spec["automount_service_account_token"] is False
    assert spec["enable_service_links"] is False


def test_every_folder_the_engine_writes_to_is_mounted():
    spec, environment = template(), plan_of(a_model()).environment
    mounted = {mount["mount_path"] for mount in spec["containers"][0]["volume_mounts"]}

    written = {environment[name] for name in ("HOME", "HF_HOME", "VLLM_CACHE_ROOT")}
    assert written | {"/tmp", "/dev/shm"} == mounted  # noqa: S108 - in the container


def test_the_hub_token_is_a_reference_and_only_where_there_is_one():
    def names(spec: dict[str, Any]) -> dict[str, Any]:
        return {variable["name"]: variable for variable in spec["containers"][0]["env"]}

    assert "HF_TOKEN" not in names(template())
    reference = names(template(token_secret="hub-token"))["HF_TOKEN"]
    assert reference["value_from"]["secret_key_ref"] == {"name": "hub-token", "key": "token"}
