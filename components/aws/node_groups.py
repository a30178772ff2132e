"""Which node groups a stack has: one for each way in which a model's nodes are bought, and the system's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from components.aws.names import MODEL_LABEL, group_name
from components.aws.pool_nodes import GroupKind, PoolGroup, PoolNodes
from components.aws.tags import model_tags
from components.pods import GPU_RESOURCE, GPU_TAINT
from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.purchase import CapacityBlock, CapacityReservation
from stacks.stack import ServedModel, Stack

SYSTEM: Final = "system"
POOL_LABEL: Final = "breakeven/pool"
"""Name of the node group, `system` on nodes without GPUs."""
GPU_PRESENT: Final = "nvidia.com/gpu.present"
"""On every GPU node: what the device plugin and the DCGM exporter select by."""
ACCELERATOR: Final = "k8s.amazonaws.com/accelerator"
"""The Cluster Autoscaler counts a node that has it as unready until its GPUs are there: else it would
add a second node while the device plugin starts on the first."""
NODE_TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template"

MAX_PODS: Final = (110, 250)
"""Pods of a node with less than 30 vCPUs, and of any other: managed node groups allow no more.
Amazon EKS user guide, "Choose an optimal Amazon EC2 node instance type"."""
MANY_VCPUS: Final = 30
EPHEMERAL_FRACTION: Final = 0.85
"""Of a root disk: the kubelet evicts at 10 % free, and the system takes some."""

CapacityType = Literal["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"]
_CAPACITY: Final[Mapping[GroupKind, CapacityType]] = {
    "on_demand": "ON_DEMAND",
    "spot": "SPOT",
    "capacity_reservation": "ON_DEMAND",
    "capacity_block": "CAPACITY_BLOCK",
}


@dataclass(frozen=True, kw_only=True)
class NodeGroupPlan:
    """One managed node group."""

    name: str
    """Of the Pulumi resource; EKS' own name begins with it, and that of the Auto Scaling group with
    `eks-` and it."""
    model: str | None
    """None on the system group."""
    kind: GroupKind
    instance_type: str
    ami_type: str
    min_nodes: int
    """Below it nobody scales in."""
    max_nodes: int
    """The bill that was approved cannot outgrow it."""
    over_nodes: int
    """By which AWS exceeds the cap for minutes: spot nodes that are replaced before they are taken
    back, an update of the system nodes, and warm nodes while they are initialised."""
    zones: tuple[str, ...]
    labels: Mapping[str, str]
    tags: Mapping[str, str]
    """Of the group, its instances and their volumes."""
    gpus: int
    """In one node."""
    max_pods: int
    """Of one node; an upper bound."""
    disk_gib: int
    disk_iops: int
    disk_mb_per_s: int
    local_disks: bool
    """Whether the instance's own NVMe disks hold images and scratch."""
    warm_nodes: int = 0
    """Stopped instances that are kept beside those that run."""
    reservation: str | None = None
    """Capacity reservation or block that the nodes come from."""

    @property
    def capacity_type(self) -> CapacityType:
        """Return how EKS calls the way of buying."""
        return _CAPACITY[self.kind]

    @property
    def update_strategy(self) -> Literal["DEFAULT", "MINIMAL"]:
        """Return how nodes are replaced.

        DEFAULT raises the cap for a while, by twice as many nodes as there are zones. GPU nodes beyond
        the cap were not approved, and a reservation has none to give: one goes before the next comes.
        """
        return "MINIMAL" if self.gpus else "DEFAULT"

    @property
    def most_nodes(self) -> int:
        """Return how many nodes there may be at once, those beyond the cap included."""
        return self.max_nodes + self.over_nodes

    @property
    def tainted(self) -> bool:
        """Return whether only pods that ask for GPUs come here."""
        return self.gpus > 0

    @property
    def autoscaler_tags(self) -> dict[str, str]:
        """Return what tells the Cluster Autoscaler of a node that is not there yet.

        Without them a group at zero is never scaled out: nobody knows that its nodes have GPUs.
        """
        if not self.gpus:
            return {}
        hints = {
            f"resources/{GPU_RESOURCE}": f"{self.gpus}",
            "resources/ephemeral-storage": f"{int(self.disk_gib * EPHEMERAL_FRACTION)}Gi",
            f"taint/{GPU_TAINT}": "true:NoSchedule",
            **{f"label/{key}": value for key, value in self.labels.items()},
        }
        return {f"{NODE_TEMPLATE}/{key}": value for key, value in hints.items()}


