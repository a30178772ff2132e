"""What must hold of the nodes of a cluster; checked when they are declared."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import ContradictionError
from stacks.purchase import Committed, OnDemand, Purchase, Spot

if TYPE_CHECKING:
    from stacks.stack import Stack

Problems = Iterator[ContradictionError]


def node_problems(eks: Eks, stack: "Stack") -> Problems:
    """Yield what does not go together in nodes and what they are for."""
    yield from _releases(eks)
    yield from _zone(eks)
    yield from _volumes(eks, stack)
    yield from _scaled(eks)
    yield from _warm(eks, stack)


def _releases(eks: Eks) -> Problems:
    release = eks.gpu_nodes.ami_release
    if not release.startswith(f"{eks.cluster.version}."):
        yield ContradictionError(
            field=".target.gpu_nodes.ami_release",
            found=f"{release}, with cluster.version: {eks.cluster.version}",
            allowed=f"a release of {eks.cluster.version}",
            remedy="raise the control plane first, then the nodes, to the same minor version",
        )


def _warm(eks: Eks, stack: "Stack") -> Problems:
    own_groups = eks.gpu_nodes.scaler == "cluster_autoscaler"
    on_demand = any(_buys_on_demand(each.pool.purchase) for each in stack.models)
    if eks.gpu_nodes.warm_nodes and not (own_groups and on_demand):
        yield ContradictionError(
            field=".target.gpu_nodes.warm_nodes",
            found=f"{eks.gpu_nodes.warm_nodes}, without a group that can have them",
            allowed="stopped instances of node groups that are bought on demand",
            remedy="take it out: spot nodes, reservations, blocks and Karpenter's nodes are not kept",
        )


def _buys_on_demand(purchase: Purchase) -> bool:
    """Return whether a pool has a group that is bought on demand."""
    backed = isinstance(purchase, Spot) and purchase.on_demand_fallback is not None
    return backed or isinstance(purchase, OnDemand | Committed)


def _zone(eks: Eks) -> Problems:
    zone = eks.gpu_nodes.zone
    if zone is not None and zone not in eks.zones:
        yield ContradictionError(
            field=".target.gpu_nodes.zone",
            found=zone,
            allowed=f"one of target.zones: {', '.join(eks.zones)}",
            remedy="name a zone that has a subnet, or add this one to target.zones",
        )


def _volumes(eks: Eks, stack: "Stack") -> Problems:
    """Yield a floor that leaves a zone without a node: a volume is in one zone, and its pod with it."""
    nodes, zones = eks.system_nodes, len(eks.zones)
    if made.volume_gib(stack) and nodes.min < zones:
        yield ContradictionError(
            field=".target.system_nodes.min",
            found=f"{nodes.min}, with {zones} zones and pods that claim volumes",
            allowed=f"{zones} or more: a pod whose volume is in a zone without a node stays pending",
            remedy="raise min, or declare fewer zones",
        )


def _scaled(eks: Eks) -> Problems:
    nodes = eks.system_nodes
    if eks.gpu_nodes.scaler == "karpenter" and nodes.min != nodes.max:
        yield ContradictionError(
            field=".target.system_nodes.min",
            found=f"{nodes.min}, with max: {nodes.max} and gpu_nodes.scaler: karpenter",
            allowed="min and max alike: Karpenter does not scale the system group",
            remedy="declare as many as are needed, in both",
        )
