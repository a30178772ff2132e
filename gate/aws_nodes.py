"""What target eks says of nodes: those without GPUs, with their price, and what all GPU nodes have."""

from datetime import date
from typing import NamedTuple

from gate import facts
from gate.lookup import answering, instance_price
from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack
from stacks.target import Target


class SystemNodes(NamedTuple):
    """Nodes for the gateway, routers, monitoring and what runs the cluster."""

    instance: facts.Instance
    most: int
    """Cap; all of them are in the price."""
    over_nodes: int
    """Nodes by which an update exceeds the cap for minutes; on no monthly bill."""
    price: facts.PriceRecord

    @property
    def usd_per_hour(self) -> float:
        """Return USD an hour with all nodes of the cap running."""
        return self.most * self.price.usd_per_hour

    @property
    def over_usd_per_hour(self) -> float:
        """Return USD an hour of the nodes beyond the cap."""
        return self.over_nodes * self.price.usd_per_hour


def system_nodes(stack: Stack, root: Place, *, as_of: date) -> SystemNodes | None:
    """Return the system nodes; None where the target makes none.

    Raises:
        InputError: the type is unknown, has GPUs, or has no on-demand price in the region.
    """
    eks = stack.target
    if not isinstance(eks, Eks):
        return None
    name, place = eks.system_nodes.instance_type, root.at("target.system_nodes.instance_type")
    with answering(place):
        instance = facts.instance(name)
    if instance.gpu is not None:
        raise place.error(
            found=f"{name}, which has GPUs",
            allowed="an instance type without GPUs, e.g. m7i.xlarge",
            remedy="take a type without GPUs: those of the models are in their pools",
        )
    price = instance_price(name, region=eks.region, as_of=as_of)
    if price is None:
        known = {r.region for r in instance.prices if r.effective_from <= as_of}
        raise place.error(
            found=f"{name}, of which no on-demand price in {eks.region} is known on {as_of}",
            allowed=f"a type with one; {name} has one in {', '.join(sorted(known)) or 'no region'}",
            remedy="add the price to gate/data/instances.yaml, or name another type",
        )
    return SystemNodes(
        instance=instance,
        most=eks.system_nodes.max,
        over_nodes=made.system_update_nodes(eks),
        price=price,
    )


def warm_nodes(target: Target) -> int:
    """Return the stopped instances that each group bought on demand keeps; none off AWS."""
    return target.gpu_nodes.warm_nodes if isinstance(target, Eks) else 0


def check_local_disks(instance: facts.Instance, target: Target, place: Place) -> None:
    """Raise InputError where images shall lie on disks that a GPU instance does not have."""
    if isinstance(target, Eks) and target.gpu_nodes.local_disks and not instance.local_disk_gb:
        raise place.error(
            found=f"{instance.name}, with target.gpu_nodes.local_disks: true",
            allowed="an instance type with NVMe disks of its own (local_disk_gb in"
            " gate/data/instances.yaml)",
            remedy="declare local_disks: false, or take another type",
        )
