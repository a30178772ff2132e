"""A living stack, Langfuse and its stores included, changes only where its declaration did."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import LIVE, SECRETS, Changes, declare, new_project
from tests.engine.kubernetes_api import KubernetesApi
from tests.engine.pulumi_cli import PulumiProject

STACK = "updated"
NAMESPACE = "/api/v1/namespaces/serving-updated"
DEPLOYMENTS = "/apis/apps/v1/namespaces/serving-updated/deployments"
ENGINE = f"{DEPLOYMENTS}/support-chat"
ENGINE_PODS = f"{NAMESPACE}/pods?labelSelector=app.kubernetes.io/name=vllm"
CONTAINER = "spec.template.spec.containers[0]"
POOL = {"pool": "updated"}
WHOLE: Changes = {
    path: value for path, value in LIVE.items() if path != "observability.langfuse"
} | {"models[0].serving.node_selector": POOL}
"""The whole demo, Langfuse and its stores too, on a pool of two GPUs for its two replicas."""
UP_S = 150
"""Far above what an update takes here, and far below the time that `pulumi up` gives a stuck one."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a preview plans for one resource: `what` is its type and name in Pulumi."""

    what: str
    operation: str
    paths: frozenset[str]
    """Properties that change, such as spec.replicas."""


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubernetesApi:
    return control_plane.api


@pytest.fixture(scope="module")
def deployed(
    control_plane: ControlPlane, tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PulumiProject]:
    """The whole stack on a full pool; each test leaves it deployed, but for the last one."""
    control_plane.add_gpu_node("updated", gpus=2, labels=POOL)
    folder = tmp_path_factory.mktemp("updates")
    project = new_project(folder, tools_path, control_plane.kubeconfig)
    declare(project, STACK, WHOLE)
    project.init(STACK)
    project.up(STACK).expect()
    yield project
    project.destroy(STACK).expect()


def planned(project: PulumiProject) -> list[Step]:
    """Return what a preview would change; the stack itself, whose outputs may, is left out."""
    steps = json.loads(project.preview(STACK, "--json").expect().stdout)["steps"]
    return [
        Step(
            what="::".join(step["urn"].split("$")[-1].split("::")[-2:]),
            operation=step["op"],
            paths=frozenset(step.get("detailedDiff") or ()),
        )
        for step in steps
        if step["op"] != "same" and "pulumi:pulumi:Stack" not in step["urn"]
    ]


def arguments(api: KubernetesApi) -> list[set[str]]:
    """Return the arguments of every engine that runs, and fail for one that does not."""
    pods = api.items(ENGINE_PODS)
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    return [set(pod["spec"]["containers"][0]["args"]) for pod in pods]


@pytest.mark.usefixtures("deployed")
def test_the_whole_stack_becomes_available_where_only_restricted_pods_may_run(api: KubernetesApi):
    deployments = api.items(DEPLOYMENTS)
    available = {
        each["metadata"]["name"]
        for each in deployments
        if each["status"].get("availableReplicas") == each["spec"]["replicas"] > 0
    }

    labels = api.get(NAMESPACE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert available == {each["metadata"]["name"] for each in deployments}
    assert {
        *("support-chat", "support-chat-router", "gateway", "gateway-limits", "gateway-counters"),
        *("prometheus", "otel-collector", "langfuse-web", "langfuse-worker"),
        *("langfuse-postgres", "langfuse-clickhouse", "langfuse-cache", "langfuse-blobs"),
    } <= available


def test_right_after_it_went_up_a_preview_plans_nothing(deployed: PulumiProject):
    assert deployed.preview(STACK, "--expect-no-changes").code == 0
    assert planned(deployed) == []


@pytest.mark.parametrize(
    "change",
    [
        {"models[0].serving.max_num_seqs": 64},
        {"models[0].serving.arguments": {"--seed": 7}},
    ],
    ids=["setting", "further argument"],
)
def test_a_flag_of_the_engine_updates_its_deployment_alone(
    deployed: PulumiProject, change: Changes
):
    declare(deployed, STACK, {**WHOLE, **change})

    (step,) = planned(deployed)

    assert (step.what, step.operation) == ("kubernetes:apps/v1:Deployment::support-chat", "update")
    assert all(path.startswith(f"{CONTAINER}.args[") for path in step.paths), step.paths


def test_a_flag_that_is_judged_relabels_everything_and_restarts_its_engine_alone(
    deployed: PulumiProject,
):
    declare(deployed, STACK, {**WHOLE, "models[0].serving.gpu_memory_utilization": 0.9})

    steps = planned(deployed)

    restarted = {
        step.what for step in steps if any(path.startswith("spec.template") for path in step.paths)
    }
    assert {step.operation for step in steps} == {"update"}
    assert restarted == {"kubernetes:apps/v1:Deployment::support-chat"}


def test_a_new_key_of_a_client_updates_the_gateway_alone(deployed: PulumiProject):
    declare(deployed, STACK, WHOLE, secrets=SECRETS | {"key-claims": "another-key-of-the-claims"})

    steps = planned(deployed)

    assert {(step.what, step.operation, *step.paths) for step in steps} == {
        ("kubernetes:core/v1:Secret::gateway", "update", 'data["envoy.yaml"]'),
        (
            "kubernetes:apps/v1:Deployment::gateway",
            "update",
            "spec.template.metadata.annotations.breakeven/files",
        ),
    }


def test_pods_are_replaced_only_after_what_they_read_was_written(deployed: PulumiProject):
    resources = deployed.resources(STACK)
    (gateway,) = (each for each in resources if each["urn"].endswith("apps/v1:Deployment::gateway"))

    assert any(urn.endswith("core/v1:Secret::gateway") for urn in gateway["dependencies"])


def test_a_roll_out_on_a_full_pool_ends(deployed: PulumiProject, api: KubernetesApi):
    declare(deployed, STACK, {**WHOLE, "models[0].serving.max_num_seqs": 64})

    deployed.up(STACK, timeout_s=UP_S).expect()

    assert [("--max-num-seqs=64" in each) for each in arguments(api)] == [True, True]


def test_replicas_that_the_autoscaler_added_stay_through_an_update(
    deployed: PulumiProject, control_plane: ControlPlane, api: KubernetesApi
):
    control_plane.add_gpu_node("updated-more", gpus=1, labels=POOL)
    scale = {"spec": {"replicas": 3}}
    api.request("PATCH", f"{ENGINE}/scale", scale, content="merge-patch+json")
    api.wait_for(ENGINE, lambda found: found["status"].get("readyReplicas") == 3)
    declare(deployed, STACK, {**WHOLE, "models[0].serving.max_num_seqs": 32})

    deployed.up(STACK, timeout_s=UP_S).expect()

    assert api.get(ENGINE)["spec"]["replicas"] == 3
    assert [("--max-num-seqs=32" in each) for each in arguments(api)] == [True, True, True]


def test_the_whole_stack_comes_down(deployed: PulumiProject, api: KubernetesApi):
    # The last test of this file: what follows finds nothing deployed.
    deployed.destroy(STACK).expect()

    assert deployed.resources(STACK) == []
    assert not api.exists(NAMESPACE)
