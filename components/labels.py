"""The labels that every object carries, and those that select pods."""

import re
from collections.abc import Mapping

APP = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"


def namespace_name(stack: str) -> str:
    """Return the namespace of a stack: its name with what Kubernetes does not take made a dash."""
    return re.sub(r"[^a-z0-9]+", "-", f"serving-{stack.lower()}")[:63].strip("-")


def selector(component: str, instance: str) -> dict[str, str]:
    """Return the labels that find the pods of one instance; they never change on a living object."""
    return {APP: component, INSTANCE: instance}


def labels(component: str, instance: str, *, decision: str) -> Mapping[str, str]:
    """Return all labels; `decision` joins what runs, and what it costs, with the decision record."""
    return selector(component, instance) | {
        "app.kubernetes.io/part-of": "breakeven",
        "app.kubernetes.io/managed-by": "pulumi",
        "breakeven/decision": decision[:16],
    }
