"""Recording rules and alerts as data, and as the text and manifest that Prometheus takes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import yaml

RUNBOOK = "docs/operations.md"
"""Every alert has a section there, under the anchor of its name in lower case with dashes."""

Needs = Literal["stack", "keda", "kube-state-metrics"]
"""Who must be scraped: the stack's own pods, or something of the cluster's."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A series computed from others."""

    record: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)

    def rule(self) -> dict[str, object]:
        """Return it as Prometheus has it."""
        return {"record": self.record, "expr": self.expr} | (
            {"labels": self.labels} if self.labels else {}
        )


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that a human must know."""

    name: str
    expr: str
    for_s: int
    """How long it holds before anyone is told."""
    severity: Literal["critical", "warning", "info"]
    """critical wakes someone; warning waits for the morning; info is for the weekly look."""
    summary: str
    anchor: str
    """Section of the runbook."""
    labels: dict[str, str] = field(default_factory=dict)

    def rule(self) -> dict[str, object]:
        """Return it as Prometheus has it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": f"{self.for_s}s",
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {"summary": self.summary, "runbook": f"{RUNBOOK}#{self.anchor}"},
        }


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Recording | Alert, ...]
    interval_s: int = 15
    needs: Needs = "stack"

    def spec(self) -> dict[str, object]:
        """Return it as Prometheus has it."""
        rules = [rule.rule() for rule in self.rules]
        return {"name": self.name, "interval": f"{self.interval_s}s", "rules": rules}


def rule_spec(groups: Sequence[Group]) -> dict[str, object]:
    """Return the groups as a rule file or the spec of a PrometheusRule has them."""
    return {"groups": [group.spec() for group in groups]}


def rule_file(groups: Sequence[Group]) -> str:
    """Return the rule file of a Prometheus that sees the stack's own pods only."""
    own = [group for group in groups if group.needs == "stack"]
    return yaml.safe_dump(rule_spec(own), sort_keys=False, width=1000)
