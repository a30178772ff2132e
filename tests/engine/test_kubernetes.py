"""Target kubernetes: an allowed stack runs on a real API server, and can always be taken down."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import DAY, LIVE, STALE_DAY, declare, judge_on, new_project
from tests.engine.kubernetes_api import ApiError, KubernetesApi, Manifest
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import errors, warnings

NAMESPACE = "/api/v1/namespaces/serving-live"
DEPLOYMENT = "/apis/apps/v1/namespaces/serving-live/deployments/support-chat"
DEMO_DRAIN_S = 120


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubernetesApi:
    return control_plane.api


@pytest.fixture(scope="module")
def deployed(
    control_plane: ControlPlane, tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PulumiProject]:
    """The demo stack on tainted GPU nodes; each test leaves it deployed, but for the last one."""
    for name in ("kubernetes-a", "kubernetes-b"):
        control_plane.add_gpu_node(name, gpus=2)
    folder = tmp_path_factory.mktemp("kubernetes")
    project = new_project(folder, tools_path, control_plane.kubeconfig)
    declare(project, "live", LIVE)
    project.init("live")
    project.up("live").expect()
    yield project
    judge_on(project, DAY)
    project.destroy("live").expect()


@pytest.fixture
def stale(deployed: PulumiProject) -> Iterator[PulumiProject]:
    """The same, years later: every price is too old to judge by."""
    judge_on(deployed, STALE_DAY)
    yield deployed
    judge_on(deployed, DAY)


def engine_pods(api: KubernetesApi) -> list[Manifest]:
    return api.items(f"{NAMESPACE}/pods?labelSelector=app.kubernetes.io/name=vllm")


def a_pod(api: KubernetesApi) -> dict[str, Any]:
    return dict(engine_pods(api)[0]["spec"])


@pytest.mark.usefixtures("deployed")
def test_an_allowed_stack_becomes_available_with_the_replicas_decided(api: KubernetesApi):
    deployment = api.get(DEPLOYMENT)

    assert deployment["spec"]["replicas"] == 2, "the floor of the demo's autoscaled pool"
    assert deployment["status"]["availableReplicas"] == 2
    assert {pod["status"]["phase"] for pod in engine_pods(api)} == {"Running"}


@pytest.mark.usefixtures("deployed")
def test_the_namespace_lets_only_restricted_pods_in(api: KubernetesApi):
    labels = api.get(NAMESPACE)["metadata"]["labels"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "open", "namespace": "serving-live"},
        "spec": {"containers": [{"name": "main", "image": "none"}]},
    }

    with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
        api.apply(pod)
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert len(engine_pods(api)) == 2, "the engine's own pods are restricted"


@pytest.mark.usefixtures("deployed")
def test_a_pod_runs_the_declared_engine_on_its_gpu(api: KubernetesApi):
    engine = a_pod(api)["containers"][0]

    assert engine["image"] == LIVE["models[0].serving.image"]
    assert engine["command"] == ["vllm", "serve"]
    assert engine["args"][0] == "Qwen/Qwen3-8B"
    assert {
        "--revision=b968826d9c46dd6066d109eabc6255188de91218",
        "--served-model-name=support-chat",
        "--tensor-parallel-size=1",
        "--max-model-len=16384",
        f"--shutdown-timeout={DEMO_DRAIN_S}",
    } <= set(engine["args"])
    assert engine["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert engine["resources"]["requests"] == engine["resources"]["limits"]


@pytest.mark.usefixtures("deployed")
def test_a_pod_has_time_to_start_and_to_drain(api: KubernetesApi):
    spec = a_pod(api)
    engine = spec["containers"][0]
    probes = {name: engine[f"{name}Probe"] for name in ("startup", "readiness", "liveness")}
    startup_s = probes["startup"]["periodSeconds"] * (probes["startup"]["failureThreshold"] - 1)
    pre_stop_s = engine["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert {probe["httpGet"]["path"] for probe in probes.values()} == {"/health"}
    assert startup_s > 420, "the startup probe outlasts the demo's cold start"
    assert pre_stop_s > 0
    assert spec["terminationGracePeriodSeconds"] >= pre_stop_s + DEMO_DRAIN_S + 15


@pytest.mark.usefixtures("deployed")
def test_a_pod_holds_no_token_of_the_cluster(api: KubernetesApi):
    spec = a_pod(api)

    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == "support-chat"
    assert not [volume for volume in spec["volumes"] if "projected" in volume]


def test_a_second_preview_changes_nothing(deployed: PulumiProject):
    assert deployed.preview("live", "--expect-no-changes").code == 0


def test_up_goes_on_with_a_warning_once_the_prices_are_too_old(
    stale: PulumiProject, api: KubernetesApi
):
    before = api.get(DEPLOYMENT)["metadata"]["generation"]

    result = stale.up("live").expect()

    said = "\n".join(warnings(result))
    assert "verdict indeterminate" in said
    assert "nothing that was declared changed since it was allowed on" in said
    assert api.get(DEPLOYMENT)["metadata"]["generation"] == before


@pytest.mark.parametrize("flags", [(), ("--run-program",)], ids=["plain", "run-program"])
def test_refresh_works_when_the_prices_are_too_old(stale: PulumiProject, flags: tuple[str, ...]):
    assert stale.refresh("live", *flags).code == 0


def test_cancel_works_when_the_prices_are_too_old(stale: PulumiProject):
    assert stale.run("cancel", "--yes", "live").code == 0


def test_a_refused_change_leaves_the_running_pods_alone(
    deployed: PulumiProject, api: KubernetesApi
):
    before = [pod["metadata"]["uid"] for pod in engine_pods(api)]
    declare(deployed, "live", LIVE, base="demo-refused")

    result = deployed.up("live")

    declare(deployed, "live", LIVE)
    assert result.code != 0
    assert "verdict infinite" in errors(result)[0]
    assert [pod["metadata"]["uid"] for pod in engine_pods(api)] == before


def test_a_placeholder_for_the_digest_is_refused_before_the_first_resource(
    deployed: PulumiProject,
):
    placeholder = {"target": LIVE["target"]}
    declare(deployed, "placeholder", placeholder)
    deployed.init("placeholder")

    result = deployed.up("placeholder")

    assert result.code != 0
    assert "models[0].serving.image: found" in errors(result)[0]
    assert "a placeholder for its digest" in errors(result)[0]
    assert "imagetools inspect" in errors(result)[0]
    held = [each["type"] for each in deployed.resources("placeholder")]
    assert held == ["pulumi:pulumi:Stack"]


def test_destroy_that_runs_the_program_removes_everything_although_prices_are_too_old(
    stale: PulumiProject, api: KubernetesApi
):
    # The last test of this file: what follows finds nothing deployed.
    stale.destroy("live", "--run-program").expect()

    assert stale.resources("live") == []
    assert not api.exists(NAMESPACE)
