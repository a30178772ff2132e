"""The stand-in for AWS itself: what the tests of the AWS stacks take for granted."""

import textwrap
from pathlib import Path

import pytest

from tests.engine.aws_account import AwsAccount
from tests.engine.conftest import MakeProject
from tests.engine.pulumi_cli import PulumiProject

STACK = "aws"
HEAD = """
    import json
    import pulumi
    import pulumi_aws as aws

    def with_provider(*after, **more):
        return pulumi.ResourceOptions(provider=provider, depends_on=list(after), **more)

    trusted = json.dumps({"Version": "2012-10-17", "Statement": []})
    policies = "arn:aws:iam::aws:policy"
    provider = aws.Provider(
        "aws",
        region="us-east-1",
        allowed_account_ids=["123456789012"],
        default_tags={"tags": {"stack": "aws"}},
    )
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=with_provider())
"""
CLUSTER = """
    gateway = aws.ec2.InternetGateway("igw", vpc_id=vpc.id, opts=with_provider())
    subnet = aws.ec2.Subnet(
        "private", vpc_id=vpc.id, availability_zone="us-east-1a", cidr_block="10.0.0.0/19",
        opts=with_provider(),
    )
    table = aws.ec2.RouteTable(
        "private", vpc_id=vpc.id, opts=with_provider(),
        routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}],
    )
    way_out = aws.ec2.RouteTableAssociation(
        "private", subnet_id=subnet.id, route_table_id=table.id, opts=with_provider()
    )
    role = aws.iam.Role("node", assume_role_policy=trusted, opts=with_provider())
    node_policy = aws.iam.RolePolicyAttachment(
        "node", role=role.name, policy_arn=f"{policies}/AmazonEKSWorkerNodePolicy",
        opts=with_provider(),
    )
    logs = aws.cloudwatch.LogGroup(
        "logs", name="/aws/eks/little/cluster", retention_in_days=7, opts=with_provider()
    )
    cluster = aws.eks.Cluster(
        "cluster", name="little", role_arn=role.arn, vpc_config={"subnet_ids": [subnet.id]},
        enabled_cluster_log_types=["api"], opts=with_provider(logs),
    )
    plugin = aws.eks.Addon(
        "vpc-cni", cluster_name=cluster.name, addon_name="vpc-cni", opts=with_provider()
    )
    template = aws.ec2.LaunchTemplate("gpu", image_id="ami-1", opts=with_provider())
    group = aws.eks.NodeGroup(
        "gpu", cluster_name=cluster.name, node_role_arn=role.arn, subnet_ids=[subnet.id],
        instance_types=["g6e.2xlarge"], scaling_config={"min_size": 0, "max_size": 1, "desired_size": 0},
        launch_template={"id": template.id, "version": template.latest_version.apply(lambda n: str(int(n)))},
        opts=with_provider(
            plugin, node_policy, way_out, ignore_changes=["scalingConfig.desiredSize"],
            custom_timeouts=pulumi.CustomTimeouts(create="40m"),
        ),
    )
    tag = aws.autoscaling.Tag(
        "gpu", opts=with_provider(),
        autoscaling_group_name=group.resources.apply(lambda r: r[0].autoscaling_groups[0].name),
        tag={"key": "k", "value": "v", "propagate_at_launch": False},
    )
    pulumi.export("endpoint", cluster.endpoint)
    pulumi.export("tags", vpc.tags_all)
"""
LITTLE = textwrap.dedent(HEAD) + textwrap.dedent(CLUSTER)


@pytest.fixture
def account(tmp_path: Path) -> AwsAccount:
    return AwsAccount(tmp_path / "account")


@pytest.fixture
def project(account: AwsAccount, make_project: MakeProject, tmp_path: Path) -> PulumiProject:
    """A small program of its own; its stack deploys to the account."""
    directory = tmp_path / "program"
    directory.mkdir()
    (directory / "Pulumi.yaml").write_text("name: little\nruntime: python\n")
    write(directory, LITTLE)
    made = make_project(directory)
    account.plug_into(made)
    made.init(STACK)
    return made


def write(directory: Path, program: str) -> None:
    (directory / "__main__.py").write_text(program)


def changed(project: PulumiProject, old: str, new: str) -> None:
    assert old in LITTLE
    write(project.directory, LITTLE.replace(old, new))


def order(account: AwsAccount, method: str) -> list[str]:
    return [f"{call.kind}::{call.name}" for call in account.calls(method, preview=False)]


