"""What only a stack on AWS can have wrong, as far as the gate has to know dates and prices for it."""

from tests.eks import ON_EKS, M
from tests.factories import Changes
from tests.gate.bad_input import Wrong

SYSTEM, VERSION = "target.system_nodes.instance_type", "target.cluster.version"


def wrong(
    what: str, field: str, found: str, changes: Changes, *, allowed: str = "", remedy: str = ""
) -> Wrong:
    """One stack on AWS."""
    return Wrong(what, field, found, {**ON_EKS, **changes}, allowed=allowed, remedy=remedy)


def version(name: str, support: str = "standard") -> Changes:
    release = f"{name}.2-20260818"
    return {
        VERSION: name,
        "target.cluster.support": support,
        "target.gpu_nodes.ami_release": release,
    }


def reservation(nodes: int) -> Changes:
    reserved = {"reservation": "cr-0123456789abcdef0", "zone": "us-east-1a", "nodes": nodes}
    return {M + "pool.purchase": {"kind": "capacity_reservation", **reserved}}


def block(*, starts: str, ends: str) -> Changes:
    bought = {"reservation": "cr-0123456789abcdef0", "zone": "us-east-1a", "usd_per_hour": 4}
    quote = {"evidence": "order 17", "checked": "2026-11-01", "starts": starts, "ends": ends}
    return {M + "pool.purchase": {"kind": "capacity_block", **bought, **quote}, "target.ends": ends}


ELSEWHERE: Changes = {
    "target.region": "eu-north-1",
    "target.zones": ["eu-north-1a", "eu-north-1b"],
    M + "pool.node": {"kind": "instance", "instance_type": "p5.48xlarge", "region": "eu-north-1"},
}
ON_AWS = (
    wrong(
        "system nodes of an unknown type", SYSTEM, "m7i.xlargo, an unknown instance type",
        {SYSTEM: "m7i.xlargo"}, remedy="did you mean m7i.xlarge?",
    ),
    wrong(
        "system nodes with GPUs", SYSTEM, "g6.xlarge, which has GPUs",
        {SYSTEM: "g6.xlarge"}, allowed="without GPUs", remedy="in their pools",
    ),
    wrong(
        "a cap of system nodes below the floor", "target.system_nodes.max", "1, below the floor",
        {"target.system_nodes.max": 1}, allowed="from min (3)",
    ),
    wrong(
        "a region without prices of what is made", "target.region",
        "eu-north-1, where no price of eks_cluster_hour is known",
        ELSEWHERE, allowed="us-east-1", remedy="gate/data/operations.yaml",
    ),
    wrong(
        "GPU nodes without a price in the region", M + "pool.node.region",
        "eu-north-1, where no on-demand price of p5.4xlarge is known",
        {**ELSEWHERE, M + "pool.node.instance_type": "p5.4xlarge"}, allowed="us-east-1",
        remedy="add the price to gate/data/instances.yaml, or name another purchase",
    ),
    wrong(
        "a block that has not begun", M + "pool.purchase.starts",
        "2026-11-22, a day ahead: until then the pool has no capacity",
        block(starts="2026-11-22", ends="2026-12-31"), allowed="up to 2026-11-21",
        remedy="deploy from that day on",
    ),
    wrong(
        "a stack past its last day", "target.ends", "2026-11-20, which has passed",
        {"target.ends": "2026-11-20"}, allowed="from 2026-11-21", remedy="take the stack down",
    ),
    wrong(
        "a reservation too small for the cap", M + "pool.purchase.nodes", "2",
        reservation(2), allowed="from the 14 nodes that replicas.max needs",
        remedy="enlarge the reservation or lower replicas.max",
    ),
    wrong(
        "a Kubernetes version that EKS does not have", VERSION,
        "1.99, a version that EKS is not known to have", version("1.99"),
        allowed="1.35, 1.36", remedy="gate/data/kubernetes.yaml",
    ),
    wrong(
        "a version past its standard support", VERSION,
        "1.33, whose standard support ended on 2026-07-29", version("1.33"),
        allowed="1.35, 1.36", remedy="declare the next version",
    ),
    wrong(
        "a version past its extended support", VERSION,
        "1.30, whose extended support ended on 2026-07-23", version("1.30", "extended"),
        allowed="1.32, 1.33, 1.34, 1.35, 1.36", remedy="EKS upgrades it by itself",
    ),
    wrong(
        "a release of an AMI without a day", "target.gpu_nodes.ami_release",
        "1.36.2-20261399, which ends in no day",
        {"target.gpu_nodes.ami_release": "1.36.2-20261399"}, allowed="YYYYMMDD",
    ),
    wrong(
        "capacity that comes later than a node", M + "pool.scaling.lead_minutes", "10 min",
        {M + "pool.scaling.lead_minutes": 10}, allowed="a node's 240 s",
        remedy="a cold start ahead",
    ),
    wrong(
        "more to the internet than has a price", "target.usage.internet_gb", "200000",
        {"target.usage.internet_gb": 200_000}, allowed="up to 153600", remedy="the next tier",
    ),
)  # fmt: skip
