"""What AWS bills around the GPU nodes of target eks: counts of what is made, times dated prices.

The counts come from stacks/aws/made.py, which the components register by: what is priced is what is
made. AWS says GB and means GiB where it bills what is stored. The scalers of nodes cost nothing
themselves.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from gate import facts
from gate.aws_nodes import SystemNodes, system_nodes
from gate.costs import AWS, CostItem, fact_item
from gate.economics.units import HOURS_PER_MONTH
from gate.nodes import NodePlan
from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack

GP3_IOPS: Final = 3000
GP3_MB_PER_S: Final = 125
"""What a gp3 volume has at no further price."""
FREE_EGRESS_GB: Final = 100
EGRESS_TIERS_GB: Final = (
    ("egress_gb_first_10_tb", "", 10_240),
    ("egress_gb_next_40_tb", ", next 40 TB", 51_200),
    ("egress_gb_next_100_tb", ", next 100 TB", 153_600),
)
"""Price, what its line is called, and the GB a month up to which it holds."""
EVENTS_PER_PRICE: Final = 100_000
DAYS_PER_MONTH: Final = HOURS_PER_MONTH / 24


class Use(NamedTuple):
    """Something that AWS bills, and how much of it a month."""

    name: str
    fact: str
    """Key of its price in gate/data/operations.yaml."""
    quantity: float
    of_what: str = ""
    """How the quantity comes about."""


def aws_items(
    stack: Stack, plans: Sequence[NodePlan], root: Place, as_of: date
) -> tuple[CostItem, ...]:
    """Return what target eks costs a month beside the GPU nodes, a line each; nothing elsewhere.

    Raises:
        InputError: the system nodes or the region have no price, or more leaves than is priced.
    """
    uses = aws_prices(
        stack, plans, root, as_of
    )  # first: a region without prices is told of as such
    system = system_nodes(stack, root, as_of=as_of)
    if system is None:
        return ()
    return (
        _system_item(system),
        *(fact_item(AWS, use.name, use.quantity, price, use.of_what) for use, price in uses),
    )


def aws_prices(
    stack: Stack, plans: Sequence[NodePlan], root: Place, as_of: date
) -> tuple[tuple[Use, facts.OperationsPrice], ...]:
    """Return what is billed by the unit, each with its price in the region; nothing elsewhere."""
    eks, place = stack.target, root.at("target")
    if not isinstance(eks, Eks):
        return ()
    uses = (
        *_cluster(eks, as_of),
        *_disks(stack, eks, plans),
        *_stores(eks),
        *_network(eks),
        *_traffic(eks, place),
    )
    return tuple((use, _price(use.fact, eks, place, as_of)) for use in uses if use.quantity)


def _price(key: str, eks: Eks, place: Place, as_of: date) -> facts.OperationsPrice:
    try:
        return facts.operations_price(key, as_of=as_of, region=eks.region)
    except facts.UnknownFact as error:
        raise place.at("region").error(
            found=f"{eks.region}, where no price of {key} is known on {as_of}",
            allowed=", ".join(error.allowed),
            remedy="add the prices of the region to gate/data/operations.yaml, or take one that has them",
        ) from None


def _system_item(system: SystemNodes) -> CostItem:
    price, name = system.price, system.instance.name
    return CostItem(
        group=AWS,
        name="system nodes",
        usd_per_month=system.usd_per_hour * HOURS_PER_MONTH,
        basis=f"{system.most} x {name} x {HOURS_PER_MONTH:g} h x {price.usd_per_hour:g} USD/h"
        f" ({price.source.checked})",
    )


def _cluster(eks: Eks, as_of: date) -> Iterator[Use]:
    fact = "eks_cluster_hour_extended_support" if is_extended(eks, as_of) else "eks_cluster_hour"
    yield Use("control plane", fact, HOURS_PER_MONTH)
    yield Use("KMS keys", "kms_key_month", len(made.KEYS), " and ".join(made.KEYS))
    days, gb = log_days(eks), eks.usage.log_gb
    yield Use("logs written", "cloudwatch_logs_ingested_gb", gb, "usage.log_gb")
    held = gb * days / DAYS_PER_MONTH
    kept = f"{gb:g} GB a month for {days} days, as if not compressed"
    yield Use("logs kept", "cloudwatch_logs_stored_gb_month", held, kept)


def is_extended(eks: Eks, as_of: date) -> bool:
    """Return whether the extended fee is due: declared, and standard support has ended."""
    try:
        ends = facts.kubernetes(eks.cluster.version).standard_ends
    except facts.UnknownFact:
        return False  # aws_findings answers it: nothing is judged
    return eks.cluster.support == "extended" and as_of >= ends


def log_days(eks: Eks) -> int:
    """Return how long logs are kept: the longer of the cluster's and the auditor's retention."""
    return max(eks.cluster.log_retention_days, eks.audit.retention_days if eks.audit else 0)


def _disks(stack: Stack, eks: Eks, plans: Sequence[NodePlan]) -> Iterator[Use]:
    system, gpu, gpu_nodes = eks.system_nodes, eks.gpu_nodes, sum(p.most_nodes for p in plans)
    for name, nodes, gib, (iops, mb_per_s) in (
        ("system disks", system.max, system.disk_gib, made.SYSTEM_DISK),
        ("GPU node disks", gpu_nodes, gpu.disk_gib, made.gpu_disk(eks)),
    ):
        yield Use(name, "gp3_gb_month", nodes * gib, f"{nodes} x {gib} GiB")
        more, faster = max(0, iops - GP3_IOPS), max(0, mb_per_s - GP3_MB_PER_S)
        yield Use(f"{name}, IOPS", "gp3_iops_month", nodes * more, f"{nodes} x {more}")
        yield Use(
            f"{name}, MB/s", "gp3_throughput_mbps_month", nodes * faster, f"{nodes} x {faster}"
        )
    yield Use("volumes of pods", "gp3_gb_month", made.volume_gib(stack))


def _stores(eks: Eks) -> Iterator[Use]:
    thousands = eks.usage.bucket_thousand_requests
    if eks.model_store:
        yield Use("model store", "s3_standard_gb_month", eks.model_store.gib)
        yield Use("model store requests", "s3_get_thousand", thousands)
    if eks.registry:
        yield Use("registry", "ecr_gb_month", eks.registry.gib)
    if eks.audit:
        events = thousands * 1000 / EVENTS_PER_PRICE
        of_what = "an event a request"
        yield Use("audit trail", "cloudtrail_data_events_hundred_thousand", events, of_what)


def _network(eks: Eks) -> Iterator[Use]:
    gateways, addresses = len(made.nat_zones(eks)), made.public_addresses(eks)
    services, zones = len(made.interface_endpoints(eks)), len(eks.zones)
    hours = f"x {HOURS_PER_MONTH:g} h"
    nat, endpoints = f"{gateways} {hours}", f"{services} in {zones} zones {hours}"
    yield Use("NAT gateways", "nat_gateway_hour", gateways * HOURS_PER_MONTH, nat)
    yield Use("through NAT", "nat_gateway_gb", eks.usage.nat_gb, "usage.nat_gb")
    public = f"{addresses} {hours}"
    yield Use("public addresses", "public_ipv4_hour", addresses * HOURS_PER_MONTH, public)
    per_hour = services * zones * HOURS_PER_MONTH
    yield Use("interface endpoints", "interface_endpoint_hour_per_az", per_hour, endpoints)
    yield Use(
        "through endpoints", "interface_endpoint_gb", eks.usage.endpoint_gb, "usage.endpoint_gb"
    )


def _traffic(eks: Eks, place: Place) -> Iterator[Use]:
    usage = eks.usage
    if eks.load_balancer:
        yield Use("load balancer", "alb_hour", HOURS_PER_MONTH)
    lcu_hours = usage.load_balancer_lcu_hours
    yield Use("load balancer capacity", "alb_capacity_unit_hour", lcu_hours, "usage")
    both = f"{usage.cross_zone_gb:g} GB, out and in"
    yield Use("between zones", "cross_az_gb_each_way", 2 * usage.cross_zone_gb, both)
    yield from _egress(usage.internet_gb, place.at("usage.internet_gb"))


def _egress(gb: float, place: Place) -> Iterator[Use]:
    most = EGRESS_TIERS_GB[-1][2]
    if gb > most:
        raise place.error(
            found=f"{gb:g}",
            allowed=f"up to {most:g}, as far as prices are known",
            remedy="add the price of the next tier to gate/data/operations.yaml",
        )
    start = FREE_EGRESS_GB
    for fact, name, end in EGRESS_TIERS_GB:
        billed = max(0.0, min(gb, end) - start)
        beyond = f"above {start:,} GB"
        yield Use(f"to the internet{name}", fact, billed, beyond)
        start = end