def test_a_life_of_a_stack(project: PulumiProject, account: AwsAccount):
    project.preview(STACK).expect()
    assert account.things() == [], "a preview makes nothing"

    project.up(STACK).expect()
    assert project.preview(STACK, "--expect-no-changes").code == 0
    assert project.outputs(STACK)["endpoint"] == account.settings.endpoint
    assert project.outputs(STACK)["tags"] == {"stack": "aws"}
    assert (
        account.thing("autoscaling.Tag", "gpu").inputs["autoscalingGroupName"].startswith("eks-gpu")
    )
    created = account.calls("Create", preview=False)
    assert [call.timeout_s for call in created if call.kind == "eks.NodeGroup"] == [2400]

    project.destroy(STACK).expect()
    assert account.things() == []
    deleted = order(account, "Delete")
    assert deleted.index("eks.NodeGroup::gpu") < deleted.index("eks.Cluster::cluster")


def test_what_others_change_is_seen(project: PulumiProject, account: AwsAccount):
    project.up(STACK).expect()

    account.change("eks.NodeGroup", "gpu", "scalingConfig.desiredSize", 1)
    project.refresh(STACK).expect()
    assert project.preview(STACK, "--expect-no-changes").code == 0, "the program ignores this one"

    account.change("eks.NodeGroup", "gpu", "scalingConfig.maxSize", 9)
    account.lose("autoscaling.Tag", "gpu")
    project.refresh(STACK).expect()
    assert project.preview(STACK, "--expect-no-changes").code != 0
    project.up(STACK).expect()
    assert account.thing("eks.NodeGroup", "gpu").inputs["scalingConfig"]["maxSize"] == 1
    assert account.things("autoscaling.Tag")


def test_what_cannot_change_is_replaced_and_what_can_is_not(
    project: PulumiProject, account: AwsAccount
):
    project.up(STACK).expect()
    before = account.thing("eks.NodeGroup", "gpu").id
    account.forget_calls()

    changed(project, "g6e.2xlarge", "g6.xlarge")
    project.up(STACK).expect()
    assert account.thing("eks.NodeGroup", "gpu").id != before
    assert order(account, "Delete") == ["autoscaling.Tag::gpu", "eks.NodeGroup::gpu"]

    before = account.thing("eks.NodeGroup", "gpu").id
    changed(project, "ami-1", "ami-2")
    project.up(STACK).expect()
    after = account.thing("eks.NodeGroup", "gpu")
    assert after.inputs["launchTemplate"]["version"] == "2"
    project.preview(STACK, "--diff", "--expect-no-changes").expect()


def test_a_deletion_that_fails_is_finished_by_the_next(project: PulumiProject, account: AwsAccount):
    project.up(STACK).expect()
    account.fail("Delete", "ec2.Subnet::*", "DependencyViolation: an interface is left")

    failed = project.destroy(STACK)
    assert failed.code != 0
    assert "DependencyViolation: an interface is left" in failed.output
    assert {"ec2.Subnet", "ec2.Vpc"} <= {thing.kind for thing in account.things()}

    project.destroy(STACK).expect()
    assert account.things() == []


def test_another_account_is_refused_before_anything_is_made(
    project: PulumiProject, account: AwsAccount
):
    account.set(account="210987654321")

    for refused in (project.preview(STACK), project.up(STACK)):
        assert refused.code != 0
        assert "AWS account ID not allowed: 210987654321" in refused.output
    assert account.calls("Create") == []


def test_inputs_that_aws_would_not_take_are_refused_in_the_preview(project: PulumiProject):
    changed(project, 'launch_template={"', 'launch_template={"disk": 1, "')

    result = project.preview(STACK)

    assert result.code != 0
    assert "launchTemplate.disk" in result.output


def test_what_aws_refuses_ends_the_update_with_its_words(project: PulumiProject):
    changed(project, 'addon_name="vpc-cni"', 'addon_name="kube-proxy"')

    result = project.up(STACK)

    assert result.code != 0
    assert "NodeCreationFailure" in result.output
    assert "no network plugin (vpc-cni)" in result.output


def test_a_deletion_out_of_order_is_refused(project: PulumiProject, account: AwsAccount):
    subnet = """
    aws.ec2.Subnet(
        "private", vpc_id=VPC, availability_zone="us-east-1a", cidr_block="10.0.0.0/19",
        opts=with_provider(),
    )
    """
    program = textwrap.dedent(HEAD) + textwrap.dedent(subnet)
    write(project.directory, program.replace("VPC", "vpc.id"))
    project.up(STACK).expect()
    vpc = account.thing("ec2.Vpc", "vpc").id
    # As a literal, the engine does not know that the subnet needs it.
    write(project.directory, program.replace("VPC", repr(vpc)))
    project.up(STACK).expect()
    urn = next(each["urn"] for each in project.resources(STACK) if each.get("id") == vpc)

    result = project.destroy(STACK, "--target", urn)

    assert result.code != 0
    assert f"DependencyViolation: The vpc '{vpc}' has dependencies" in result.output
    assert len(account.things()) == 2
