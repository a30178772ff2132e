"""Whether a refusal holds, given the last decision this stack was deployed with.

A living stack whose declaration has not changed is not refused because a price moved or a date
passed: then the decision is a warning. New declarations are judged as if nothing ran.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gate.decision import Decision
from gate.inputs_hash import declaration_hash
from gate.report.words import MEANING, flip_rows, usd
from gate.verdict import Verdict

Record = Mapping[str, Any]


class Standing(NamedTuple):
    """What is to be done about a decision."""

    refusal: str | None
    """Why the update must stop; None where it may go on."""
    warnings: tuple[str, ...]


def standing(decision: Decision, last_allowed: Record | None) -> Standing:
    """Return whether the update may go on, and what is to be said in any case."""
    if decision.verdict is Verdict.MANDATED:
        return Standing(refusal=None, warnings=tuple(_mandates(decision)))
    if decision.allowed:
        below = decision.verdict is Verdict.BELOW_BREAK_EVEN
        return Standing(refusal=None, warnings=(_summary(decision),) if below else ())
    declared = declaration_hash(decision.stack, decision.inputs_hash)
    if last_allowed and last_allowed.get("declaration_hash") == declared:
        since = f"nothing that was declared changed since it was allowed on {last_allowed['as_of']}"
        return Standing(
            refusal=None, warnings=(f"{_summary(decision)}; it stays deployed: {since}",)
        )
    return Standing(refusal=_refusal(decision), warnings=())


def _summary(decision: Decision) -> str:
    whole = decision.whole
    return (
        f"{decision.file}: verdict {decision.verdict.value}: {MEANING[decision.verdict]};"
        f" self-hosted {usd(whole.self_hosted_usd)} USD/month, hosted {usd(whole.hosted_usd)}"
    )


def _refusal(decision: Decision) -> str:
    """Return one error that says why, and what would have to change."""
    if decision.blocking:
        return "\n  ".join([f"refused: {_summary(decision)}", *map(str, decision.blocking)])
    lines = [f"refused: {_summary(decision)}", "the verdict would change at (each alone):"]
    lines += [f"  {label}: {value}" for label, value in flip_rows(decision)]
    for status in decision.constraints:
        lines += [
            f"the {status.constraint.category} constraint does not stand: {r}"
            for r in status.reasons
        ]
    lines.append("only a documented hard constraint lets it through: docs/overriding.md")
    return "\n  ".join(lines)


def _mandates(decision: Decision) -> list[str]:
    return [
        f"{decision.file}: refused on cost, let through by a {status.constraint.category} constraint;"
        f" premium {usd(status.premium_usd_per_month)} USD/month;"
        f" evidence {status.constraint.evidence}; approver {status.constraint.approver};"
        f" expires {status.constraint.expires}; ticket {status.constraint.ticket}"
        for status in decision.constraints
        if status.stands
    ]
