"""Cost-allocation tags: by them the bill of the cloud is joined with the decision."""

from collections.abc import Mapping
from typing import Final

STACK: Final = "breakeven:stack"
DECISION: Final = "breakeven:decision"
PURPOSE: Final = "breakeven:purpose"
MODEL: Final = "breakeven:model"


def stack_tags(
    name: str, *, decision: str, purpose: str, further: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags of everything that a stack makes.

    `decision` is the hash of the decision's inputs; Kubernetes objects (Deployments, Services, namespaces)
    have the same 16 characters as a label, pods do not: a new decision would replace every engine.
    """
    return {**further, STACK: name, DECISION: decision[:16], PURPOSE: purpose}


def model_tags(tags: Mapping[str, str], model: str) -> dict[str, str]:
    """Return the tags of what only one model needs."""
    return {**tags, MODEL: model}


def lasting(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that a new decision does not change.

    For what is replaced when its tags change: a launch template's tags change with a new version of
    it, and that replaces every node. Nodes get the decision from their Auto Scaling group instead;
    those of Karpenter have none, since a class with other tags marks every node as drifted.
    """
    return {key: value for key, value in tags.items() if key != DECISION}
