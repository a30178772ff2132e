"""The Job: what it is told, what it may do, when it runs again, and that the engine waits for it."""

from typing import Any

import pytest

from components.model_store.accounts import readers, writers
from components.model_store.plan import (
    AWAIT_SPARE_S,
    IMAGES_GIB,
    LOGS_GIB,
    PrefetchPlan,
    prefetch_plans,
)
from components.model_store.prefetch import REFUSED
from components.pods import STAYS
from stacks.errors import InputError
from stacks.stack import Stack
from tests.components.aws.registered import declared
from tests.components.engine.models import COMMIT
from tests.factories import Changes, serving_follows

BUCKET = "breakeven-prod-models-123456789012"
FILE = "stacks/Pulumi.prod.yaml"
MANIFEST = 64 * "b"
HUB = {"kind": "store", "manifest_sha256": MANIFEST}
ELSEWHERE = HUB | {"filled_from": "elsewhere"}
SOURCE, REVISION = "models[0].serving.source", "models[0].weights.revision"


def stack_of(changes: Changes) -> Stack:
    declaration = declared("prod", changes)
    serving_follows(declaration)
    return Stack.model_validate(declaration)


def planned(changes: Changes) -> PrefetchPlan:
    stack = stack_of({SOURCE: HUB, **changes})
    return prefetch_plans(stack, BUCKET, file=FILE)[stack.models[0].name]


def pod(plan: PrefetchPlan) -> Any:
    template: Any = plan.spec["template"]
    return template["spec"]


def environment(plan: PrefetchPlan) -> dict[str, Any]:
    return {each["name"]: each.get("value", each) for each in pod(plan)["containers"][0]["env"]}


def test_only_models_in_the_store_have_a_job():
    stack = stack_of({SOURCE: {"kind": "hub"}})

    assert set(prefetch_plans(stack, BUCKET, file=FILE)) == {stack.models[1].name}
    assert prefetch_plans(stack, None, file=FILE) == {}


def test_it_is_told_what_is_declared():
    found = environment(planned({}))

    assert found["BUCKET"] == BUCKET
    assert found["FOLDER"] == f"support-chat/{declared('prod')['models'][0]['weights']['revision']}"
    assert found["MANIFEST_SHA256"] == MANIFEST
    assert found["FILLED_FROM"] == "hub"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "us-east-1"


def test_only_one_that_fills_may_ask_the_hub():
    fills, checks = environment(planned({})), environment(planned({SOURCE: ELSEWHERE}))

    assert fills["HF_TOKEN"]["value_from"]["secret_key_ref"]["optional"] is True
    assert "HF_HUB_OFFLINE" not in fills
    assert "HF_TOKEN" not in checks
    assert checks["HF_HUB_OFFLINE"] == "1"


