"""A deployed stack is not refused because a price moved; a new declaration is judged as ever."""

from pathlib import Path

import pytest

from tests.engine.declared import (
    DAY,
    STALE_DAY,
    Changes,
    dearer_nodes,
    declare,
    judge_on,
    new_project,
)
from tests.engine.pulumi_cli import PulumiProject, Result
from tests.engine.shown import errors, warnings

MANIFESTS = "out/demo/1-manifest"


@pytest.fixture(scope="module")
def deployed(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """The stack demo, rendered while it won, in a project whose nodes became three times as dear."""
    project = new_project(tmp_path_factory.mktemp("living"), tools_path)
    declare(project, "living")
    project.init("living")
    project.up("living").expect()
    dearer_nodes(project, 3)
    return project


@pytest.fixture
def living(deployed: PulumiProject) -> PulumiProject:
    """The same, declared as it was and judged on the day of its deployment."""
    declare(deployed, "living")
    judge_on(deployed, DAY)
    return deployed


def up_changed(project: PulumiProject, changes: Changes) -> Result:
    declare(project, "living", changes)
    return project.up("living")


def urns(project: PulumiProject) -> set[str]:
    return {each["urn"] for each in project.resources("living")}


@pytest.mark.parametrize(("day", "verdict"), [(DAY, "infinite"), (STALE_DAY, "indeterminate")])
def test_up_goes_on_with_a_warning_and_keeps_the_decision_it_was_allowed_with(
    living: PulumiProject, day: str, verdict: str
):
    allowed = living.outputs("living")["lastAllowed"]
    judge_on(living, day)

    result = living.up("living").expect()

    outputs = living.outputs("living")
    said = "\n".join(warnings(result))
    assert f"verdict {verdict}" in said
    assert f"nothing that was declared changed since it was allowed on {DAY}" in said
    assert outputs["decision"]["verdict"] == verdict
    assert outputs["lastAllowed"] == allowed
    assert allowed["verdict"] == "wins"


def test_the_engine_tells_what_was_allowed_where_no_cli_does(living: PulumiProject, tmp_path: Path):
    silent = tmp_path / "pulumi"
    silent.write_text("#!/bin/sh\nexit 1\n")
    silent.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{living.environment['PATH']}"}

    result = living.run("preview", "--stack", "living", environment=path)

    assert result.code == 0, errors(result)
    assert "it stays deployed" in "\n".join(warnings(result))


def test_a_new_engine_image_is_no_new_decision(living: PulumiProject):
    image = f"vllm/vllm-openai@sha256:{64 * 'b'}"

    result = up_changed(living, {"models[0].serving.image": image})

    manifests = (living.directory / MANIFESTS).iterdir()
    assert result.code == 0, errors(result)
    assert [path for path in manifests if image in path.read_text()]


def test_a_changed_declaration_is_refused_and_leaves_what_is_deployed(living: PulumiProject):
    before, allowed = urns(living), living.outputs("living")["lastAllowed"]

    result = up_changed(living, {"models[0].workload.growth_per_month": 0.03})

    outputs = living.outputs("living")
    assert result.code != 0
    assert "verdict infinite" in errors(result)[0]
    assert urns(living) == before
    assert outputs["decision"]["declaration_hash"] != allowed["declaration_hash"]
    assert outputs["lastAllowed"] == allowed, "a refused update took the last allowed one's place"


def test_a_slip_in_the_file_does_not_make_the_stack_forget_what_was_allowed(living: PulumiProject):
    allowed = living.outputs("living")["lastAllowed"]

    result = up_changed(living, {"purpos": "trial"})

    assert result.code != 0
    assert "did you mean purpose?" in errors(result)[0]
    assert living.outputs("living")["lastAllowed"] == allowed


@pytest.mark.parametrize("flags", [(), ("--run-program",)], ids=["plain", "run-program"])
def test_destroy_is_not_blocked_by_a_price(living: PulumiProject, flags: tuple[str, ...]):
    result = living.run("destroy", "--preview-only", "--stack", "living", *flags)

    assert result.code == 0, errors(result)
    assert " -  kubernetes:apps/v1:Deployment support-chat delete" in result.stdout


def test_what_was_destroyed_is_judged_as_a_new_stack(living: PulumiProject):
    # The last test of this file: it takes the stack down.
    living.destroy("living").expect()

    result = living.up("living")

    assert list((living.directory / MANIFESTS).iterdir()) == []
    assert result.code != 0
    assert "verdict infinite" in errors(result)[0]
    assert [each["type"] for each in living.resources("living")] == ["pulumi:pulumi:Stack"]
