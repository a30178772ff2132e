"""Mistakes that are made with EKS and cost a night: each a check of what is registered.

A check yields what is wrong, one line each. All take the same: everything that a stack registers.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from gate import facts
from tests.components.aws.registered import of_kind
from tests.components.registered import Registered, before

Check = Callable[[Sequence[Registered]], Iterator[str]]

GPU: Final = "nvidia.com/gpu"
TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template/"
LEAST_DISK_GIB: Final = 200
NODES_NEED: Final = ("Route", "RouteTableAssociation", "VpcEndpoint")
DECISION: Final = "breakeven:decision"


def gpu_groups(among: Sequence[Registered]) -> list[Registered]:
    """Return the node groups whose AMI has a GPU driver."""
    return [each for each in of_kind("NodeGroup", among) if "NVIDIA" in each.inputs["amiType"]]


def untainted_gpu_nodes(among: Sequence[Registered]) -> Iterator[str]:
    """1. Any pod takes a node of 55 USD an hour, and keeps it."""
    wanted = {"key": GPU, "value": "true", "effect": "NO_SCHEDULE"}
    for group in gpu_groups(among):
        if wanted not in group.inputs.get("taints", []):
            yield f"{group.name}: no taint {GPU}"


def desired_size_is_declared(among: Sequence[Registered]) -> Iterator[str]:
    """2. Every update takes back what the autoscaler has added."""
    for group in of_kind("NodeGroup", among):
        if group.ignored != ("scalingConfig.desiredSize",):
            yield f"{group.name}: ignores {group.ignored}"


def no_hints_for_the_autoscaler(among: Sequence[Registered]) -> Iterator[str]:
    """3. A group at zero stays there: nobody knows that its nodes would have GPUs."""
    for group in gpu_groups(among):
        tags = {
            tag.inputs["tag"]["key"].removeprefix(TEMPLATE): tag.inputs["tag"]["value"]
            for tag in of_kind("Tag", among)
            if tag.parent == group.parent and tag.inputs["tag"]["key"].startswith(TEMPLATE)
        }
        hints = {f"label/{key}": value for key, value in group.inputs["labels"].items()}
        hints |= {f"taint/{GPU}": "true:NoSchedule"}
        hints |= {f"resources/{GPU}": f"{facts.instance(_type(group, among)).gpus}"}
        disk = int(_disk(_template(group, among))["volumeSize"])
        tags.setdefault(stored := "resources/ephemeral-storage", "none")
        if not 0 < int(tags.pop(stored).removesuffix("Gi") or 0) < disk:
            yield f"{group.name}: ephemeral storage is not within its disk of {disk} GiB"
        if tags != hints:
            yield f"{group.name}: tags {tags}, not {hints}"


def bill_beyond_the_gate(usd_per_hour: float, prices: Mapping[str, float]) -> Check:
    """4. More nodes than were approved: `prices` of a node by group, and what all may cost."""

    def check(among: Sequence[Registered]) -> Iterator[str]:
        most = sum(
            group.inputs["scalingConfig"]["maxSize"] * prices[group.name]
            for group in of_kind("NodeGroup", among)
        )
        if abs(most - usd_per_hour) >= 0.005:
            yield f"{most:.2f} USD an hour at most, {usd_per_hour:.2f} were approved"

    return check


def unpinned(among: Sequence[Registered]) -> Iterator[str]:
    """5. A cluster that is made again is another one."""
    for group in of_kind("NodeGroup", among):
        release, version = group.inputs.get("releaseVersion", ""), group.inputs.get("version", "-")
        if not release.startswith(f"{version}."):
            yield f"{group.name}: release {release or 'none'}, version {version}"
    for add_on in of_kind("Addon", among):
        if not add_on.inputs.get("addonVersion", "").startswith("v"):
            yield f"{add_on.name}: no version"


def small_disks(among: Sequence[Registered]) -> Iterator[str]:
    """6. 20 GiB, not encrypted: an engine's image does not fit."""
    for group in gpu_groups(among):
        disk = _disk(_template(group, among))
        if disk["volumeSize"] < LEAST_DISK_GIB or disk["volumeType"] != "gp3":
            yield f"{group.name}: {disk['volumeSize']} GiB {disk['volumeType']}"
    for template in of_kind("LaunchTemplate", among):
        if _disk(template)["encrypted"] != "true" or "kmsKeyId" not in _disk(template):
            yield f"{template.name}: not encrypted with the stack's key"
    for group in of_kind("NodeGroup", among):
        if "diskSize" in group.inputs:
            yield f"{group.name}: disk_size, which EKS refuses beside a launch template"


def node_role_for_every_pod(among: Sequence[Registered]) -> Iterator[str]:
    """7. A pod asks the metadata service, and has the node's role."""
    for template in of_kind("LaunchTemplate", among):
        options = template.inputs.get("metadataOptions", {})
        if options.get("httpTokens") != "required" or options.get("httpPutResponseHopLimit") != 1:
            yield f"{template.name}: {options}"


