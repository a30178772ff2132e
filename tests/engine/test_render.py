"""Target render: manifests in a folder, made without a cluster and valid on a real one."""

from pathlib import Path

import pytest
import yaml

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import declare, new_project
from tests.engine.kubernetes_api import Manifest
from tests.engine.pulumi_cli import PulumiProject, Result

TOKEN = "hf_a_token_that_nobody_may_read"  # noqa: S105 - it opens nothing
ISSUER = {"kind": "issuer", "name": "public", "host": "llm.example.com"}
LAST = ("Deployment", "Job")
"""Kinds whose pods need all others."""


@pytest.fixture(scope="module")
def project(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """The stacks `plain` and, with a token of the model hub and a certificate, `gated`, in turn."""
    folder = tmp_path_factory.mktemp("render")
    made = new_project(folder, tools_path, kubeconfig=folder / "there is none")
    for name, more in (("plain", {}), ("gated", {"gateway.tls": ISSUER})):
        declare(made, name, {"target.directory": f"out/{name}", **more})
        made.init(name)
    made.config_set("gated", "huggingface_token", TOKEN, secret=True)
    return made


@pytest.fixture(scope="module")
def plain(project: PulumiProject) -> list[Manifest]:
    """What `up` of the stack without a token wrote."""
    project.up("plain").expect()
    return manifests(project.directory / "out/plain")


@pytest.fixture(scope="module")
def gated_up(project: PulumiProject) -> Result:
    return project.up("gated").expect()


def manifests(folder: Path) -> list[Manifest]:
    """Return all that was rendered, in an order in which it can be applied."""
    found = [yaml.safe_load(path.read_text()) for path in folder.rglob("*.yaml")]
    return sorted(found, key=lambda each: (each["kind"] != "Namespace", each["kind"] in LAST))


def engine_of(found: list[Manifest]) -> Manifest:
    """Return the Deployment of the engine."""
    return next(
        each
        for each in found
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "support-chat"
    )


def moved(manifest: Manifest, namespace: str) -> Manifest:
    """Return a manifest for another namespace, so that no other test is in its way."""
    kind = manifest["kind"]
    there = {"name": namespace} if kind == "Namespace" else {"namespace": namespace}
    return manifest | {"metadata": manifest["metadata"] | there}


def test_a_cluster_is_not_needed_to_render(plain: list[Manifest]):
    kinds = {manifest["kind"] for manifest in plain}

    assert {"Namespace", "NetworkPolicy", "Deployment", "Service", "ScaledObject"} <= kinds
    assert "hub-token" not in {each["metadata"]["name"] for each in plain}, "only with a token"


def test_what_is_rendered_runs_on_a_real_cluster(
    plain: list[Manifest], control_plane: ControlPlane
):
    control_plane.add_gpu_node("rendered", gpus=2)
    api = control_plane.api

    for manifest in plain:
        api.apply(moved(manifest, "rendered"))

    deployment = api.path_of(moved(engine_of(plain), "rendered"))
    ready = api.wait_for(deployment, lambda seen: seen["status"].get("availableReplicas") == 2)
    assert ready["spec"]["replicas"] == 2


@pytest.mark.usefixtures("gated_up")
def test_a_token_reaches_the_engine_by_reference(project: PulumiProject):
    rendered = manifests(project.directory / "out/gated")
    engine = engine_of(rendered)["spec"]["template"]["spec"]["containers"][0]

    variable = next(each for each in engine["env"] if each["name"] == "HF_TOKEN")

    assert variable["valueFrom"] == {"secretKeyRef": {"name": "hub-token", "key": "token"}}
    assert TOKEN not in yaml.safe_dump(engine_of(rendered))


@pytest.mark.usefixtures("gated_up")
def test_a_certificate_is_asked_for_and_mounted(project: PulumiProject):
    rendered = manifests(project.directory / "out/gated")

    (asked,) = [each for each in rendered if each["kind"] == "Certificate"]
    (gateway,) = [
        each
        for each in rendered
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "gateway"
    ]

    volumes = gateway["spec"]["template"]["spec"]["volumes"]
    assert asked["apiVersion"] == "cert-manager.io/v1"
    assert asked["spec"]["dnsNames"] == ["llm.example.com"]
    assert asked["spec"]["secretName"] in {
        volume["secret"]["secretName"] for volume in volumes if "secret" in volume
    }


def test_a_token_is_never_shown_nor_kept_in_clear(project: PulumiProject, gated_up: Result):
    preview = project.preview("gated", "--diff", "--show-sames").expect()

    state = project.run("stack", "export", "--stack", "gated").expect()
    file = (project.directory / "stacks/Pulumi.gated.yaml").read_text()
    for kept in (gated_up.output, preview.output, state.output, file):
        assert TOKEN not in kept
    assert "hub-token" in state.output
