"""What is registered is free of known mistakes; each is made on purpose, so that its check is one."""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

import pytest

from tests.components.aws import mistakes
from tests.components.aws.registered import ON_AWS, declared, registered
from tests.components.registered import Registered
from tests.factories import ABSENT, Changes, decided, put

Mistake = Callable[[Sequence[Registered]], Sequence[Registered]]

RESERVED: Final[Changes] = {
    "models[0].pool.purchase": {
        "kind": "capacity_reservation",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1b",
        "nodes": 4,
    }
}


def put_in(kind: str, path: str, value: object) -> Mistake:
    """Return the mistake of another value in every resource of a kind."""

    def changed(one: Registered) -> Registered:
        inputs = copy.deepcopy(dict(one.inputs))
        put(inputs, path, value)
        return dataclasses.replace(one, inputs=inputs)

    return lambda among: [changed(one) if one.kind == kind else one for one in among]


def left_out(kind: str, part: str = "") -> Mistake:
    """Return the mistake of registering none of a kind (whose tag holds a word)."""
    return lambda among: [
        one for one in among if one.kind != kind or part not in str(one.inputs.get("tag", part))
    ]


def not_waiting(*kinds: str) -> Mistake:
    """Return the mistake that these kinds depend on nothing."""
    return lambda among: [
        dataclasses.replace(one, after=frozenset()) if one.kind in kinds else one for one in among
    ]


def forgets_what_to_ignore(among: Sequence[Registered]) -> Sequence[Registered]:
    return [dataclasses.replace(one, ignored=()) for one in among]


def buys_a_block(among: Sequence[Registered]) -> Sequence[Registered]:
    block = dataclasses.replace(among[-1], kind="CapacityBlockReservation")
    return [*among, block]


EVERYWHERE: Final = [f"private-us-east-1{zone}" for zone in "ab"]

MISTAKES: Final[dict[str, tuple[mistakes.Check, Mistake]]] = {
    "1 untainted GPU nodes": (
        mistakes.untainted_gpu_nodes,
        put_in("NodeGroup", "taints", []),
    ),
    "2 desired size is declared": (mistakes.desired_size_is_declared, forgets_what_to_ignore),
    "3 no tag for the GPUs": (
        mistakes.no_hints_for_the_autoscaler,
        left_out("Tag", "resources/nvidia.com/gpu"),
    ),
    "3 no tag for a label": (
        mistakes.no_hints_for_the_autoscaler,
        left_out("Tag", "label/breakeven/model"),
    ),
    "3 no tag for the taint": (mistakes.no_hints_for_the_autoscaler, left_out("Tag", "taint/")),
    "5 unpinned AMI": (mistakes.unpinned, put_in("NodeGroup", "releaseVersion", ABSENT)),
    "5 AMI of another version": (
        mistakes.unpinned,
        put_in("NodeGroup", "releaseVersion", "1.35.9-20260818"),
    ),
    "5 unpinned add-on": (mistakes.unpinned, put_in("Addon", "addonVersion", ABSENT)),
    "6 root disk as it comes": (
        mistakes.small_disks,
        put_in("LaunchTemplate", "blockDeviceMappings[0].ebs.volumeSize", 20),
    ),
    "6 disk not encrypted": (
        mistakes.small_disks,
        put_in("LaunchTemplate", "blockDeviceMappings[0].ebs.encrypted", "false"),
    ),
    "6 disk size beside a template": (mistakes.small_disks, put_in("NodeGroup", "diskSize", 200)),
    "7 metadata without a token": (
        mistakes.node_role_for_every_pod,
        put_in("LaunchTemplate", "metadataOptions.httpTokens", "optional"),
    ),
    "7 metadata two hops away": (
        mistakes.node_role_for_every_pod,
        put_in("LaunchTemplate", "metadataOptions.httpPutResponseHopLimit", 2),
    ),
    "8 open API": (
        mistakes.open_api,
        put_in("Cluster", "vpcConfig.publicAccessCidrs", ["0.0.0.0/0"]),
    ),
    "8 open API by default": (
        mistakes.open_api,
        put_in("Cluster", "vpcConfig.publicAccessCidrs", ABSENT),
    ),
    "9 creator is administrator": (
        mistakes.creator_is_administrator,
        put_in("Cluster", "accessConfig.bootstrapClusterCreatorAdminPermissions", value=True),
    ),
    "9 aws-auth": (
        mistakes.creator_is_administrator,
        put_in("Cluster", "accessConfig.authenticationMode", "API_AND_CONFIG_MAP"),
    ),
    "9 nobody has access": (mistakes.creator_is_administrator, left_out("AccessEntry")),
    "9 provider before access": (mistakes.creator_is_administrator, not_waiting("kubernetes")),
    "10 routes that a network was connected by are taken out": (
        mistakes.listed_routes,
        put_in("RouteTable", "routes", []),
    ),
    "10 nodes before the network": (
        mistakes.nodes_before_the_network,
        not_waiting("NodeGroup", "NodePool"),
    ),
    "11 a block is bought": (mistakes.reservation_in_many_zones, buys_a_block),
    "12 lost cost tags": (
        mistakes.lost_cost_tags,
        put_in("LaunchTemplate", "tagSpecifications", []),
    ),
    "12 lost tag of volumes": (
        mistakes.lost_cost_tags,
        put_in("LaunchTemplate", "tagSpecifications[1].tags", {}),
    ),
    "12 lost decision": (mistakes.lost_cost_tags, left_out("Tag", "breakeven:decision")),
    "13 log group of EKS": (mistakes.log_group_of_eks, left_out("LogGroup")),
    "13 log group without an end": (
        mistakes.log_group_of_eks,
        put_in("LogGroup", "retentionInDays", ABSENT),
    ),
    "13 cluster before its log group": (mistakes.log_group_of_eks, not_waiting("Cluster")),
}