def open_api(among: Sequence[Registered]) -> Iterator[str]:
    """8. The Kubernetes API answers to everybody."""
    for cluster in of_kind("Cluster", among):
        vpc = cluster.inputs["vpcConfig"]
        cidrs = vpc.get("publicAccessCidrs", [])
        if vpc["endpointPublicAccess"] and (not cidrs or "0.0.0.0/0" in cidrs):
            yield f"open to {cidrs or 'everybody'}"
        if not vpc["endpointPrivateAccess"]:
            yield "nodes leave the VPC to reach it"


def creator_is_administrator(among: Sequence[Registered]) -> Iterator[str]:
    """9. Whoever made the cluster owns it for good, or nobody may come in."""
    for cluster in of_kind("Cluster", among):
        config = cluster.inputs["accessConfig"]
        if config != {
            "authenticationMode": "API",
            "bootstrapClusterCreatorAdminPermissions": False,
        }:
            yield f"{config}"
    allowed = of_kind("AccessPolicyAssociation", among)
    if not allowed or not of_kind("AccessEntry", among):
        yield "nobody has access"
    for provider in of_kind("kubernetes", among):
        if missing := {each.urn for each in allowed} - {
            each.urn for each in before(provider, among)
        }:
            yield f"the provider does not wait for {missing}"


def nodes_before_the_network(among: Sequence[Registered]) -> Iterator[str]:
    """10. Nodes that reach nothing never join; and what they need is gone before they are."""
    needed = [each for each in among if each.kind in NODES_NEED or each.name == "vpc-cni"]
    for group in of_kind("NodeGroup", among):
        there = {each.urn for each in before(group, among)}
        for each in needed:
            if each.urn not in there:
                yield f"{group.name} does not wait for {each.name}"


def listed_routes(among: Sequence[Registered]) -> Iterator[str]:
    """10. A table that lists its routes takes out those that somebody added, to a connected network."""
    for table in of_kind("RouteTable", among):
        if "routes" in table.inputs:
            yield f"{table.name}: lists its routes"


def reservation_in_many_zones(among: Sequence[Registered]) -> Iterator[str]:
    """11. Nodes are asked for where the reservation is not; or a block is bought by the program."""
    zones = {each.name: each.inputs["availabilityZone"] for each in of_kind("Subnet", among)}
    for group in gpu_groups(among):
        template = _template(group, among).inputs
        if "capacityReservationSpecification" in template and len(group.inputs["subnetIds"]) != 1:
            yield f"{group.name}: in {[zones[each] for each in group.inputs['subnetIds']]}"
    for each in among:
        if each.kind in ("CapacityBlockReservation", "CapacityReservation"):
            yield f"{each.name} buys capacity"


def lost_cost_tags(among: Sequence[Registered]) -> Iterator[str]:
    """12. The provider's tags do not reach instances and volumes, and the bill says nothing of them."""
    default = json_of(of_kind("aws", among)[0].inputs["defaultTags"])["tags"]
    lasting = {key: value for key, value in default.items() if key != DECISION}
    for template in of_kind("LaunchTemplate", among):
        tags = {each["resourceType"]: each["tags"] for each in template.inputs["tagSpecifications"]}
        for what in ("instance", "volume"):
            if not lasting.items() <= tags.get(what, {}).items():
                yield f"{template.name}: {what} has {tags.get(what)}, not {lasting}"
    for group in of_kind("NodeGroup", among):
        decided = [
            tag.inputs["tag"]
            for tag in of_kind("Tag", among)
            if tag.parent == group.parent and tag.inputs["tag"]["key"] == DECISION
        ]
        if [(tag["value"], tag["propagateAtLaunch"]) for tag in decided] != [
            (default[DECISION], True)
        ]:
            yield f"{group.name}: instances do not get the decision"


def log_group_of_eks(among: Sequence[Registered]) -> Iterator[str]:
    """13. EKS makes the log group: kept for ever, and still there when the stack is gone."""
    for cluster in of_kind("Cluster", among):
        name = f"/aws/eks/{cluster.inputs['name']}/cluster"
        groups = [each for each in before(cluster, among) if each.kind == "LogGroup"]
        if not any(
            each.inputs.get("name") == name and each.inputs.get("retentionInDays")
            for each in groups
        ):
            yield f"the cluster does not wait for {name} with a retention"


def json_of(value: Any) -> Any:
    """Return a provider's nested value: providers get theirs as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def _template(group: Registered, among: Sequence[Registered]) -> Registered:
    return next(t for t in of_kind("LaunchTemplate", among) if t.parent == group.parent)


def _type(group: Registered, among: Sequence[Registered]) -> str:
    """Return the instance type: a capacity block's stands in the launch template."""
    types = group.inputs.get("instanceTypes")
    return str(types[0] if types else _template(group, among).inputs["instanceType"])


def _disk(template: Registered) -> Mapping[str, Any]:
    disk: Mapping[str, Any] = template.inputs["blockDeviceMappings"][0]["ebs"]
    return disk
