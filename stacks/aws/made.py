"""What a declared AWS account comes to, counted: what is registered and what is priced are one list.

The gate prices these counts and the components register them; neither counts for itself.
"""

import ipaddress
from typing import TYPE_CHECKING, Final

from stacks.aws.target import Chart, Eks, Nat, NoEgress
from stacks.observability import BundledStores, OwnLangfuse, OwnPrometheus
from stacks.pool import Autoscaled

if TYPE_CHECKING:  # whose checks read this
    from stacks.stack import Stack

ALWAYS: Final = ("s3",)
"""Gateway endpoints; they cost nothing."""
WITHOUT_EGRESS: Final = (
    *("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts", "s3"),
    *("autoscaling", "elasticloadbalancing", "kms", "logs", "ssm", "ssmmessages"),
)
"""Services that nodes and pods must reach through interface endpoints where there is no way out.

s3 too: pods may only connect into the VPC, and the gateway endpoint's addresses are public ones.
"""
SYSTEM_DISK: Final = (3000, 125)
"""IOPS and MB/s of a system node's root disk: gp3's own, at no price."""
GPU_DISK: Final = (6000, 500)
"""IOPS and MB/s of a GPU node's root disk that holds images: one of 10 GB is written in 20 s, not in 80."""
UPDATE_NODES_PER_ZONE: Final = 2
"""By which EKS exceeds a group's cap for minutes while it updates the nodes with the DEFAULT strategy.
Amazon EKS user guide, "Understand each phase of node updates"."""
BUNDLED_STORES: Final = 4
"""Volumes of Langfuse's bundled stores: Postgres, ClickHouse, Valkey, SeaweedFS."""
SERVICE_CIDRS: Final = ("172.20.0.0/16", "10.100.0.0/16")
"""Where EKS takes the addresses of Services from; no network of ours has them."""
CLUSTER_KEY: Final = "cluster"
DATA_KEY: Final = "data"
KEYS: Final = (CLUSTER_KEY, DATA_KEY)
"""KMS keys: of the cluster's Secrets and logs, and of disks, weights and images."""


def service_cidr(eks: Eks) -> str:
    """Return the addresses of the cluster's Services: the first range that is not the VPC's."""
    vpc = ipaddress.IPv4Network(eks.network.cidr)
    return next(each for each in SERVICE_CIDRS if not vpc.overlaps(ipaddress.IPv4Network(each)))


def system_update_nodes(eks: Eks) -> int:
    """Return by how many nodes an update of the system group exceeds its cap for minutes."""
    return UPDATE_NODES_PER_ZONE * len(eks.zones)


def gpu_disk(eks: Eks) -> tuple[int, int]:
    """Return IOPS and MB/s of a GPU node's root disk; gp3's own where images are on local disks."""
    return SYSTEM_DISK if eks.gpu_nodes.local_disks else GPU_DISK


def nat_zones(eks: Eks) -> tuple[str, ...]:
    """Return the zones that have a NAT gateway, each with one public address."""
    egress = eks.network.egress
    if isinstance(egress, NoEgress):
        return ()
    return eks.zones if egress.gateways == "per_zone" else eks.zones[:1]


def interface_endpoints(eks: Eks) -> tuple[str, ...]:
    """Return the services with an interface endpoint; each has an address in each zone."""
    if isinstance(eks.network.egress, Nat):
        return ()
    return (*WITHOUT_EGRESS, *(("sqs",) if eks.gpu_nodes.scaler == "karpenter" else ()))


def public_addresses(eks: Eks) -> int:
    """Return how many public IPv4 addresses are paid for: NAT gateways, and a public load balancer's."""
    balancer = eks.load_balancer
    public = balancer is not None and balancer.scheme == "internet-facing"
    return len(nat_zones(eks)) + (len(eks.zones) if public else 0)


def volume_gib(stack: "Stack") -> float:
    """Return the size of all volumes that pods claim, GiB."""
    prometheus, langfuse = stack.observability.prometheus, stack.observability.langfuse
    total = prometheus.storage_gib if isinstance(prometheus, OwnPrometheus) else 0.0
    if isinstance(langfuse, OwnLangfuse) and isinstance(langfuse.stores, BundledStores):
        total += BUNDLED_STORES * langfuse.stores.storage_gib
    return total


def needed_charts(eks: Eks, stack: "Stack") -> tuple[Chart, ...]:
    """Return what is installed by its Helm chart."""
    follows = any(isinstance(model.pool.scaling, Autoscaled) for model in stack.models)
    keda: tuple[Chart, ...] = ("keda",) if follows else ()
    return (*keda, "karpenter") if eks.gpu_nodes.scaler == "karpenter" else keda
