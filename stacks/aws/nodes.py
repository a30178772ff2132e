"""What a stack declares of the nodes of its cluster."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.aws.values import AMI_RELEASE, Zone
from stacks.numbers import Count, CountOrZero, Declared, Positive, Text, check_cap


class SystemNodes(Declared):
    """On-demand nodes without GPUs, for the gateway, routers, monitoring and what runs the cluster."""

    instance_type: Text
    """As in `python -m gate prices`, e.g. m7i.xlarge."""
    min: Annotated[Count, Field(ge=2)]
    """Floor; two, so that one may go, and one a zone where pods claim volumes, which are in one zone."""
    max: Count
    """Cap; all of them are in the price. Karpenter scales none of them: with it, the floor."""
    disk_gib: Annotated[Count, Field(ge=30)] = 60
    """Root disk of a node."""

    @model_validator(mode="after")
    def _cap_holds_the_floor(self) -> Self:
        check_cap(floor=self.min, cap=self.max)
        return self


class GpuNodes(Declared):
    """What all GPU pools have in common; each model's pool says the rest."""

    scaler: Literal["cluster_autoscaler", "karpenter"] = "cluster_autoscaler"
    """Who adds and removes nodes, within the pool's cap."""
    ami_release: Annotated[str, Field(pattern=AMI_RELEASE)]
    """Release of the EKS-optimised AMI, of the cluster's version; system nodes run it too."""
    disk_gib: Annotated[Count, Field(ge=100)] = 200
    """Root disk of a node; engine images take 10 to 20 GB unpacked, twice while one is replaced."""
    zone: Zone | None = None
    """Zone of the nodes that are bought on demand; left out, the first of `zones`. In one zone no busy
    node is ended to even zones out. Spot nodes are in all zones, for more capacity."""
    local_disks: bool = False
    """Whether images and scratch live on the instance's own NVMe disks, as one RAID 0. The root disk is
    then paid without further IOPS and MB/s."""
    start_seconds: Positive
    """Measured time from the request for a node until its GPUs can be had."""
    warm_nodes: CountOrZero = 0
    """Stopped instances that each on-demand group keeps beside those that run, for a faster start; at
    most as many as its cap. Their disks are paid always, themselves for the minutes of each first start."""
