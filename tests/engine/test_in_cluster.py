"""What a new cluster needs is taken by a real API server; the charts are stand-ins (tests/engine/charts)."""

import copy
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.eks.karpenter import node_classes, node_pools
from tests.components.aws.registered import plan_of
from tests.components.eks.plans import KARPENTER, RESERVED, SPOT
from tests.engine.control_plane import ControlPlane
from tests.engine.in_cluster import AROUND
from tests.engine.karpenter import add_karpenter_definitions
from tests.engine.kubernetes_api import ApiError, KubernetesApi, Manifest
from tests.engine.pulumi_cli import ROOT, PulumiProject
from tests.factories import Changes

PROGRAM = """
    import json
    import sys

    sys.path.insert(0, {root!r})

    from tests.engine.in_cluster import deploy

    deploy("staging", json.loads({changes!r}))
"""
GPU_LABELS = {"nvidia.com/gpu.present": "true"}


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> KubernetesApi:
    control_plane.add_gpu_node("in-cluster-gpu", gpus=1, labels=GPU_LABELS)
    add_karpenter_definitions(control_plane)
    return control_plane.api


def project_of(
    folder: Path, changes: Changes, tools_path: str, plane: ControlPlane
) -> PulumiProject:
    program = folder / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: in-cluster\nruntime: python\n")
    source = PROGRAM.format(root=str(ROOT), changes=json.dumps(changes))
    (program / "__main__.py").write_text(textwrap.dedent(source))
    return PulumiProject(
        program, state=folder / "state", search_path=tools_path, kubeconfig=plane.kubeconfig
    )


@pytest.fixture(scope="module", params=[SPOT, SPOT | KARPENTER], ids=["autoscaler", "karpenter"])
def deployed(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    api: KubernetesApi,
    tools_path: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PulumiProject]:
    """A stack with spot nodes and a fallback, whose pool follows the load."""
    folder = tmp_path_factory.mktemp("in-cluster")
    project = project_of(folder, request.param, tools_path, control_plane)
    project.init("dev")
    project.up("dev").expect()
    yield project
    project.destroy("dev").expect()
    assert not api.exists("/api/v1/namespaces/gpu-add-ons")


def made(project: PulumiProject) -> set[str]:
    """Return kind and name of what is made in the cluster."""
    return {
        f"{each['outputs']['kind']} {each['outputs']['metadata']['name']}"
        for each in project.resources("dev")
        if each.get("outputs", {}).get("metadata")
    }


def test_all_is_taken_and_comes_up_under_pod_security(deployed: PulumiProject, api: KubernetesApi):
    scaler = "karpenter" if "Namespace karpenter" in made(deployed) else "cluster-autoscaler"
    levels = {
        space: api.get(f"/api/v1/namespaces/{space}")["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for space in (scaler, "keda", "gpu-add-ons")
    }
    status = api.get(f"/apis/apps/v1/namespaces/{scaler}/deployments/{scaler}")["status"]
    daemons = api.items("/apis/apps/v1/namespaces/gpu-add-ons/daemonsets")

    assert levels == {scaler: "restricted", "keda": "restricted", "gpu-add-ons": "privileged"}
    assert status["availableReplicas"] == status["replicas"] > 0
    assert {each["metadata"]["name"]: each["status"]["numberReady"] for each in daemons} == {
        "nvidia-device-plugin": 1,
        "dcgm-exporter": 1,
    }


def test_nothing_changes_by_itself(deployed: PulumiProject):
    deployed.preview("dev", "--expect-no-changes").expect()


def test_a_chart_runs_the_stacks_images_by_digest(deployed: PulumiProject, api: KubernetesApi):
    del deployed
    operator = api.get("/apis/apps/v1/namespaces/keda/deployments/operator")
    (container,) = operator["spec"]["template"]["spec"]["containers"]

    assert container["image"].startswith("ghcr.io/kedacore/keda:2.20.0@sha256:")


def karpenter_objects(stack: str, changes: Changes) -> list[Manifest]:
    own = {"target.charts": {"karpenter": "./karpenter"}}
    plan = plan_of(stack, {**KARPENTER, **own, **changes})
    return [*node_classes(plan, AROUND, {}), *node_pools(plan, {})]


def try_out(api: KubernetesApi, manifest: Manifest) -> Manifest:
    """Let the API server check an object without keeping it."""
    query = "fieldManager=tests&dryRun=All&fieldValidation=Strict"
    path = f"{api.path_of(manifest)}-dry?{query}"
    named = copy.deepcopy(manifest)
    named["metadata"]["name"] += "-dry"
    return api.request("PATCH", path, named, content="apply-patch+yaml")


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        ("prod", {}),
        ("staging", SPOT),
        ("staging", RESERVED),
        ("regulated", {"target.gpu_nodes.local_disks": True}),
        ("shadow", {}),
    ],
)
def test_karpenters_own_definitions_take_its_objects(
    api: KubernetesApi, stack: str, changes: Changes
):
    for manifest in karpenter_objects(stack, changes):
        assert try_out(api, manifest)["spec"][
            "disruption" if manifest["kind"] == "NodePool" else "tags"
        ]


MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown field": ("NodePool", {"limit": {}}, r"limit: field not declared in schema"),
    "no such reason": (
        "NodePool",
        {
            "disruption": {
                "consolidateAfter": "0s",
                "budgets": [{"nodes": "0", "reasons": ["Idle"]}],
            }
        },
        r'Unsupported value: "Idle"',
    ),
    "no unit": ("NodePool", {"disruption": {"consolidateAfter": "120"}}, r"consolidateAfter"),
    "no such family": (
        "EC2NodeClass",
        {"amiSelectorTerms": [{"alias": "ubuntu@v1"}]},
        r"family is not supported",
    ),
    "role and profile": ("EC2NodeClass", {"role": "node"}, r"must specify exactly one of"),
    "size": (
        "EC2NodeClass",
        {"blockDeviceMappings": [{"ebs": {"volumeSize": "200"}}]},
        r"volumeSize",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_karpenters_own_definitions_refuse_mistakes(api: KubernetesApi, mistake: str):
    kind, change, message = MISTAKES[mistake]
    found = next(each for each in karpenter_objects("prod", {}) if each["kind"] == kind)

    with pytest.raises(ApiError, match=message):
        try_out(api, found | {"spec": found["spec"] | change})
