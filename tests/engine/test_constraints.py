"""A hard constraint lets a refused stack through while it stands, and not a day or a dollar longer."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from tests.engine.declared import (
    DAY,
    GONE,
    approval_of,
    checked,
    declare,
    judge_on,
    new_project,
    put,
)
from tests.engine.pulumi_cli import PulumiProject, Result
from tests.engine.shown import errors, warnings

EXPIRES = date.fromisoformat(DAY) + timedelta(days=10)
CONSTRAINT = {
    "category": "residency",
    "models": ["support-chat"],
    "statement": "Transcripts must not leave infrastructure that we control.",
    "evidence": "DPIA-2026-014, section 3.2",
    "zero_retention_insufficient_because": "The law forbids processing by a third party at all.",
    "approver": "Dr. A. Example, data protection officer",
    "approved_on": DAY,
    "expires": EXPIRES.isoformat(),
    "ticket": "GRC-1182",
}
CHEAPER_TO_RUN = {"operations.engineer_usd_per_hour": 90}
DEARER_TO_RUN = {"operations.engineer_usd_per_hour": 140}


@pytest.fixture(scope="module")
def project(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """A project with the stack `never`, which no test gets deployed."""
    made = new_project(tmp_path_factory.mktemp("constraints"), tools_path)
    declare(made, "never", base="demo-refused")
    made.init("never")
    return made


@pytest.fixture(scope="module")
def approval(project: PulumiProject) -> dict[str, Any]:
    """What the approver of the constraint puts into the file."""
    return approved(project)


@pytest.fixture(scope="module")
def mandated(project: PulumiProject, approval: dict[str, Any]) -> Result:
    """The `up` of the stack `mandated`, which stays deployed."""
    declare_constrained(project, "mandated", approval)
    project.init("mandated")
    return project.up("mandated").expect()


def approved(project: PulumiProject) -> dict[str, Any]:
    declare(project, "draft", {"constraints": [CONSTRAINT]}, base="demo-refused")
    return approval_of(project, "draft")


def declare_constrained(
    project: PulumiProject,
    name: str,
    approval: dict[str, Any],
    *,
    edited: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Declare the refused stack with the constraint, edited after its approval, and other changes."""
    constraint = CONSTRAINT | {"approval": dict(approval)}
    for path, value in (edited or {}).items():
        put(constraint, path, value)
    declare(project, name, {"constraints": [constraint], **(changes or {})}, base="demo-refused")


def test_a_valid_constraint_lets_through_and_shows_who_answers_for_what(
    project: PulumiProject, mandated: Result
):
    premium = checked(project, "mandated")["premium_usd_per_month"]

    said = [warning for warning in warnings(mandated) if "let through" in warning]

    assert len(said) == 1, warnings(mandated)
    assert "residency constraint" in said[0]
    assert f"premium {premium:,.2f} USD/month" in said[0]
    for shown in ("evidence", "approver", "expires", "ticket"):
        assert f"{shown} {CONSTRAINT[shown]}" in said[0]
    assert project.outputs("mandated")["decision"]["verdict"] == "mandated"
    assert (project.directory / "out/demo-refused/1-manifest").is_dir()


REFUSED = {
    "no approval": ({"approval": GONE}, {}, "no decision was approved"),
    "no evidence": ({"evidence": GONE}, {}, r"constraints\[0\]\.evidence: found nothing"),
    "forged hash": ({"approval.inputs_hash": 64 * "0"}, {}, "the seal does not fit"),
    "forged seal": ({"approval.seal": 64 * "0"}, {}, "the seal does not fit"),
    "edited premium": ({"approval.premium_usd_per_month": 99999}, {}, "the seal does not fit"),
    "later expiry": ({"expires": str(EXPIRES + timedelta(days=90))}, {}, "the seal does not fit"),
    "worse change": ({}, DEARER_TO_RUN, "the premium rose: .* needs a new approval"),
}


@pytest.mark.parametrize(("edited", "changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_constraint_that_does_not_stand_refuses(
    project: PulumiProject,
    approval: dict[str, Any],
    edited: dict[str, Any],
    changes: dict[str, Any],
    reason: str,
):
    declare_constrained(project, "never", approval, edited=edited, changes=changes)

    result = project.up("never")

    assert result.code != 0, result.output
    assert len(errors(result)) == 1
    assert re.search(reason, errors(result)[0])
    assert [each["type"] for each in project.resources("never")] == ["pulumi:pulumi:Stack"]


def test_an_expired_constraint_refuses_a_stack_that_was_never_deployed(
    project: PulumiProject, approval: dict[str, Any]
):
    declare_constrained(project, "never", approval)
    judge_on(project, str(EXPIRES + timedelta(days=1)))

    result = project.up("never")

    judge_on(project, DAY)
    assert result.code != 0
    assert f"the residency constraint does not stand: expired on {EXPIRES}" in errors(result)[0]
    assert [each["type"] for each in project.resources("never")] == ["pulumi:pulumi:Stack"]


@pytest.mark.usefixtures("mandated")
def test_an_expired_constraint_only_warns_where_the_stack_runs_on_it(
    project: PulumiProject, approval: dict[str, Any]
):
    declare_constrained(project, "mandated", approval)
    judge_on(project, str(EXPIRES + timedelta(days=1)))

    result = project.preview("mandated", "--expect-no-changes")

    judge_on(project, DAY)
    assert result.code == 0, errors(result)
    assert "it stays deployed" in "\n".join(warnings(result))


@pytest.mark.usefixtures("mandated")
def test_a_change_that_lowers_the_premium_needs_no_new_approval(
    project: PulumiProject, approval: dict[str, Any]
):
    declare_constrained(project, "mandated", approval, changes=CHEAPER_TO_RUN)

    result = project.preview("mandated").expect()

    assert "let through by a residency constraint" in "\n".join(warnings(result))


@pytest.mark.usefixtures("mandated")
def test_taking_the_constraint_out_is_a_change_and_is_refused(project: PulumiProject):
    before = {each["urn"] for each in project.resources("mandated")}
    declare(project, "mandated", base="demo-refused")

    result = project.up("mandated")

    assert result.code != 0
    assert "verdict infinite" in errors(result)[0]
    assert {each["urn"] for each in project.resources("mandated")} == before
    assert project.outputs("mandated")["lastAllowed"]["verdict"] == "mandated"
