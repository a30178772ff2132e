"""What a purchase option makes of a pool: the price of a node, the nodes that are paid anyway, the caps."""

from datetime import date
from typing import Literal, NamedTuple

from gate import facts
from gate.economics.units import HOURS_PER_MONTH, whole
from stacks.errors import Place
from stacks.purchase import (
    CapacityBlock,
    CapacityReservation,
    Committed,
    OnDemand,
    Purchase,
    Spot,
)

NEGOTIATED_PRICE_MAX_AGE_DAYS = 180
"""A quote or a contract is looked at twice a year; list prices have limits of their own."""
REBALANCING_FRACTION = 0.1
"""By which EC2 may exceed the cap of a spot group, at least by one node: a replacement comes before the
node that is about to be interrupted, or that is in a crowded zone, goes. Amazon EC2 Auto Scaling user
guide, rebalancing activities. Groups of other kinds are in one zone and are never rebalanced."""


class Price(NamedTuple):
    """USD for a node-hour, and where that comes from."""

    usd_per_hour: float
    source: str
    checked: date
    label: str
    field: str
    """Where in the pool it is declared, for what is said of its age."""
    max_age_days: int


class Wanted(NamedTuple):
    """How many nodes a pool asks for."""

    floor: int
    """Nodes that hold the floor of replicas."""
    most: int
    """Nodes that hold the cap of replicas."""
    warm: int = 0
    """Stopped instances that each group bought on demand keeps; none where nobody can keep them."""


GroupKind = Literal["on_demand", "spot", "capacity_reservation", "capacity_block"]


class NodeGroup(NamedTuple):
    """Nodes that are bought in one way: a group of the cloud's, with a cap of its own."""

    kind: GroupKind
    min_nodes: int
    max_nodes: int
    usd_per_hour_at_max: float
    """USD an hour with all nodes of the cap running, and those beyond it."""
    over_nodes: int = 0
    """Nodes by which the cloud exceeds the cap for minutes; on no monthly bill. Warm ones are among them:
    each runs once, to be initialised."""
    warm_nodes: int = 0
    """Instances that are kept stopped beside those that run; their disks are paid."""


class Bought(NamedTuple):
    """What a purchase option makes of what is wanted."""

    price: Price
    """Of one more node."""
    min_nodes: int
    """Nodes that are paid, used or not."""
    groups: tuple[NodeGroup, ...]
    committed: Price | None = None
    """Of the nodes under a commitment, where one more node costs something else."""
    fallback: Price | None = None
    """Of the nodes on demand that stand in for spot ones; it is a part of the price."""
    overhead_fraction: float = 0.0
    """Node-hours paid beyond those that serve."""
    commitment_usd_per_month: float = 0.0
    """What committed nodes cost beyond the price of one more node; may be negative."""


def buys_on_demand(purchase: Purchase, wanted: Wanted) -> bool:
    """Return whether the list price counts."""
    match purchase:
        case OnDemand() | CapacityReservation():
            return True
        case Spot():
            return purchase.on_demand_fallback is not None
        case Committed():
            return purchase.committed_nodes < wanted.most + wanted.warm
        case CapacityBlock():
            return False


def buy(purchase: Purchase, place: Place, list_price: Price | None, wanted: Wanted) -> Bought:
    """Return what is bought; `list_price` is known where `buys_on_demand` says so.

    Raises:
        InputError: more is committed to than the pool can use, or a reservation is too small for it.
    """
    match purchase:
        case OnDemand():
            return _on_demand(_known(list_price), wanted)
        case Spot():
            return _spot(purchase, list_price, wanted)
        case CapacityReservation():
            return _reservation(purchase, place, _known(list_price), wanted)
        case CapacityBlock():
            # Prepaid: all nodes of the block are paid, used or not.
            price = _quoted(purchase, "capacity block")
            group = _group("capacity_block", wanted.most, wanted.most, price)
            return Bought(price=price, min_nodes=wanted.most, groups=(group,))
        case Committed():
            return _committed(purchase, place, list_price, wanted)


def _on_demand(price: Price, wanted: Wanted) -> Bought:
    group = _on_demand_group(wanted.floor, wanted.most, price, wanted)
    return Bought(price=price, min_nodes=wanted.floor, groups=(group,))


