"""The labels that every object carries, and those that select pods."""

from collections.abc import Mapping

APP = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"


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