def system_group(eks: Eks, vcpus: int, tags: Mapping[str, str]) -> NodeGroupPlan:
    """Return the nodes of everything but the engines, each with so many `vcpus`."""
    nodes = eks.system_nodes
    iops, throughput = made.SYSTEM_DISK
    return NodeGroupPlan(
        name=SYSTEM,
        model=None,
        kind="on_demand",
        instance_type=nodes.instance_type,
        ami_type="AL2023_x86_64_STANDARD",
        min_nodes=nodes.min,
        max_nodes=nodes.max,
        over_nodes=made.system_update_nodes(eks),
        zones=eks.zones,
        labels={POOL_LABEL: SYSTEM},
        tags=tags,
        gpus=0,
        max_pods=max_pods(vcpus),
        disk_gib=nodes.disk_gib,
        disk_iops=iops,
        disk_mb_per_s=throughput,
        local_disks=False,
    )


def gpu_groups(
    stack: Stack, eks: Eks, pools: Mapping[str, PoolNodes], tags: Mapping[str, str]
) -> tuple[NodeGroupPlan, ...]:
    """Return the groups of all models, in their order; a model's first group is called after it."""
    return tuple(
        group
        for model in stack.models
        for group in _groups_of(model, eks, pools[model.name], model_tags(tags, model.name))
    )


def _groups_of(
    model: ServedModel, eks: Eks, pool: PoolNodes, tags: Mapping[str, str]
) -> Iterator[NodeGroupPlan]:
    iops, throughput = made.gpu_disk(eks)
    for index, bought in enumerate(pool.groups):
        suffix = f"-{bought.kind.replace('_', '-')}" if index else ""
        name = group_name(model.name, suffix)
        reservation, zones = _where(model, bought, eks)
        yield NodeGroupPlan(
            name=name,
            model=model.name,
            kind=bought.kind,
            instance_type=pool.instance_type,
            ami_type="AL2023_x86_64_NVIDIA",
            min_nodes=_floor(bought),
            max_nodes=bought.max_nodes,
            over_nodes=bought.over_nodes,
            zones=zones,
            labels=_labels(model.name, name, pool.gpu),
            tags=tags,
            gpus=pool.gpus_per_node,
            max_pods=max_pods(pool.vcpus),
            disk_gib=eks.gpu_nodes.disk_gib,
            disk_iops=iops,
            disk_mb_per_s=throughput,
            local_disks=eks.gpu_nodes.local_disks,
            warm_nodes=bought.warm_nodes,
            reservation=reservation,
        )


def _floor(bought: PoolGroup) -> int:
    """Return the fewest nodes; a block's are paid anyway, and before it starts none can be had."""
    return 0 if bought.kind == "capacity_block" else bought.min_nodes


def _where(model: ServedModel, bought: PoolGroup, eks: Eks) -> tuple[str | None, tuple[str, ...]]:
    """Return the reservation that nodes come from, and their zones: a reservation is in one only.

    Nodes on demand are in one too: over several, Auto Scaling evens zones out, and to do so starts a
    node beyond the cap and ends one that serves. Of spot capacity each zone has some and none has all.
    """
    purchase = model.pool.purchase
    if isinstance(purchase, CapacityReservation | CapacityBlock) and purchase.zone:
        return purchase.reservation, (purchase.zone,)
    return None, eks.zones if bought.kind == "spot" else (eks.gpu_nodes.zone or eks.zones[0],)


def _labels(model: str, group: str, gpu: str) -> dict[str, str]:
    return {MODEL_LABEL: model, POOL_LABEL: group, GPU_PRESENT: "true", ACCELERATOR: gpu}


def check_names(groups: Sequence[NodeGroupPlan], place: Place) -> None:
    """Raise InputError where two groups would have one name: each is called after its model."""
    names = [group.name for group in groups]
    for index, group in enumerate(groups):
        if group.name in names[:index]:
            raise place.error(
                found=f"{group.model}, whose node group would be called {group.name} like another",
                allowed=f"names other than {SYSTEM} and <model>-<way of buying>",
                remedy="give the model another name",
            )


def max_pods(vcpus: int) -> int:
    """Return how many pods a node of a managed group has at most."""
    return MAX_PODS[vcpus >= MANY_VCPUS]
