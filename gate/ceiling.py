"""What may run at most, all pools at their caps: the approved ceiling, and the quotas it needs."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from gate.decision import Decision
from gate.purchases import GroupKind
from stacks.aws.target import Eks

STANDARD: Final = "Standard (A, C, D, H, I, M, R, T, Z)"
CLASSES: Final = {
    "p": "P",
    "g": "G and VT",
    "gr": "G and VT",
    "vt": "G and VT",
    **dict.fromkeys("acdhimrtz", STANDARD),
}
"""What Service Quotas calls the instance types of a family, by the letters its name begins with."""
SPOT_CLASSES: Final = {
    "p5": "P5",
    **dict.fromkeys(("p4", "p3", "p2"), "P4, P3 and P2"),
}
"""The same for spot, where P is divided. Amazon EC2 user guide, "Spot Instance quotas"; no P6 is there."""


class Most(NamedTuple):
    """Nodes of one kind that may run at once."""

    nodes: int
    """Cap of the group."""
    over_nodes: int
    """Nodes that run beyond it for minutes."""
    name: str
    """Instance type, or what a node of one's own is."""
    kind: GroupKind
    """How they are bought."""
    vcpus: int
    """vCPUs of all of them, those beyond the cap included; 0 where they are not known."""
    usd_per_hour: float
    """USD for an hour of all of them, those beyond the cap included."""


def ceiling(decision: Decision) -> tuple[Most, ...]:
    """Return all nodes that may run at once: GPU pools, then system nodes."""
    return (*_pools(decision), *_system(decision))


def ceiling_usd_per_hour(decision: Decision) -> float:
    """Return USD an hour with all of them running."""
    return sum(most.usd_per_hour for most in ceiling(decision))


def quotas(decision: Decision) -> dict[str, int]:
    """Return the vCPUs that the stack needs of each quota of EC2 on target eks, by its name there."""
    found: dict[str, int] = {}
    if isinstance(decision.stack.target, Eks):
        for most in ceiling(decision):
            name = quota_name(most.name, most.kind)
            found[name] = found.get(name, 0) + most.vcpus
    return found


def quota_name(instance_type: str, kind: GroupKind) -> str:
    """Return what Service Quotas calls the quota; where that is not known, what to look up.

    A capacity reservation counts as on demand; a capacity block counts in none of these.
    """
    name = re.match(r"([a-z]+)\d*", instance_type)
    family, letters = (name[0], name[1]) if name else (instance_type, "")
    of_family = CLASSES.get(letters)
    if kind == "capacity_block":
        return f"Capacity Blocks of {family}, which no On-Demand quota counts"
    if kind == "spot":
        spot = SPOT_CLASSES.get(family) if of_family == "P" else of_family
        if spot:
            return f"All {spot} Spot Instance Requests"
        return f"Spot requests of {family} (look up the quota's name)"
    if of_family:
        return f"Running On-Demand {of_family} instances"
    return f"On-Demand instances of {family} (look up the quota's name)"


def _pools(decision: Decision) -> Iterator[Most]:
    for case in decision.cases:
        instance = case.nodes.instance
        for group in case.nodes.groups:
            yield Most(
                nodes=group.max_nodes,
                over_nodes=group.over_nodes,
                name=instance.name if instance else case.nodes.node,
                kind=group.kind,
                vcpus=(group.max_nodes + group.over_nodes) * instance.vcpus if instance else 0,
                usd_per_hour=group.usd_per_hour_at_max,
            )


def _system(decision: Decision) -> Iterator[Most]:
    nodes = decision.system_nodes
    if nodes:
        yield Most(
            nodes=nodes.most,
            over_nodes=nodes.over_nodes,
            name=nodes.instance.name,
            kind="on_demand",
            vcpus=(nodes.most + nodes.over_nodes) * nodes.instance.vcpus,
            usd_per_hour=nodes.usd_per_hour + nodes.over_usd_per_hour,
        )
