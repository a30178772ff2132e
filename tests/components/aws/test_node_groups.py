"""Node groups: one for each way in which a model's nodes are bought, capped as approved."""

import base64
import email
from typing import Any

import pytest
import yaml

from components.aws.names import LONGEST_GROUP, group_name
from components.aws.node_groups import max_pods, system_group
from stacks.errors import InputError
from tests.components.aws.registered import of_kind, plan_of, registered
from tests.components.eks.plans import KARPENTER
from tests.factories import Changes

POOL = "models[0].pool"
SPOT = {
    "kind": "spot",
    "usd_per_hour": 2.65,
    "interruption_overhead_fraction": 0.05,
    "evidence": "history of the region",
    "checked": "2026-11-01",
}
FALLBACK: Changes = {
    f"{POOL}.purchase": {**SPOT, "on_demand_fallback": {"nodes": 2, "hours_fraction": 0.1}}
}
RESERVATION: Changes = {
    f"{POOL}.purchase": {
        "kind": "capacity_reservation",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1b",
        "nodes": 6,
    }
}
BLOCK: Changes = {
    f"{POOL}.purchase": {
        "kind": "capacity_block",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1a",
        "usd_per_hour": 4.1,
        "starts": "2026-11-20",
        "ends": "2026-12-31",
        "evidence": "order 17",
        "checked": "2026-11-01",
    },
    "target.ends": "2026-12-30",
}
SAVINGS: Changes = {
    f"{POOL}.purchase": {
        "kind": "savings_plan",
        "term_months": 12,
        "committed_nodes": 1,
        "usd_per_hour": 4,
        "evidence": "contract 3",
        "checked": "2026-11-01",
    }
}
FIRST, SECOND = ("us-east-1a",), ("us-east-1b",)
ALL = FIRST + SECOND


def pools(changes: Changes) -> list[tuple[Any, ...]]:
    """Return what matters of each GPU group: name, way of buying, floor, cap, zones."""
    return [
        (each.name, each.capacity_type, each.min_nodes, each.max_nodes, each.zones)
        for each in plan_of("staging", changes).gpu
    ]


@pytest.mark.parametrize(
    ("changes", "groups"),
    [
        ({f"{POOL}.purchase": {"kind": "on_demand"}}, [("ON_DEMAND", 0, 4, FIRST)]),
        ({}, [("SPOT", 0, 4, ALL)]),
        (RESERVATION, [("ON_DEMAND", 0, 6, SECOND)]),
        # Prepaid, so 4 are paid; before it starts none can be had, so none is asked for.
        (BLOCK, [("CAPACITY_BLOCK", 0, 4, FIRST)]),
        (SAVINGS, [("ON_DEMAND", 0, 4, FIRST)]),
    ],
    ids=["on demand", "spot", "reservation", "block", "savings plan"],
)
def test_a_pool_is_bought_as_it_is_declared(changes, groups):
    assert pools(changes) == [("support-chat", *group) for group in groups]


def test_spot_falls_back_to_a_second_group_with_a_cap_of_its_own():
    assert pools(FALLBACK) == [
        ("support-chat", "SPOT", 0, 4, ALL),
        ("support-chat-on-demand", "ON_DEMAND", 0, 2, FIRST),
    ]


def test_what_is_bought_on_demand_is_in_the_one_zone_that_is_declared():
    """Over several zones a busy node may be ended to even them out, after one more than was approved."""
    zones = {
        name: zones for name, *_, zones in pools({**FALLBACK, "target.gpu_nodes.zone": SECOND[0]})
    }
    assert zones == {"support-chat": ALL, "support-chat-on-demand": SECOND}


def test_a_zone_holds_the_nodes_that_come_before_others_go():
    spot, on_demand = plan_of("staging", FALLBACK).gpu
    assert (spot.most_nodes, on_demand.most_nodes) == (4 + 1, 2)
    assert plan_of("staging").system.most_nodes == 3 + 2 * len(ALL)


def test_gpu_nodes_go_before_those_that_replace_them():
    """A second group beside the first is a second bill; and a reservation has no room for it."""
    groups = of_kind("NodeGroup", registered("staging"))
    assert {each.name: each.first_deleted for each in groups} == {
        "system": False,
        "support-chat": True,
    }


