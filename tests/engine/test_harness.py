"""The harness itself: what the other engine tests take for granted."""

import textwrap
from pathlib import Path

import pytest

from tests.engine.conftest import MakeProject
from tests.engine.control_plane import ControlPlane
from tests.engine.kubernetes_api import ApiError, Manifest
from tests.engine.processes import free_ports

CONFIG_MAP = """
    import pulumi
    import pulumi_kubernetes as k8s

    provider = k8s.Provider("here", {provider})
    greeting = k8s.core.v1.ConfigMap(
        "greeting",
        metadata={{"name": "greeting", "namespace": "default"}},
        data={{"hello": "world"}},
        opts=pulumi.ResourceOptions(provider=provider),
    )
    pulumi.export("name", greeting.metadata.name)
"""
REFUSAL = """
    import pulumi

    pulumi.export("decision", {"verdict": "infinite"})
    raise pulumi.RunError("not today")
"""


def test_free_ports_differ_and_are_none_that_outgoing_connections_get():
    found = free_ports(20)
    assert len(set(found)) == 20
    assert max(found) < 32_768


def write_program(directory: Path, source: str) -> Path:
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: harness\nruntime: python\n")
    (directory / "__main__.py").write_text(textwrap.dedent(source))
    return directory


def a_pod(name: str, namespace: str, *, gpus: int = 0) -> Manifest:
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "containers": [{"name": "main", "image": "none", "resources": {"limits": limits}}],
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}] if gpus else [],
        },
    }


def is_ready(pod: Manifest) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def test_a_gpu_pod_is_scheduled_to_a_gpu_node_and_becomes_ready(control_plane: ControlPlane):
    control_plane.add_gpu_node("harness-gpu", gpus=2, labels={"harness": "yes"})
    control_plane.add_namespace("harness-gpu")
    pod = a_pod("engine", "harness-gpu", gpus=2)
    pod["spec"]["nodeSelector"] = {"harness": "yes"}

    control_plane.api.apply(pod)
    seen = control_plane.api.wait_for(control_plane.api.path_of(pod), is_ready)

    assert seen["spec"]["nodeName"] == "harness-gpu"


@pytest.mark.parametrize(
    ("gpus", "reason"), [(64, "Insufficient nvidia.com/gpu"), (0, "untolerated taint")]
)
def test_a_pod_that_no_gpu_node_takes_stays_pending_and_says_why(
    control_plane: ControlPlane, gpus: int, reason: str
):
    control_plane.add_gpu_node("harness-small", gpus=1, labels={"harness": "small"})
    control_plane.add_namespace("harness-small")
    pod = a_pod(f"wants-{gpus}", "harness-small", gpus=gpus)
    pod["spec"]["nodeSelector"] = {"harness": "small"}

    control_plane.api.apply(pod)
    seen = control_plane.api.wait_for(
        control_plane.api.path_of(pod),
        lambda found: reason in str(found["status"].get("conditions")),
    )

    assert seen["status"]["phase"] == "Pending"


def test_a_pod_that_is_not_restricted_is_refused_where_the_namespace_enforces_it(
    control_plane: ControlPlane,
):
    control_plane.add_namespace("harness-restricted", pod_security="restricted")

    with pytest.raises(ApiError, match='violates PodSecurity "restricted') as refused:
        control_plane.api.apply(a_pod("open", "harness-restricted"))

    assert refused.value.code == 403


def test_a_program_deploys_to_the_control_plane_and_is_destroyed(
    control_plane: ControlPlane, make_project: MakeProject, tmp_path: Path
):
    source = CONFIG_MAP.format(provider="")
    project = make_project(write_program(tmp_path / "live", source), control_plane.kubeconfig)
    project.init("dev")
    path = "/api/v1/namespaces/default/configmaps/greeting"

    assert "ConfigMap" in project.preview("dev").expect().stdout
    assert not control_plane.api.exists(path)
    project.up("dev").expect()
    assert control_plane.api.get(path)["data"] == {"hello": "world"}
    assert project.outputs("dev") == {"name": "greeting"}
    project.refresh("dev").expect()
    project.destroy("dev").expect()
    assert not control_plane.api.exists(path)


def test_a_program_renders_manifests_without_a_cluster(make_project: MakeProject, tmp_path: Path):
    source = CONFIG_MAP.format(provider='render_yaml_to_directory="out"')
    project = make_project(write_program(tmp_path / "rendered", source))
    project.init("dev")

    project.preview("dev").expect()
    project.up("dev").expect()

    written = project.directory / "out/1-manifest/v1-configmap-default-greeting.yaml"
    assert "hello: world" in written.read_text()


def test_a_program_that_raises_run_error_fails_and_leaves_no_resource(
    make_project: MakeProject, tmp_path: Path
):
    project = make_project(write_program(tmp_path / "refused", REFUSAL))
    project.init("dev")

    result = project.up("dev")

    assert result.code != 0
    assert "error: not today" in result.output
    assert [r["type"] for r in project.resources("dev")] in ([], ["pulumi:pulumi:Stack"])
