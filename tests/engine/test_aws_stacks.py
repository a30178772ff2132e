"""Target eks: each stack comes up in a stand-in AWS account and a real Kubernetes API, and goes again.

Nodes are kwok's; the account is that of tests/aws/README.md. AWS itself was never reached.
"""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.engine.aws_stack import assert_available, new
from tests.engine.control_plane import ControlPlane

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


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_comes_up_stays_as_it_is_and_goes(
    tmp_path: Path, tools_path: str, eks_plane: ControlPlane, name: str
):
    stack = new(tmp_path, tools_path, eks_plane, name)

    stack.project.preview(name).expect()
    assert stack.account.things() == [], "a preview makes nothing"
    stack.up()
    stack.project.preview(name, "--expect-no-changes").expect()
    assert_available(eks_plane, name)
    assert stack.project.outputs(name)["cluster"] == f"breakeven-{name}"
    in_order(stack.order("Create"), CREATED_IN_ORDER)

    stack.project.destroy(name).expect()
    in_order(stack.order("Delete"), [(then, first) for first, then in CREATED_IN_ORDER[1:]])
    assert {thing.kind for thing in stack.account.things()} == STAYS.get(name, set())
    assert {each.name for each in stack.account.things("s3.Bucket")} <= {"trail"}
    assert not eks_plane.api.exists(f"/api/v1/namespaces/serving-{name}")
    assert eks_plane.api.items("/api/v1/nodes") == []
