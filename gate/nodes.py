"""What one model's pool buys: which nodes, at which price, and how many replicas a node holds."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from gate import facts
from gate.aws_nodes import check_local_disks, warm_nodes
from gate.economics.bills import Need, Pool
from gate.economics.units import HOURS_PER_MONTH, whole
from gate.findings import Finding, blocking, of_age
from gate.hardware import Chip, Hardware, declared_hardware
from gate.purchases import (
    NodeGroup,
    Price,
    Wanted,
    buy,
    buys_on_demand,
)
from stacks import pool as declared
from stacks.aws.target import Eks
from stacks.errors import InputError, Place
from stacks.purchase import CapacityBlock, Purchase
from stacks.target import Target


class NodePlan(NamedTuple):
    """What the pool of one model buys."""

    chip: Chip
    instance: facts.Instance | None
    """What is bought of the cloud; None where the node is one's own."""
    node: str
    """Name of the node for a reader, e.g. "p5.4xlarge in us-east-1"."""
    gpus_per_node: int
    """0 where the node has none, and its replica computes on its processor."""
    gpus_per_replica: int
    replicas_per_node: int
    price: Price
    """Of one more node."""
    committed: Price | None
    """Of the nodes under a commitment, where one more node costs something else."""
    fallback: Price | None
    """Of the nodes on demand that stand in for spot ones; it is a part of the price."""
    overhead_fraction: float
    """Node-hours paid beyond those that serve: interruptions of spot nodes."""
    min_nodes: int
    max_nodes: float
    commitment_usd_per_month: float
    """What committed nodes cost beyond (or, negative, below) the price of one more node."""
    groups: tuple[NodeGroup, ...]
    """What is bought, each group at its cap: nothing else may be."""

    @property
    def chips_per_replica(self) -> int:
        """Return its GPUs, or one processor."""
        return self.gpus_per_replica or 1

    @property
    def ceiling_usd_per_hour(self) -> float:
        """Return USD an hour with all that may run for minutes: every group at its cap and beyond."""
        return sum(group.usd_per_hour_at_max for group in self.groups)

    @property
    def prices(self) -> tuple[Price, ...]:
        """Return every price that is paid."""
        return tuple(filter(None, (self.price, self.committed, self.fallback)))

    @property
    def node_usd_per_month(self) -> float:
        """Return c: one more node for a month."""
        return self.price.usd_per_hour * HOURS_PER_MONTH * (1 + self.overhead_fraction)

    @property
    def most_nodes(self) -> int:
        """Return how many nodes have a disk for long: all groups at their caps, and those kept stopped."""
        return sum(group.max_nodes + group.warm_nodes for group in self.groups)

    def pool(self, needs: tuple[Need, ...]) -> Pool:
        """Return the pool as the model takes it."""
        return Pool(
            node_usd=self.node_usd_per_month,
            min_nodes=self.min_nodes,
            max_nodes=self.max_nodes,
            needs=needs,
        )


def plan_nodes(pool: declared.Pool, place: Place, *, target: Target, as_of: date) -> NodePlan:
    """Return what the declared pool buys on the stack's target.

    Raises:
        InputError: the instance, its GPU or its price is unknown, replicas do not fill a node, or the
            instance lacks the local disks that the target declares.
    """
    hardware = declared_hardware(pool.node, place.at("node"), as_of=as_of)
    per_node = _replicas_per_node(pool.gpus_per_replica, hardware, place)
    cap = pool.replicas.max / per_node
    floor, warm = whole(pool.replicas.min / per_node), warm_nodes(target)
    wanted = Wanted(floor=floor, most=whole(cap), warm=warm)
    if hardware.price is None and buys_on_demand(pool.purchase, wanted):
        raise _no_list_price(pool.node, place, target, as_of)
    bought = buy(pool.purchase, place.at("purchase"), hardware.price, wanted)
    return NodePlan(
        chip=hardware.chip,
        instance=_instance(pool.node, target, place.at("node.instance_type")),
        node=hardware.node,
        gpus_per_node=hardware.gpus,
        gpus_per_replica=pool.gpus_per_replica,
        replicas_per_node=per_node,
        price=bought.price,
        committed=bought.committed,
        fallback=bought.fallback,
        overhead_fraction=bought.overhead_fraction,
        min_nodes=bought.min_nodes,
        max_nodes=cap,
        commitment_usd_per_month=bought.commitment_usd_per_month,
        groups=bought.groups,
    )


def _replicas_per_node(each: int, hardware: Hardware, place: Place) -> int:
    """Return how many replicas a node holds, all of its GPUs used: an idle GPU would be paid for good."""
    gpus = hardware.gpus
    if gpus == 0:
        return 1
    if gpus % each:
        raise place.at("gpus_per_replica").error(
            found=f"{each}, which does not divide the {gpus} GPUs of {hardware.node}",
            allowed=", ".join(f"{size}" for size in range(1, gpus + 1) if gpus % size == 0),
            remedy="take a number that leaves no GPU idle, another node, or a smaller precision",
        )
    return gpus // each


def _instance(node: declared.Node, target: Target, place: Place) -> facts.Instance | None:
    """Return what is bought of the cloud; by now it is known."""
    if not isinstance(node, declared.CatalogNode):
        return None
    instance = facts.instance(node.instance_type)
    check_local_disks(instance, target, place)
    return instance


def _no_list_price(node: declared.Node, place: Place, target: Target, as_of: date) -> InputError:
    """Return the answer for an instance without an on-demand price in its region: never 0."""
    assert isinstance(node, declared.CatalogNode), "a node of one's own has its own price"  # noqa: S101
    records = facts.instance(node.instance_type).prices
    known = {r.region for r in records if r.purchase == "on_demand" and r.effective_from <= as_of}
    own = "" if isinstance(target, Eks) else ", or declare node.kind: own with a quote"
    return place.at("node.region").error(
        found=f"{node.region}, where no on-demand price of {node.instance_type} is known on {as_of}",
        allowed=", ".join(sorted(known)) or "no region: it is not sold on demand",
        remedy=f"add the price to gate/data/instances.yaml, or name another purchase{own}",
    )


def price_findings(
    purchase: Purchase, nodes: NodePlan, place: Place, *, as_of: date
) -> Iterator[Finding]:
    """Yield what the dates of the prices that are paid call for."""
    for price in nodes.prices:
        here, limit = place.at(price.field), price.max_age_days
        yield from of_age(here, checked=price.checked, as_of=as_of, max_age_days=limit)
    if isinstance(purchase, CapacityBlock):
        yield from _window_findings(purchase, place.at("purchase"), as_of)


def _window_findings(block: CapacityBlock, place: Place, as_of: date) -> Iterator[Finding]:
    """Yield a window that is not open: before and after it there is no node to be had."""
    if block.starts > as_of:
        yield blocking(
            place.at("starts"),
            found=f"{block.starts}, a day ahead: until then the pool has no capacity",
            allowed=f"up to {as_of}",
            remedy="deploy from that day on, or declare another purchase option until then",
        )
    if block.ends < as_of:
        yield blocking(
            place.at("ends"),
            found=f"{block.ends}, which has passed",
            allowed=f"from {as_of}",
            remedy="declare the block that follows, or another purchase option",
        )
