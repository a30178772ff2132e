"""A refusing verdict leaves nothing behind, and says what would have to change."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import DAY, LIVE, STALE_DAY, declare, judge_on, new_project
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import created, errors, table

ROOT_RESOURCE = ["pulumi:pulumi:Stack"]
PLAN = {
    "pulumi:providers:kubernetes",
    "breakeven:serving:Namespace",
    "breakeven:serving:Vllm",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:Service",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:policy/v1:PodDisruptionBudget",
    "kubernetes:apps/v1:Deployment",
}


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A stack that is refused, and what its refusal has to mention."""

    verdict: str
    says: tuple[str, ...]
    changes: dict[str, Any] = field(default_factory=dict)
    base: str = "demo"
    day: str = DAY


DISTANCES = ("hosted price: ", "node price: ", "throughput: ", "utilization: ")
STACKS = {
    "infinite": Refused(verdict="infinite", says=DISTANCES, base="demo-refused"),
    "beyond-cap": Refused(
        verdict="beyond_cap",
        says=(*DISTANCES, "replica cap: 4 replicas (now 3)"),
        changes={
            "models[0].workload.tokens_per_month": 50e9,
            "models[0].pool.replicas.max": 3,
        },
    ),
    "below": Refused(
        verdict="below_break_even",
        says=("hosted price: ", "node price: ", "volume: "),
        changes={
            "models[0].workload.tokens_per_month": 60e9,
            "gate.on_below_break_even": "refuse",
        },
    ),
    "impossible": Refused(
        verdict="indeterminate",
        says=("models[0].benchmark.total_tokens_per_second: found", "allowed:", "remedy:"),
        changes={"models[0].benchmark.total_tokens_per_second": 1e7},
    ),
    "stale": Refused(
        verdict="indeterminate",
        says=("models[0].pool.node.instance_type: found last checked on", "allowed:", "remedy:"),
        day=STALE_DAY,
    ),
}
JUDGED = [name for name, stack in STACKS.items() if stack.verdict != "indeterminate"]


@pytest.fixture(scope="module")
def project(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """A project in which all of them are declared, and none was ever deployed."""
    made = new_project(tmp_path_factory.mktemp("refusals"), tools_path)
    for name, stack in STACKS.items():
        declare(made, name, stack.changes, base=stack.base)
        made.init(name)
    return made


@pytest.mark.parametrize("name", STACKS)
def test_up_of_a_refused_stack_says_why_once_and_leaves_nothing_behind(
    project: PulumiProject, name: str
):
    stack = STACKS[name]
    judge_on(project, stack.day)

    result = project.up(name)

    held = project.resources(name)
    assert result.code != 0, result.output
    assert [each["type"] for each in held] == ROOT_RESOURCE
    assert held[0]["outputs"]["decision"]["verdict"] == stack.verdict
    assert not (project.directory / "out").exists()
    assert len(errors(result)) == 1, errors(result)
    assert f"verdict {stack.verdict}" in errors(result)[0]
    assert [words for words in stack.says if words not in errors(result)[0]] == []


@pytest.mark.parametrize("name", JUDGED)
def test_a_preview_shows_decision_and_plan_and_then_fails(project: PulumiProject, name: str):
    judge_on(project, STACKS[name].day)

    result = project.preview(name).expect(1)

    assert f"VERDICT: {STACKS[name].verdict}" in table(result)
    assert created(result) >= PLAN
    assert len(errors(result)) == 1, errors(result)


@pytest.mark.parametrize("name", ["infinite", "stale"])
def test_up_with_its_preview_ends_before_anything_is_created(project: PulumiProject, name: str):
    judge_on(project, STACKS[name].day)

    result = project.run("up", "--yes", "--stack", name, timeout_s=120)

    assert result.code != 0
    assert "Updating (" not in result.stdout, "the update began although its preview was refused"
    assert created(result) >= PLAN
    assert not (project.directory / "out").exists()


def test_nothing_of_a_refused_stack_reaches_the_cluster(
    control_plane: ControlPlane, tools_path: str, tmp_path: Path
):
    live = new_project(tmp_path, tools_path, control_plane.kubeconfig)
    declare(live, "turned-away", LIVE, base="demo-refused")
    live.init("turned-away")

    result = live.up("turned-away")

    namespaces = [
        each["metadata"]["name"] for each in control_plane.api.items("/api/v1/namespaces")
    ]
    assert result.code != 0
    assert [each["type"] for each in live.resources("turned-away")] == ROOT_RESOURCE
    assert [name for name in namespaces if "turned-away" in name] == []
