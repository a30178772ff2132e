"""What the documents tell to declare does what they say."""

from datetime import date
from typing import Any

import yaml

from gate.cli import main
from gate.constraints import seal, status
from stacks.constraint import HardConstraint
from tests.docs.documents import FENCES
from tests.factories import STACKS, write_stack

AS_OF = date(2026, 11, 21)


def test_the_lines_for_a_machine_without_a_gpu_are_let_through_as_a_shadow_alone(tmp_path, capsys):
    (shown,) = (f for f in FENCES if f.section == "Without a GPU" and f.language == "yaml")
    document = yaml.safe_load((STACKS / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    local, lines = document["config"]["breakeven:stack"], yaml.safe_load(shown.text)
    trial = {key: value for key, value in lines.items() if key not in ("purpose", "shadow")}

    def check(changes: dict[str, Any]) -> int:
        stack = write_stack(tmp_path, overlaid(local, changes))
        return main(["check", str(stack), "--as-of", "2026-11-22"])

    assert (check(lines), check(trial)) == (0, 1), capsys.readouterr().out


def overlaid(base: Any, changes: Any) -> Any:
    """Return a declaration with another laid over it, entry by entry; a node is another one."""
    if isinstance(base, list):
        return [overlaid(*pair) for pair in zip(base, changes, strict=True)]
    if isinstance(base, dict) and "kind" not in base:
        return base | {key: overlaid(base.get(key), value) for key, value in changes.items()}
    return changes


def overriding_example() -> dict[str, Any]:
    """Return the constraint that docs/overriding.md shows."""
    (shown,) = (f for f in FENCES if f.document.name == "overriding.md" and f.language == "yaml")
    (constraint,) = yaml.safe_load(shown.text)["constraints"]
    declared: dict[str, Any] = constraint
    return declared


def test_the_constraint_in_the_example_stands_with_its_seal():
    constraint = HardConstraint.model_validate(overriding_example())
    approval = constraint.approval

    assert approval is not None
    assert approval.seal == seal(
        constraint,
        inputs_hash=approval.inputs_hash,
        premium_usd_per_month=approval.premium_usd_per_month,
    )
    assert status(
        constraint,
        inputs_hash=approval.inputs_hash,
        premium_usd_per_month=approval.premium_usd_per_month,
        as_of=AS_OF,
    ).stands


def test_the_procedure_of_overriding_lets_the_refused_stack_through(tmp_path, capsys):
    document = yaml.safe_load((STACKS / "Pulumi.demo-refused.yaml").read_text(encoding="utf-8"))
    stack = document["config"]["breakeven:stack"]
    described = overriding_example() | {"approval": None}
    asked = ["--as-of", f"{AS_OF}"]

    refused = main(["check", str(write_stack(tmp_path, stack)), *asked])
    stack["constraints"] = [described]
    unapproved = main(["check", str(write_stack(tmp_path, stack)), *asked])
    capsys.readouterr()
    main(["approve", str(write_stack(tmp_path, stack)), *asked])
    stack["constraints"] = [described | yaml.safe_load(capsys.readouterr().out)]
    approved = main(["check", str(write_stack(tmp_path, stack)), *asked])

    assert (refused, unapproved, approved) == (1, 1, 0)
    assert "VERDICT: mandated" in capsys.readouterr().out
