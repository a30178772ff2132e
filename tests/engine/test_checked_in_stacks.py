"""Every stack file of the repository previews as far as its target allows."""

import json
from pathlib import Path

import pytest
import yaml

from tests.engine import declared
from tests.engine.aws_account import secrets
from tests.engine.declared import checked, declare, new_project
from tests.engine.pulumi_cli import ROOT, PulumiProject
from tests.engine.shown import created, errors, table

NAMES = sorted(path.stem.removeprefix("Pulumi.") for path in ROOT.glob("stacks/Pulumi.*.yaml"))


def target(name: str) -> dict[str, str]:
    document = yaml.safe_load((ROOT / f"stacks/Pulumi.{name}.yaml").read_text())
    return dict(document["config"]["breakeven:stack"]["target"])


NOT_PINNED = "with a placeholder for its digest"
KINDS = {name: target(name)["kind"] for name in NAMES}
RENDERED, LIVE, EKS = (
    [name for name in NAMES if KINDS[name] == kind] for kind in ("render", "kubernetes", "eks")
)


@pytest.fixture(scope="module")
def project(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """All of them, with a kubeconfig that has the contexts they name, of clusters that are off."""
    folder = tmp_path_factory.mktemp("checked-in")
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, [target(name)["context"] for name in LIVE])
    made = new_project(folder, tools_path, kubeconfig)
    for name in NAMES:
        made.init(name)
    return made


def write_kubeconfig(path: Path, contexts: list[str]) -> None:
    clusters = [{"name": name, "cluster": {"server": "https://127.0.0.1:1"}} for name in contexts]
    named = [{"name": name, "context": {"cluster": name, "user": "nobody"}} for name in contexts]
    config = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "contexts": named}
    path.write_text(json.dumps(config | {"users": [{"name": "nobody", "user": {}}]}))


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_stack_previews_to_its_verdict(project: PulumiProject, name: str):
    decision = checked(project, name)

    result = project.preview(name)

    assert f"VERDICT: {decision['verdict']}" in table(result)
    assert (result.code == 0) is decision["allowed"], errors(result)
    assert "kubernetes:apps/v1:Deployment" in created(result)


@pytest.mark.parametrize("name", LIVE)
def test_a_stack_for_a_cluster_previews_once_its_digests_and_secrets_are_set(
    project: PulumiProject, name: str
):
    verdict = checked(project, name)["verdict"]
    pinned = ("models[0].serving.image", "images")
    declare(project, name, {path: declared.LIVE[path] for path in pinned}, base=name)

    result = project.preview(name)

    assert f"VERDICT: {verdict}" in table(result)
    assert result.code == 0, errors(result)
    assert "kubernetes:apps/v1:Deployment" in created(result)


@pytest.mark.parametrize("name", EKS)
def test_a_stack_for_aws_previews_its_decision_and_says_what_is_not_pinned(
    project: PulumiProject, name: str
):
    """What is pinned comes up in tests/engine/test_aws_stacks.py."""
    verdict = checked(project, name)["verdict"]
    declare(project, name, base=name, secrets=secrets(name))

    result = project.preview(name)

    assert f"VERDICT: {verdict}" in table(result)
    assert result.code != 0
    assert NOT_PINNED in errors(result)[0]


def test_up_of_a_stack_that_is_not_pinned_fails_clearly_and_leaves_nothing(project: PulumiProject):
    declare(project, EKS[0], base=EKS[0], secrets=secrets(EKS[0]))

    result = project.up(EKS[0])

    assert result.code != 0
    assert NOT_PINNED in errors(result)[0]
    assert "Traceback" not in result.output
    assert [each["type"] for each in project.resources(EKS[0])] == ["pulumi:pulumi:Stack"]
