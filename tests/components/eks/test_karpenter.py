"""Karpenter may launch what the decision priced, and nothing else."""

from typing import Any

import pytest

from components.aws.tags import MODEL, lasting
from components.eks.karpenter import Manifest, node_classes, node_pools
from tests.components.aws.registered import ON_AWS, plan_of
from tests.components.eks.plans import AROUND, KARPENTER, RESERVED, SPOT
from tests.factories import Changes

CHARTS = {"target.charts": {"keda": "./charts/keda", "karpenter": "./charts/karpenter"}}


def pools(stack: str, changes: Changes | None = None) -> dict[str, Manifest]:
    plan = plan_of(stack, {**KARPENTER, **CHARTS, **(changes or {})})
    return {each["metadata"]["name"]: each["spec"] for each in node_pools(plan, {})}


def classes(stack: str, changes: Changes | None = None) -> dict[str, Manifest]:
    plan = plan_of(stack, {**KARPENTER, **CHARTS, **(changes or {})})
    return {each["metadata"]["name"]: each["spec"] for each in node_classes(plan, AROUND, {})}


def required(pool: Manifest) -> dict[str, Any]:
    found = pool["template"]["spec"]["requirements"]
    return {each["key"]: each["values"] for each in found if each["operator"] == "In"}


@pytest.mark.parametrize("stack", ON_AWS)
def test_a_pool_is_limited_to_the_nodes_that_were_approved(stack):
    bought = plan_of(stack).pools
    limits = {name: pool["limits"] for name, pool in pools(stack).items()}

    assert limits == {
        name: {
            "nvidia.com/gpu": str(nodes.groups[0].max_nodes * nodes.gpus_per_node),
            "nodes": nodes.groups[0].max_nodes,
        }
        for name, nodes in bought.items()
    }


@pytest.mark.parametrize(
    ("changes", "pool", "capacity", "zones"),
    [
        ({}, "support-chat", "spot", "ab"),
        (SPOT, "support-chat", "spot", "ab"),
        (SPOT, "support-chat-on-demand", "on-demand", "a"),
        (
            SPOT | {"target.gpu_nodes.zone": "us-east-1b"},
            "support-chat-on-demand",
            "on-demand",
            "b",
        ),
        (RESERVED, "support-chat", "reserved", "b"),
    ],
)
def test_a_pool_buys_one_type_in_one_way(changes, pool, capacity, zones):
    wanted = required(pools("staging", changes)[pool])

    assert wanted["node.kubernetes.io/instance-type"] == ["p5.4xlarge"]
    assert wanted["karpenter.sh/capacity-type"] == [capacity]
    assert wanted["topology.kubernetes.io/zone"] == [f"us-east-1{zone}" for zone in zones]


def test_spot_is_tried_before_its_fallback():
    weights = {name: pool["weight"] for name, pool in pools("staging", SPOT).items()}

    assert weights["support-chat"] > weights["support-chat-on-demand"]


@pytest.mark.parametrize("stack", ON_AWS)
def test_a_node_that_serves_is_never_taken_away(stack):
    for pool in pools(stack).values():
        disruption = pool["disruption"]

        assert disruption["consolidationPolicy"] == "WhenEmpty"
        assert {"nodes": "0", "reasons": ["Underutilized", "Drifted"]} in disruption["budgets"]
        assert pool["template"]["spec"]["expireAfter"] == "Never"


def test_its_nodes_are_as_those_of_a_managed_group():
    (node,) = classes("staging").values()
    (disk,) = node["blockDeviceMappings"]

    assert node["amiSelectorTerms"] == [{"alias": "al2023@v20260818"}]
    assert node["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert node["metadataOptions"]["httpTokens"] == "required"
    assert disk["ebs"]["volumeSize"] == "200Gi"
    assert disk["ebs"]["kmsKeyID"] == AROUND.key_arn


def test_a_new_decision_leaves_its_nodes_as_they_are():
    """A class with other tags would mark all of them as drifted."""
    rate = "operations.engineer_usd_per_hour"

    assert classes("staging", {rate: 110}) == classes("staging", {rate: 120})
    (node,) = classes("staging").values()
    assert node["tags"] == lasting(plan_of("staging").gpu[0].tags)
    assert node["tags"][MODEL] == "support-chat"


def test_a_reservation_is_named_and_its_zones_subnet_with_it():
    (node,) = classes("staging", RESERVED).values()

    assert node["capacityReservationSelectorTerms"] == [{"id": "cr-0123456789abcdef0"}]
    assert node["subnetSelectorTerms"] == [{"id": "subnet-b"}]