def _spot(purchase: Spot, list_price: Price | None, wanted: Wanted) -> Bought:
    """Return spot nodes; a node-hour costs what the two markets cost in their declared shares.

    Spot 2.65, on demand 6.88 for 10 % of the hours: 2.65 x 0.9 + 6.88 x 0.1 = 3.073 USD.
    """
    spot, fallback = _quoted(purchase, "spot"), purchase.on_demand_fallback
    over = max(1, whole(REBALANCING_FRACTION * wanted.most))
    groups = [_group("spot", wanted.floor, wanted.most, spot, over=over)]
    price, on_demand = spot, None
    if fallback is not None:
        on_demand, share = _known(list_price), fallback.hours_fraction
        groups.append(_on_demand_group(0, fallback.nodes, on_demand, wanted))
        mixed = spot.usd_per_hour * (1 - share) + on_demand.usd_per_hour * share
        price = spot._replace(usd_per_hour=mixed, label=f"spot, {share:.3g} of it on demand")
    return Bought(
        price=price,
        min_nodes=wanted.floor,
        groups=tuple(groups),
        fallback=on_demand,
        overhead_fraction=purchase.interruption_overhead_fraction,
    )


def _reservation(
    purchase: CapacityReservation, place: Place, price: Price, wanted: Wanted
) -> Bought:
    """Return reserved nodes: all of them are paid, used or not, and there are no others."""
    if wanted.most > purchase.nodes:
        raise place.at("nodes").error(
            found=f"{purchase.nodes}",
            allowed=f"from the {wanted.most} nodes that replicas.max needs",
            remedy="enlarge the reservation or lower replicas.max: more nodes would be bought on demand",
        )
    group = _group("capacity_reservation", wanted.floor, purchase.nodes, price)
    return Bought(price=price, min_nodes=purchase.nodes, groups=(group,))


def _committed(
    purchase: Committed, place: Place, list_price: Price | None, wanted: Wanted
) -> Bought:
    """Return committed nodes as a floor, and what they cost other than on demand as a fixed amount.

    A commitment is a price, not a place: the group is bought on demand, and the bill is lowered later.
    """
    most, nodes = wanted.most, purchase.committed_nodes
    if nodes > most:
        raise place.at("committed_nodes").error(
            found=f"{nodes}",
            allowed=f"up to the {most} nodes that replicas.max needs",
            remedy="commit to fewer nodes or raise replicas.max",
        )
    price = _quoted(purchase, purchase.kind.replace("_", " "))
    on_demand = _known(list_price) if buys_on_demand(purchase, wanted) else price
    group = _on_demand_group(wanted.floor, most, on_demand, wanted)
    beyond = most + group.over_nodes - nodes
    at_max = price.usd_per_hour * nodes + on_demand.usd_per_hour * beyond
    group = group._replace(usd_per_hour_at_max=at_max)
    if nodes == most:
        return Bought(price=price, min_nodes=most, groups=(group,))
    difference = (price.usd_per_hour - on_demand.usd_per_hour) * HOURS_PER_MONTH
    return Bought(
        price=on_demand,
        committed=price,
        min_nodes=max(wanted.floor, nodes),
        groups=(group,),
        commitment_usd_per_month=difference * nodes,
    )


def _group(kind: GroupKind, floor: int, most: int, price: Price, *, over: int = 0) -> NodeGroup:
    return NodeGroup(kind, floor, most, price.usd_per_hour * (most + over), over)


def _on_demand_group(floor: int, most: int, price: Price, wanted: Wanted) -> NodeGroup:
    """Return nodes on demand, and the warm ones beside them: at most as many as can be used at once."""
    warm = min(wanted.warm, most)
    return _group("on_demand", floor, most, price, over=warm)._replace(warm_nodes=warm)


def _known(list_price: Price | None) -> Price:
    assert list_price is not None, "plan_nodes answers an unknown price"  # noqa: S101
    return list_price


def _quoted(purchase: Spot | Committed | CapacityBlock, label: str) -> Price:
    return Price(
        usd_per_hour=purchase.usd_per_hour,
        source=purchase.evidence,
        checked=purchase.checked,
        label=label,
        field="purchase.checked",
        max_age_days=facts.max_age_days("instance_price")
        if isinstance(purchase, Spot)
        else NEGOTIATED_PRICE_MAX_AGE_DAYS,
    )
