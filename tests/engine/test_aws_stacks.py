"""Target eks: the life of each stack in a stand-in AWS account and a real Kubernetes API.

Nodes are kwok's; the account is that of tests/aws/README.md. AWS itself was never reached.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.engine.aws_account import checked_in
from tests.engine.aws_stack import UP_S, Deployment, assert_available, new
from tests.engine.control_plane import ControlPlane
from tests.engine.declared import approval_of

STACKS = ("shadow", "staging", "regulated", "prod")
STAYS = {
    "regulated": {
        *("s3.Bucket", "s3.BucketPolicy", "s3.BucketObjectLockConfiguration"),
        *("s3.BucketOwnershipControls", "s3.BucketServerSideEncryptionConfiguration"),
        *("s3.BucketVersioning", "s3.BucketPublicAccessBlock"),
        *("cloudwatch.LogGroup", "kms.Key"),
    }
}
"""An audit's trail and flow logs, which nobody may delete before their time, and the keys to read them."""
CREATED_IN_ORDER = [
    ("cloudwatch.LogGroup::control-plane", "eks.Cluster::*"),
    ("iam.RolePolicyAttachment::cluster-*", "eks.Cluster::*"),
    ("ec2.RouteTableAssociation::private-*", "eks.NodeGroup::*"),
    ("ec2.VpcEndpoint::*", "eks.NodeGroup::*"),
    ("eks.Addon::vpc-cni", "eks.NodeGroup::*"),
    ("eks.NodeGroup::system", "eks.Addon::coredns"),
]


def in_order(done: list[str], pairs: list[tuple[str, str]]) -> None:
    for first, then in pairs:
        firsts = [index for index, each in enumerate(done) if fnmatch(each, first)]
        thens = [index for index, each in enumerate(done) if fnmatch(each, then)]
        assert firsts, first
        assert thens, then
        assert max(firsts) < min(thens), f"{first} before {then}"


@pytest.fixture(params=STACKS)
def stack(
    tmp_path: Path, tools_path: str, eks_plane: ControlPlane, request: pytest.FixtureRequest
) -> Iterator[Deployment]:
    """Each stack, not yet deployed; whatever becomes of it, nothing is left for the next one."""
    made = new(tmp_path, tools_path, eks_plane, request.param)
    yield made
    made.project.destroy(made.name).expect()


def test_a_stack_lives_as_declared(stack: Deployment, eks_plane: ControlPlane):
    it_comes_up_and_stays_as_it_is(stack)
    what_somebody_changes_is_seen_and_taken_back(stack)
    another_machine_replaces_its_nodes_alone(stack)
    a_destruction_that_failed_is_finished_by_the_next(stack)

    assert {thing.kind for thing in stack.account.things()} == STAYS.get(stack.name, set())
    assert {each.name for each in stack.account.things("s3.Bucket")} <= {"trail"}
    assert not eks_plane.api.exists(f"/api/v1/namespaces/serving-{stack.name}")
    assert eks_plane.api.items("/api/v1/nodes") == []


def it_comes_up_and_stays_as_it_is(stack: Deployment) -> None:
    stack.project.preview(stack.name).expect()
    assert stack.account.things() == [], "a preview makes nothing"
    stack.up()
    stack.project.preview(stack.name, "--expect-no-changes").expect()
    assert_available(stack.plane, stack.name)
    assert stack.project.outputs(stack.name)["cluster"] == f"breakeven-{stack.name}"
    in_order(stack.order("Create"), CREATED_IN_ORDER)


def what_somebody_changes_is_seen_and_taken_back(stack: Deployment) -> None:
    declared, lost = caps_and_endpoints(stack), stack.account.things("ec2.VpcEndpoint")[0]
    for group, cap in declared[0].items():
        stack.account.change("eks.NodeGroup", group, "scalingConfig.maxSize", cap + 9)
    stack.account.lose(lost.kind, lost.name)
    changed = caps_and_endpoints(stack)

    seen = stack.project.preview(stack.name, "--refresh", "--expect-no-changes")
    assert seen.code != 0
    assert "scalingConfig" in seen.output
    assert caps_and_endpoints(stack) == changed != declared

    stack.project.up(stack.name, "--refresh", timeout_s=UP_S).expect()
    assert caps_and_endpoints(stack) == declared


def another_machine_replaces_its_nodes_alone(stack: Deployment) -> None:
    before, machine = identities(stack), {"target.system_nodes.instance_type": "m7i.2xlarge"}
    stack.declare(machine)
    if "constraints" in checked_in(stack.name):
        # What was approved was another bill.
        assert stack.project.up(stack.name).code != 0
        assert identities(stack) == before
        stack.declare(
            {**machine, "constraints[0].approval": approval_of(stack.project, stack.name)}
        )

    stack.up()

    after = identities(stack)
    replaced = {each for each, was in before.items() if after[each] != was}
    assert replaced == {"eks.NodeGroup::system"} | hung_on_system_nodes(stack)
    assert [each for each in stack.order("Delete") if each.startswith("eks.")] == [
        "eks.NodeGroup::system"
    ]
    assert_available(stack.plane, stack.name)


def a_destruction_that_failed_is_finished_by_the_next(stack: Deployment) -> None:
    stack.account.forget_calls()
    stack.account.fail("Delete", "eks.NodeGroup::system", "ResourceInUseException: wait")

    failed = stack.project.destroy(stack.name)
    assert failed.code != 0
    assert "ResourceInUseException: wait" in failed.output
    assert stack.account.things("eks.Cluster")

    stack.project.destroy(stack.name).expect()
    in_order(stack.order("Delete"), [(then, first) for first, then in CREATED_IN_ORDER[1:]])


def caps_and_endpoints(stack: Deployment) -> tuple[dict[str, int], set[str]]:
    """Return the most nodes of each group, and the private endpoints, as the account has them."""
    groups, endpoints = (
        stack.account.things("eks.NodeGroup"),
        stack.account.things("ec2.VpcEndpoint"),
    )
    caps = {each.name: each.inputs["scalingConfig"]["maxSize"] for each in groups}
    return caps, {each.name for each in endpoints}


def identities(stack: Deployment) -> dict[str, str]:
    """Return the id of all that is in the account, by kind and name."""
    return {f"{each.kind}::{each.name}": each.id for each in stack.account.things()}


def hung_on_system_nodes(stack: Deployment) -> set[str]:
    """Return what names the autoscaling group of the system nodes: tags, and the load balancer's targets."""
    return {
        f"{each.kind}::{each.name}"
        for each in stack.account.things()
        if each.inputs.get("autoscalingGroupName", "").startswith("eks-system-")
    }
