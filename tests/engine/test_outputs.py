"""The decision record is a stack output, so that a preview shows when a decision changes."""

import re
from typing import Any

import pytest

from tests.engine.declared import checked, declare, new_project
from tests.engine.pulumi_cli import PulumiProject

PRICE = "breakeven:stack.models[0].hosted.negotiated.input_usd_per_mtok"
ONLY_IN_CHECK = {"cost_basis", "hosted_cost_basis"}


@pytest.fixture(scope="module")
def deployed(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """The stack demo, rendered."""
    project = new_project(tmp_path_factory.mktemp("outputs"), tools_path)
    declare(project, "recorded")
    project.init("recorded")
    project.up("recorded").expect()
    return project


@pytest.fixture(scope="module")
def outputs(deployed: PulumiProject) -> dict[str, Any]:
    return deployed.outputs("recorded")


def test_the_record_is_what_gate_check_says_of_the_same_file(
    deployed: PulumiProject, outputs: dict[str, Any]
):
    said = checked(deployed, "recorded")

    assert outputs["decision"] == {
        name: value for name, value in said.items() if name not in ONLY_IN_CHECK
    }
    assert outputs["decision"]["verdict"] == "wins"
    assert outputs["decision"]["allowed"] is True


def test_the_last_allowed_decision_is_kept_with_its_hashes(outputs: dict[str, Any]):
    decision, last = outputs["decision"], outputs["lastAllowed"]

    shared = ("verdict", "as_of", "model_version", "inputs_hash", "declaration_hash")
    assert {name: last[name] for name in shared} == {name: decision[name] for name in shared}


def test_a_preview_of_an_unchanged_stack_shows_no_output_that_changes(deployed: PulumiProject):
    result = deployed.preview("recorded", "--diff").expect()

    assert "Outputs:" not in result.stdout
    assert "unchanged" in result.stdout


def test_a_preview_after_a_changed_price_shows_which_figures_change(
    deployed: PulumiProject, outputs: dict[str, Any]
):
    before = outputs["decision"]["whole"]["hosted_usd_per_month"]
    deployed.config_set("recorded", PRICE, "0.25", path=True)
    now = checked(deployed, "recorded")["whole"]["hosted_usd_per_month"]

    result = deployed.preview("recorded", "--diff").expect()

    written = (deployed.directory / "stacks/Pulumi.recorded.yaml").read_text()
    assert 'input_usd_per_mtok: "0.25"' in written, "the CLI writes a number as text"
    changed = re.search(r"~ hosted_usd_per_month +: (\S+) => (\S+)\n", result.stdout)
    assert changed, "the output diff does not show the hosted bill"
    assert [float(bill) for bill in changed.groups()] == pytest.approx([before, now])
