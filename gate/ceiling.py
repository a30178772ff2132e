"""What may run at most, all pools at their caps: the approved ceiling, and the quotas it needs."""

from collections.abc import Iterator
from typing import NamedTuple

from gate.aws_nodes import system_nodes
from gate.decision import Decision
from stacks.aws.target import Eks
from stacks.errors import Place

STANDARD = "standard"
FAMILIES = {"g": "G", "p": "P"}
"""Families of instance types with a service quota of their own; all others here are standard."""


class Most(NamedTuple):
    """Nodes of one kind that may run at once."""

    nodes: int
    name: str
    """Instance type, or what a node of one's own is."""
    kind: str
    """How they are bought: on_demand, spot, capacity_reservation or capacity_block."""
    vcpus: int
    """vCPUs of all of them; 0 where they are not known."""
    usd_per_hour: float
    """USD for an hour of all of them."""


def ceiling(decision: Decision) -> tuple[Most, ...]:
    """Return all nodes that may run at once: GPU pools, then system nodes."""
    return (*_pools(decision), *_system(decision))


def ceiling_usd_per_hour(decision: Decision) -> float:
    """Return USD an hour with all of them running."""
    return sum(most.usd_per_hour for most in ceiling(decision))


def quotas(decision: Decision) -> dict[str, int]:
    """Return the vCPUs of each EC2 service quota that the stack needs on target eks.

    A quota counts vCPUs of a family, spot apart from on demand; a capacity reservation counts in the
    latter.
    """
    found: dict[str, int] = {}
    if isinstance(decision.stack.target, Eks):
        for most in ceiling(decision):
            bought = "on_demand" if most.kind == "capacity_reservation" else most.kind
            name = f"{bought.replace('_', '-')} {FAMILIES.get(most.name[0], STANDARD)}"
            found[name] = found.get(name, 0) + most.vcpus
    return found


def _pools(decision: Decision) -> Iterator[Most]:
    for case in decision.cases:
        instance = case.nodes.instance
        for group in case.nodes.groups:
            yield Most(
                nodes=group.max_nodes,
                name=instance.name if instance else case.nodes.node,
                kind=group.kind,
                vcpus=group.max_nodes * instance.vcpus if instance else 0,
                usd_per_hour=group.usd_per_hour_at_max,
            )


def _system(decision: Decision) -> Iterator[Most]:
    nodes = system_nodes(decision.stack, Place(decision.file), as_of=decision.as_of)
    if nodes:
        vcpus = nodes.most * nodes.instance.vcpus
        usd_per_hour = nodes.usd_per_hour_at_max
        yield Most(nodes.most, nodes.instance.name, "on_demand", vcpus, usd_per_hour)