def test_its_pod_meets_pod_security_restricted_and_has_no_token():
    spec = pod(planned({}))
    (container,) = spec["containers"]

    assert spec["automount_service_account_token"] is False
    assert spec["security_context"]["run_as_non_root"] is True
    assert spec["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}
    assert container["security_context"] == {
        "allow_privilege_escalation": False,
        "capabilities": {"drop": ["ALL"]},
        "read_only_root_filesystem": True,
    }


def test_it_runs_on_a_system_node_and_is_not_moved():
    spec: Any = planned({}).spec

    assert "tolerations" not in pod(planned({}))
    assert "nvidia.com/gpu" not in str(pod(planned({}))["containers"][0]["resources"])
    assert spec["template"]["metadata"]["annotations"] == STAYS


@pytest.mark.parametrize(
    ("source", "disk_gib", "scratch_gib"),
    [
        (HUB, 100, 55),  # 85 % of it, less 30 for images
        (HUB, 60, 21),
        (HUB, 42, 5),
        (ELSEWHERE, 100, 1),  # it only reads
    ],
)
def test_what_it_takes_of_a_node_s_disk_is_requested_limited_and_beside_the_images(
    source: dict[str, str], disk_gib: int, scratch_gib: int
):
    plan = planned({SOURCE: source, "target.system_nodes.disk_gib": disk_gib})
    (container,) = pod(plan)["containers"]
    requested = f"{scratch_gib + LOGS_GIB}Gi"

    assert container["resources"]["requests"]["ephemeral-storage"] == requested
    assert container["resources"]["limits"]["ephemeral-storage"] == requested
    scratch = {"name": "scratch", "empty_dir": {"size_limit": f"{scratch_gib}Gi"}}
    assert scratch in pod(plan)["volumes"]
    assert environment(plan)["SCRATCH_GIB"] == f"{scratch_gib}"
    # The kubelet starts to end pods where a tenth of the disk is free.
    assert IMAGES_GIB + scratch_gib + LOGS_GIB <= 0.9 * disk_gib


def test_a_disk_that_only_holds_the_images_is_refused():
    with pytest.raises(InputError) as refused:
        planned({"target.system_nodes.disk_gib": 41})

    (problem,) = refused.value.problems
    assert (problem.file, problem.field) == (FILE, "target.system_nodes.disk_gib")
    assert "from 42 GiB" in problem.allowed
    assert set(prefetch_plans(stack_of({SOURCE: HUB}), BUCKET, file=FILE)), (
        "at the default it is not"
    )


def test_what_another_try_cannot_mend_is_not_tried_again():
    spec: Any = planned({}).spec
    refused, _ = spec["pod_failure_policy"]["rules"]

    assert refused["action"] == "FailJob"
    assert refused["on_exit_codes"]["values"] == [REFUSED]
    assert spec["backoff_limit"] > 0
    assert pod(planned({}))["restart_policy"] == "Never", "a policy for failed pods needs it"


def test_it_may_take_as_long_as_the_declared_size_does():
    plan = planned({"target.model_store.gib": 1000, "target.gpu_nodes.start_seconds": 300})

    # A node, the image, 1000 GiB at 40 MiB/s.
    assert plan.spec["active_deadline_seconds"] == 300 + 1200 + 25_600
    assert plan.await_s == 300 + 1200 + 25_600 + AWAIT_SPARE_S


@pytest.mark.parametrize(
    "changes",
    [
        {REVISION: COMMIT, "models[0].benchmark.revision": COMMIT},
        {SOURCE: HUB | {"manifest_sha256": 64 * "c"}},
        {SOURCE: ELSEWHERE},
        {"models[0].serving.image": f"vllm/vllm-openai@sha256:{64 * 'c'}"},
    ],
)
def test_it_runs_again_when_what_it_reads_or_how_changes(changes: Changes):
    assert planned(changes).name != planned({}).name


@pytest.mark.parametrize(
    "changes",
    [
        {"models[0].serving.cpus": 9},
        {SOURCE: HUB | {"concurrency": 4}},
        {"target.model_store.gib": 50},
    ],
)
def test_it_does_not_run_again_when_nothing_of_that_changes(changes: Changes):
    assert planned(changes).name == planned({}).name


def test_its_name_is_one_that_a_job_may_have():
    assert len(planned({"models[0].name": 42 * "m"}).name) <= 63


@pytest.mark.parametrize(
    ("source", "read", "write"),
    [
        (HUB, {"support-chat", "summaries"}, {"support-chat-weights", "summaries-weights"}),
        (
            ELSEWHERE,
            {"support-chat", "summaries", "support-chat-weights"},
            {"summaries-weights"},
        ),
        ({"kind": "hub"}, {"summaries"}, {"summaries-weights"}),
    ],
)
def test_who_may_read_the_store_and_who_may_add_to_it(
    source: dict[str, str], read: set[str], write: set[str]
):
    stack = stack_of({SOURCE: source})

    assert (set(readers(stack)), set(writers(stack))) == (read, write)
