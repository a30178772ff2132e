"""A name that clients use moves to another model only if that model passes its evaluation."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import LIVE, declare, new_project
from tests.engine.kubernetes_api import KubernetesApi, Manifest
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import errors

API = "/api/v1/namespaces/serving-swap"
APPS, BATCH = "/apis/apps/v1/namespaces/serving-swap", "/apis/batch/v1/namespaces/serving-swap"
TOO_MANY_CPUS = 1000
"""No node has them: the pod never starts, and the Job fails at its deadline."""


def evaluation(cpus: int) -> dict[str, Any]:
    return {
        "kind": "command",
        "image": f"evaluations@sha256:{64 * 'e'}",
        "command": ["./evaluate"],
        "cpus": cpus,
        "timeout_minutes": 0.2,
    }


@pytest.fixture(scope="module")
def project(
    control_plane: ControlPlane, tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PulumiProject]:
    """The demo stack, whose model has the alias `chat`."""
    for name in ("swap-a", "swap-b"):
        control_plane.add_gpu_node(name, gpus=2)
    made = new_project(tmp_path_factory.mktemp("swap"), tools_path, control_plane.kubeconfig)
    declare(made, "swap", LIVE | {"models[0].serving.aliases": ["chat"]})
    made.init("swap")
    made.up("swap").expect()
    yield made
    made.destroy("swap").expect()


def moved(project: PulumiProject, *, cpus: int) -> None:
    """Declare a second model beside the first, evaluated, with the alias moved to it."""
    path = project.directory / "stacks/Pulumi.demo.yaml"
    demo = yaml.safe_load(path.read_text())["config"]["breakeven:stack"]
    other = copy.deepcopy(demo["models"][0]) | {"name": "next"}
    other["serving"] |= {
        "image": LIVE["models[0].serving.image"],
        "aliases": ["chat"],
        "evaluation": evaluation(cpus),
        "fallback": None,
    }
    models = [demo["models"][0], other]
    declare(project, "swap", {"models": models} | LIVE)


def gateway_config(api: KubernetesApi) -> Manifest:
    return dict(api.get(f"{API}/secrets/gateway")["data"])


def engine(api: KubernetesApi) -> Manifest:
    return dict(api.get(f"{APPS}/deployments/support-chat")["spec"]["template"])


def test_traffic_moves_with_the_evaluation_and_not_without(
    project: PulumiProject, control_plane: ControlPlane
):
    api = control_plane.api
    config, served = gateway_config(api), engine(api)

    moved(project, cpus=TOO_MANY_CPUS)
    failed = project.up("swap")

    assert failed.code != 0
    assert "next-evaluation" in "\n".join(errors(failed))
    assert gateway_config(api) == config, "the gateway moved although the evaluation failed"

    moved(project, cpus=1)
    project.up("swap").expect()

    (job,) = api.items(f"{BATCH}/jobs")
    assert job["status"]["succeeded"] == 1
    assert gateway_config(api) != config
    assert engine(api) == served, "the old model was restarted by the alias that left it"

    project.up("swap").expect()

    (same,) = api.items(f"{BATCH}/jobs")
    assert same["metadata"]["uid"] == job["metadata"]["uid"], "nothing changed, and it ran again"
