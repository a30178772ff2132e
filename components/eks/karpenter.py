"""Karpenter's objects of each model: what may be launched, and how much of it. Pure.

One NodePool for each way of buying, as a managed node group would be, and one EC2NodeClass for a model.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi import Input

from components.aws.names import karpenter_profile
from components.aws.node_groups import NodeGroupPlan
from components.aws.plan import AwsPlan
from components.aws.pool_nodes import GroupKind
from components.aws.tags import lasting
from components.eks.cluster_autoscaler import UNNEEDED_S
from components.pods import GPU_RESOURCE, GPU_TAINT

Manifest = dict[str, Any]

NODE_POOL: Final = "karpenter.sh/v1"
NODE_CLASS: Final = "karpenter.k8s.aws/v1"
CAPACITY_TYPE: Final[Mapping[GroupKind, str]] = {
    "on_demand": "on-demand",
    "spot": "spot",
    "capacity_reservation": "reserved",
    "capacity_block": "reserved",
}
FIRST, NEXT = 20, 10
"""Weights: the model's first way of buying is tried before its fallback."""
ROOT_DISK: Final = "/dev/xvda"


@dataclass(frozen=True, kw_only=True)
class NodeSurroundings:
    """What the nodes are launched into; known when the account's resources are there."""

    subnet_ids: Mapping[str, Input[str]]
    """Private subnets by zone."""
    security_group_id: Input[str]
    key_arn: Input[str]
    """Of the disks."""


def node_pools(plan: AwsPlan, labels: Mapping[str, str]) -> tuple[Manifest, ...]:
    """Return the NodePools of all models."""
    return tuple(_node_pool(plan, group, labels) for group in plan.gpu)


def node_classes(
    plan: AwsPlan, around: NodeSurroundings, labels: Mapping[str, str]
) -> tuple[Manifest, ...]:
    """Return the EC2NodeClasses, one a model; groups of a model differ in how they are bought only."""
    firsts = {group.model: group for group in reversed(plan.gpu)}
    return tuple(_node_class(plan, group, around, labels) for group in firsts.values())


def _node_pool(plan: AwsPlan, group: NodeGroupPlan, labels: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": NODE_POOL,
        "kind": "NodePool",
        "metadata": {"name": group.name, "labels": dict(labels)},
        "spec": {
            "template": {
                "metadata": {"labels": dict(group.labels)},
                "spec": {
                    "nodeClassRef": {
                        "group": NODE_CLASS.partition("/")[0],
                        "kind": "EC2NodeClass",
                        "name": class_name(plan, group),
                    },
                    "requirements": [*_requirements(group)],
                    "taints": [{"key": GPU_TAINT, "value": "true", "effect": "NoSchedule"}],
                    # By default a node is replaced after 30 days, with what it serves.
                    "expireAfter": "Never",
                },
            },
            # The bill that was approved: GPUs of the pool's cap.
            "limits": {GPU_RESOURCE: f"{group.max_nodes * group.gpus}", "nodes": group.max_nodes},
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": f"{UNNEEDED_S}s",
                # Only what is empty goes by itself: a replica that moves is minutes without it.
                "budgets": [
                    {"nodes": "0", "reasons": ["Underutilized", "Drifted"]},
                    {"nodes": "100%", "reasons": ["Empty"]},
                ],
            },
            "weight": FIRST if class_name(plan, group) == group.name else NEXT,
        },
    }


def _requirements(group: NodeGroupPlan) -> Iterator[Manifest]:
    pinned: dict[str, Sequence[str]] = {
        "node.kubernetes.io/instance-type": [group.instance_type],
        "karpenter.sh/capacity-type": [CAPACITY_TYPE[group.kind]],
        "topology.kubernetes.io/zone": group.zones,
        "kubernetes.io/arch": ["amd64"],
        "kubernetes.io/os": ["linux"],
    }
    for key, values in pinned.items():
        yield {"key": key, "operator": "In", "values": [*values]}


def class_name(plan: AwsPlan, group: NodeGroupPlan) -> str:
    """Return the name of a group's EC2NodeClass: that of the model's first group."""
    return next(each.name for each in plan.gpu if each.model == group.model)


def _node_class(
    plan: AwsPlan, group: NodeGroupPlan, around: NodeSurroundings, labels: Mapping[str, str]
) -> Manifest:
    release = plan.eks.gpu_nodes.ami_release.rpartition("-")[2]
    reservation = (
        {"capacityReservationSelectorTerms": [{"id": group.reservation}]}
        if group.reservation
        else {}
    )
    local = {"instanceStorePolicy": "RAID0"} if group.local_disks else {}
    return {
        "apiVersion": NODE_CLASS,
        "kind": "EC2NodeClass",
        "metadata": {"name": class_name(plan, group), "labels": dict(labels)},
        "spec": {
            # The release of the managed groups' AMI; for an instance with GPUs it is NVIDIA's.
            "amiSelectorTerms": [{"alias": f"al2023@v{release}"}],
            # A profile that is there: Karpenter needs no right to make one, nor a way to IAM.
            "instanceProfile": karpenter_profile(plan.cluster_name),
            "subnetSelectorTerms": [{"id": around.subnet_ids[zone]} for zone in group.zones],
            "securityGroupSelectorTerms": [{"id": around.security_group_id}],
            "blockDeviceMappings": [_disk(group, around.key_arn)],
            "metadataOptions": {
                "httpEndpoint": "enabled",
                "httpTokens": "required",
                "httpPutResponseHopLimit": 1,
            },
            # With the decision each new one would make all nodes drifted, and drifted ones never go.
            "tags": lasting(group.tags),
        }
        | reservation
        | local,
    }


def _disk(group: NodeGroupPlan, key_arn: Input[str]) -> Manifest:
    return {
        "deviceName": ROOT_DISK,
        "ebs": {
            "volumeSize": f"{math.ceil(group.disk_gib)}Gi",
            "volumeType": "gp3",
            "iops": group.disk_iops,
            "throughput": group.disk_mb_per_s,
            "encrypted": True,
            "kmsKeyID": key_arn,
            "deleteOnTermination": True,
        },
    }