def test_nodes_of_a_block_are_launched_from_the_block():
    among = registered("staging", BLOCK)
    [_, group] = sorted(of_kind("NodeGroup", among), key=lambda each: each.name != "system")
    template = next(t for t in of_kind("LaunchTemplate", among) if t.name == "support-chat")
    assert "instanceTypes" not in group.inputs
    assert template.inputs["instanceType"] == "p5.4xlarge"
    assert template.inputs["instanceMarketOptions"] == {"marketType": "capacity-block"}
    assert template.inputs["capacityReservationSpecification"] == {
        "capacityReservationTarget": {"capacityReservationId": "cr-0123456789abcdef0"}
    }


def test_gpu_nodes_are_replaced_one_by_one_within_their_cap():
    """DEFAULT would add nodes that nobody approved, and that a reservation does not have."""
    strategies = {
        each.name: each.inputs["updateConfig"]
        for each in of_kind("NodeGroup", registered("staging"))
    }
    assert strategies == {
        "system": {"maxUnavailable": 1, "updateStrategy": "DEFAULT"},
        "support-chat": {"maxUnavailable": 1, "updateStrategy": "MINIMAL"},
    }


def test_local_disks_become_one_file_system_before_the_node_joins():
    among = registered("staging", {"target.gpu_nodes.local_disks": True})
    templates = {each.name: each.inputs for each in of_kind("LaunchTemplate", among)}
    assert "userData" not in templates["system"]
    [root] = templates["support-chat"]["blockDeviceMappings"]
    assert (root["ebs"]["iops"], root["ebs"]["throughput"]) == (3000, 125), "gp3's own"
    message = email.message_from_bytes(base64.b64decode(templates["support-chat"]["userData"]))
    [part] = [each for each in message.walk() if not each.is_multipart()]
    assert part.get_content_type() == "application/node.eks.aws"
    assert yaml.safe_load(str(part.get_payload()))["spec"] == {
        "instance": {"localStorage": {"strategy": "RAID0"}}
    }


def test_karpenter_has_the_caps_but_no_groups():
    plan = plan_of("staging", KARPENTER)
    assert [each.name for each in plan.node_groups] == ["system"]
    assert [each.max_nodes for each in plan.gpu] == [4]


def test_a_system_node_has_the_pods_of_its_vcpus():
    eks = plan_of("prod").eks
    assert [system_group(eks, vcpus, {}).max_pods for vcpus in (29, 30)] == [110, 250]


def test_pods_of_a_node_are_what_managed_node_groups_allow():
    assert [max_pods(vcpus) for vcpus in (4, 29, 30, 192)] == [110, 110, 250, 250]


def test_long_names_are_cut_and_stay_different():
    first, second = (group_name(f"{60 * 'a'}-{each}", "-on-demand") for each in "bc")
    assert len(first) == LONGEST_GROUP
    assert first != second
    assert first.endswith("-on-demand")


def test_a_model_that_is_called_like_a_group_is_refused():
    with pytest.raises(InputError, match="would be called system like another"):
        plan_of("staging", {"models[0].name": "system", "gateway.keys[0].models": ["system"]})


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        (FALLBACK, {"support-chat-on-demand": 2}),
        (SAVINGS, {"support-chat": 3}),
        ({f"{POOL}.purchase": {"kind": "on_demand"}}, {"support-chat": 3}),
    ],
)
def test_warm_nodes_are_a_fixed_number_of_stopped_ones_at_most_as_many_as_the_cap(changes, kept):
    """AWS keeps the larger of the least size and what the limit leaves beyond those that run."""
    changes = {**changes, "target.gpu_nodes.warm_nodes": 3}
    groups = of_kind("NodeGroup", registered("staging", changes))
    pools = {each.name: each.inputs.get("warmPoolConfig") for each in groups}

    assert {name: pool for name, pool in pools.items() if pool} == {
        name: {"poolState": "STOPPED", "minSize": nodes, "maxGroupPreparedCapacity": nodes}
        for name, nodes in kept.items()
    }


def test_warm_nodes_have_addresses_beside_all_that_run():
    purchase = {f"{POOL}.purchase": {"kind": "on_demand"}}
    [cold] = plan_of("staging", purchase).gpu
    [warm] = plan_of("staging", {**purchase, "target.gpu_nodes.warm_nodes": 3}).gpu

    assert (warm.max_nodes, warm.most_nodes) == (cold.max_nodes, cold.most_nodes + 3)
