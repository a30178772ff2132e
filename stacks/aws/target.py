"""An AWS account: the cluster, its network and its nodes are made there, then the serving components."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.aws.nodes import GpuNodes, SystemNodes
from stacks.aws.values import (
    CERTIFICATE,
    KUBERNETES_VERSION,
    PRIVATE,
    REGION,
    ChartLocation,
    Cidr,
    RoleArn,
    Zone,
    check_closed,
    check_open,
)
from stacks.errors import ContradictionError
from stacks.numbers import (
    ACCOUNT,
    Amount,
    Count,
    Day,
    Declared,
    Positive,
    Reason,
    Text,
)

Chart = Literal["keda", "karpenter"]
"""What is installed by its chart."""
LARGEST_VPC, SMALLEST_VPC = 16, 28
"""Lengths of a VPC's prefix that AWS takes."""
LogRetention = Literal[7, 14, 30, 60, 90, 180, 365, 400, 731, 1096, 1827, 2557, 3653]
"""Days; CloudWatch takes no others."""


class PrivateApi(Declared):
    """The Kubernetes API answers inside the VPC, and to networks that are connected with it."""

    kind: Literal["private"]
    cidrs: tuple[Cidr, ...] = ()
    """Ranges of connected networks that may reach it: the one that deploys is in one of them."""

    @model_validator(mode="after")
    def _names_networks(self) -> Self:
        check_closed(self.cidrs)
        return self


class PublicApi(Declared):
    """The Kubernetes API answers inside the VPC, and outside to some."""

    kind: Literal["public"]
    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Ranges it answers to."""
    open_because: Reason | None = None
    """Why everybody may reach it; needed for a range shorter than /8."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        check_open(self.cidrs, self.open_because)
        return self


class Cluster(Declared):
    """The EKS control plane."""

    version: Annotated[str, Field(pattern=KUBERNETES_VERSION)]
    """Kubernetes version, in quotes."""
    support: Literal["standard", "extended"] = "standard"
    """standard: EKS upgrades it when its support ends; extended: it stays, at six times the price."""
    administrators: Annotated[tuple[RoleArn, ...], Field(min_length=1)]
    """Roles that may do everything in the cluster; the one that deploys is the first."""
    api: Annotated[PrivateApi | PublicApi, Field(discriminator="kind")] = PrivateApi(kind="private")
    """Who reaches the Kubernetes API."""
    log_retention_days: LogRetention
    """How long the control plane's logs are kept."""


class Nat(Declared):
    """Nodes reach the internet through NAT gateways."""

    kind: Literal["nat"]
    gateways: Literal["single", "per_zone"]
    """single: cheaper, and the zone it is in takes the others' way out with it."""


class NoEgress(Declared):
    """Nothing reaches the internet: AWS itself through interface endpoints, nothing else at all."""

    kind: Literal["none"]


class Network(Declared):
    """The VPC."""

    cidr: Cidr
    """Its addresses; pods take theirs from it too."""
    egress: Annotated[Nat | NoEgress, Field(discriminator="kind")]
    """The way out."""

    @model_validator(mode="after")
    def _a_vpc_takes_it(self) -> Self:
        vpc = ipaddress.IPv4Network(self.cidr)
        private = any(vpc.subnet_of(ipaddress.IPv4Network(each)) for each in PRIVATE)
        if not private or not LARGEST_VPC <= vpc.prefixlen <= SMALLEST_VPC:
            raise ContradictionError(
                field=".cidr",
                found=self.cidr,
                allowed=f"a private range from /{LARGEST_VPC} to /{SMALLEST_VPC},"
                f" a part of {', '.join(PRIVATE)}",
                remedy="take one that no network you connect to has, e.g. 10.20.0.0/16",
            )
        return self


class LoadBalancer(Declared):
    """An Application Load Balancer in front of the gateway; it ends TLS."""

    scheme: Literal["internal", "internet-facing"]
    """Whether it has public addresses."""
    certificate_arn: Annotated[str, Field(pattern=CERTIFICATE)]
    """Certificate in ACM, in the stack's region."""
    cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Ranges of the clients."""
    open_because: Reason | None = None
    """Why everybody may reach it; needed for a range shorter than /8."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        check_open(self.cidrs, self.open_because)
        return self


class ModelStore(Declared):
    """A bucket for weights, filled once a revision and streamed from there (serving.source: store)."""

    gib: Positive
    """Size of all revisions that are kept."""
    lock_days: Count | None = None
    """Object Lock in compliance mode: for so many days nobody can change or delete a version."""


class Registry(Declared):
    """Repositories of the stack's own for every image; then no image comes from elsewhere."""

    gib: Positive
    """Size of all images that are kept."""


class Audit(Declared):
    """What an auditor asks for: flow logs, and a trail of who read the weights."""

    retention_days: LogRetention
    """How long both are kept."""


class Usage(Declared):
    """What AWS bills by the unit and follows from use, a month; measured, or an estimate to replace."""

    nat_gb: Amount
    """Through the NAT gateways: image pulls, weights from the hub."""
    endpoint_gb: Amount
    """Through interface endpoints."""
    load_balancer_lcu_hours: Amount
    """One holds 1 GB, 25 new connections a second or 3,000 open ones for an hour."""
    cross_zone_gb: Amount
    """Between zones, counted once."""
    internet_gb: Amount
    """Out to the internet: answers of an internet-facing load balancer."""
    log_gb: Amount
    """Written to CloudWatch: control plane, flow logs."""
    bucket_thousand_requests: Amount
    """Reads of the model store, in thousands."""
    source: Text
    """Where the figures come from."""


class Eks(Declared):
    """An AWS account, in which the cluster is made."""

    kind: Literal["eks"]
    account: Annotated[str, Field(pattern=ACCOUNT)]
    """The only account the stack may be deployed to; in quotes."""
    region: Annotated[str, Field(pattern=REGION)]
    """Region of the cluster."""
    zones: Annotated[tuple[Zone, ...], Field(min_length=2, max_length=6)]
    """Availability zones of the region; EKS wants two at least."""
    ends: Day | None = None
    """Last day of the stack's life; left out, it stays."""
    protect: bool
    """Whether `pulumi destroy` and replacements are refused, for all of it or nothing."""
    cluster: Cluster
    """The control plane."""
    network: Network
    """The VPC."""
    system_nodes: SystemNodes
    """Nodes without GPUs."""
    gpu_nodes: GpuNodes
    """What the GPU pools have in common."""
    load_balancer: LoadBalancer | None = None
    """Needed where gateway.exposure is load_balancer, and only there."""
    model_store: ModelStore | None = None
    """A bucket for the weights."""
    registry: Registry | None = None
    """Repositories for the images."""
    audit: Audit | None = None
    """Flow logs and a trail."""
    usage: Usage
    """What is billed by the unit."""
    charts: dict[Chart, ChartLocation] = Field(default_factory=dict)
    """Helm charts in place of the public ones: oci://... of one's own registry, or ./ and a folder or
    archive beside the program."""
    tags: dict[str, Text] = Field(default_factory=dict)
    """Further cost-allocation tags, e.g. cost-center: "4711"."""
