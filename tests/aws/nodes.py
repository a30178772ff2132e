"""The nodes of a node group, in the Kubernetes API that plays its cluster's: kwok plays their life.

A group has as many as it may have at most, from the start: as if its scaler had been asked for them.
"""

from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tests.aws.account import AwsError, Contents, Settings, Thing
from tests.aws.wire import at
from tests.engine.control_plane import PLAYED_BY_KWOK
from tests.engine.kubernetes_api import KubernetesApi, Manifest


class Machine(NamedTuple):
    """What an instance type has (aws/karpenter-provider-aws, instance-types.md, 2026-07-20)."""

    cpus: int
    memory_gib: int
    gpus: int = 0

    @property
    def for_pods(self) -> dict[str, str]:
        """Return what the kubelet leaves to pods, within 2 % of what AWS lists for GPU types."""
        memory_mib = int(self.memory_gib * 1024 * SEEN_MEMORY) - RESERVED_MIB
        return {"cpu": f"{self.cpus * 1000 - RESERVED_MILLICPUS}m", "memory": f"{memory_mib}Mi"}


SEEN_MEMORY, RESERVED_MIB, RESERVED_MILLICPUS = 0.925, 255 + 110 * 11 + 100, 100
MACHINES: Final = {
    "m7i.large": Machine(2, 8),
    "m7i.xlarge": Machine(4, 16),
    "m7i.2xlarge": Machine(8, 32),
    "g6.xlarge": Machine(4, 16, 1),
    "g6e.2xlarge": Machine(8, 64, 1),
    "p5.4xlarge": Machine(16, 256, 1),
    "p5.48xlarge": Machine(192, 2048, 8),
}
EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
PODS: Final = "110"


def join(group: Thing, contents: Contents) -> None:
    """Add the nodes of a group, or change them."""
    nodes, api = _nodes(group, contents), _api(contents.settings)
    if api:
        for node in nodes:
            status = node.pop("status")
            api.apply(node)
            api.apply(node | {"status": status}, subresource="status")


def leave(group: Thing, contents: Contents) -> None:
    """Take the nodes of a group, and the pods on them."""
    if api := _api(contents.settings):
        for node in _nodes(group, contents):
            name = node["metadata"]["name"]
            for pod in api.items(f"/api/v1/pods?fieldSelector=spec.nodeName={name}"):
                where = pod["metadata"]
                api.delete(f"/api/v1/namespaces/{where['namespace']}/pods/{where['name']}")
            api.delete(f"/api/v1/nodes/{name}")


def _api(settings: Settings) -> KubernetesApi | None:
    if not settings.token:
        return None
    at_ = urlsplit(settings.endpoint)
    return KubernetesApi(
        address=at_.hostname or "",
        port=at_.port or 443,
        token=settings.token,
        ca_file=Path(settings.ca_file),
    )


def _nodes(group: Thing, contents: Contents) -> list[Manifest]:
    zones = [
        str(subnet.inputs["availabilityZone"])
        for id_ in at(group.inputs, "subnetIds")
        for subnet in contents.of("ec2.Subnet")
        if subnet.id == id_
    ]
    count = group.inputs["scalingConfig"]["maxSize"]
    return [_node(group, contents, index, zones[index % len(zones)]) for index in range(count)]


def _node(group: Thing, contents: Contents, index: int, zone: str) -> Manifest:
    inputs, type_ = group.inputs, _instance_type(group, contents)
    name, machine = f"{group.code}-{index}", MACHINES[type_]
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": type_,
        "topology.kubernetes.io/zone": zone,
        "eks.amazonaws.com/nodegroup": inputs["nodeGroupName"],
        "eks.amazonaws.com/capacityType": inputs.get("capacityType", "ON_DEMAND"),
    }
    taints = [
        {"key": each["key"], "value": each.get("value", ""), "effect": EFFECTS[each["effect"]]}
        for each in inputs.get("taints") or []
    ]
    capacity = {
        **machine.for_pods,
        "ephemeral-storage": "200Gi",
        "pods": PODS,
        **({"nvidia.com/gpu": str(machine.gpus)} if machine.gpus else {}),
    }
    metadata = {"name": name, "labels": labels | (inputs.get("labels") or {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata | {"annotations": PLAYED_BY_KWOK},
        "spec": {"taints": taints, "providerID": f"aws:///{zone}/i-{name}"},
        "status": {"capacity": capacity, "allocatable": capacity},
    }


def _instance_type(group: Thing, contents: Contents) -> str:
    """Return the first type of the group, or that of its launch template."""
    template = contents.find("ec2.LaunchTemplate", next(at(group.inputs, "launchTemplate.id"), ""))
    types = [
        *(group.inputs.get("instanceTypes") or []),
        *at(template.inputs if template else {}, "instanceType"),
    ]
    if not types or types[0] not in MACHINES:
        raise AwsError(f"InvalidParameterException: no such instance type: {types}")
    return str(types[0])
