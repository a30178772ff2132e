"""The layer as a whole: one account, one order, and what the rest of the stack is made with."""

import json

import pytest

from components.aws.tags import DECISION, MODEL, PURPOSE, STACK
from tests.components.aws.registered import ON_AWS, of_kind, plan_of, registered
from tests.components.registered import before


def test_another_account_is_refused_by_the_provider():
    [provider] = of_kind("aws", registered("prod"))
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
    assert provider.inputs["region"] == "us-east-1"


@pytest.mark.parametrize("stack", ON_AWS)
def test_everything_in_aws_is_made_with_that_provider(stack):
    among = registered(stack)
    [provider] = of_kind("aws", among)
    made = [each for each in among if each.type.startswith("aws:")]
    assert {each.provider.rpartition("::")[0] for each in made} == {provider.urn}


def test_the_bill_is_joined_with_the_decision_by_tags():
    plan = plan_of("prod", {"target.tags": {"cost-center": "4711"}})
    assert plan.tags == {
        "cost-center": "4711",
        STACK: "prod",
        PURPOSE: "production",
        DECISION: plan.decision[:16],
    }
    assert [group.tags[MODEL] for group in plan.gpu] == ["support-chat", "summaries"]


def test_a_new_decision_replaces_no_node():
    """A launch template's tags are a new version of it, and that would replace every node."""

    def templates(rate: float) -> list[object]:
        among = registered("staging", {"operations.engineer_usd_per_hour": rate})
        return [each.inputs for each in of_kind("LaunchTemplate", among)]

    assert templates(110) == templates(120)
    first, second = (
        plan_of("staging", {"operations.engineer_usd_per_hour": rate}) for rate in (110, 120)
    )
    assert first.tags[DECISION] != second.tags[DECISION]


def test_a_changed_endpoint_is_not_another_cluster():
    [provider] = of_kind("kubernetes", registered("prod"))
    assert provider.inputs["clusterIdentifier"].startswith("arn:aws:eks:")


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_cluster_is_used_once_pods_can_run_there(stack):
    among = registered(stack)
    [provider] = of_kind("kubernetes", among)
    there = {each.urn for each in before(provider, among)}
    needed = {"NodeGroup", "Addon", "PodIdentityAssociation", "Route", "RouteTableAssociation"}
    needed |= {"Repository", "AccessPolicyAssociation"}
    assert [each.name for each in among if each.kind in needed and each.urn not in there] == []


def test_pods_of_the_cluster_wait_for_a_node():
    among = registered("prod")
    for name in ("coredns", "metrics-server", "aws-ebs-csi-driver"):
        [add_on] = [each for each in among if each.name == name]
        groups = [each.name for each in before(add_on, among) if each.kind == "NodeGroup"]
        assert groups == ["system"]


@pytest.mark.parametrize(
    ("stack", "kinds"),
    [
        ("staging", {"LoadBalancer": 0, "Bucket": 0, "Repository": 0, "FlowLog": 0, "Trail": 0}),
        ("prod", {"LoadBalancer": 1, "Bucket": 1, "Repository": 0, "FlowLog": 0, "Trail": 0}),
        ("regulated", {"LoadBalancer": 1, "Bucket": 2, "FlowLog": 1, "Trail": 1}),
    ],
)
def test_what_is_not_declared_is_not_made(stack, kinds):
    among = [each for each in registered(stack) if each.type.startswith("aws:")]
    assert {kind: len(of_kind(kind, among)) for kind in kinds} == kinds


def test_the_balancer_stands_where_its_clients_are():
    for stack, start in (("prod", "public-"), ("regulated", "private-")):
        [balancer] = [e for e in registered(stack) if e.type == "aws:lb/loadBalancer:LoadBalancer"]
        assert all(subnet.startswith(start) for subnet in balancer.inputs["subnets"])