@pytest.mark.parametrize("stack", ON_AWS)
def test_no_stack_makes_a_known_mistake(stack):
    among = registered(stack)
    assert [wrong for check, _ in MISTAKES.values() for wrong in check(among)] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_when_it_is_made(name):
    check, mistake = MISTAKES[name]
    assert [*check(mistake(registered("staging")))]


def test_4_all_nodes_at_their_caps_cost_what_was_approved():
    for stack in ON_AWS:
        check = mistakes.bill_beyond_the_gate(*approved(stack))
        assert [*check(registered(stack))] == []


def test_4_a_higher_cap_is_found():
    check = mistakes.bill_beyond_the_gate(*approved("staging"))
    mistake = put_in("NodeGroup", "scalingConfig.maxSize", 5)
    assert [*check(mistake(registered("staging")))]


def approved(stack: str) -> tuple[float, dict[str, float]]:
    """Return USD an hour that all nodes may cost, and what one costs, by node group."""
    decision = decided(declared(stack))
    system = decision.system_nodes
    assert system is not None
    total, prices = system.usd_per_hour, {"system": system.price.usd_per_hour}
    for case in decision.cases:
        [group] = case.nodes.groups
        each = group.usd_per_hour_at_max / (group.max_nodes + group.over_nodes)
        prices[case.model.name] = each
        total += each * group.max_nodes
    return total, prices


def test_11_a_reservation_is_used_in_its_own_zone():
    among = registered("staging", RESERVED)
    [group] = mistakes.gpu_groups(among)
    assert group.inputs["subnetIds"] == ["private-us-east-1b"]
    assert group.inputs["scalingConfig"]["maxSize"] == 4
    assert [*mistakes.reservation_in_many_zones(among)] == []
    everywhere = put_in("NodeGroup", "subnetIds", EVERYWHERE)
    assert [*mistakes.reservation_in_many_zones(everywhere(among))]
