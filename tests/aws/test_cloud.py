"""The stand-in refuses what AWS refuses."""

from typing import Any

import pytest

from tests.aws import cloud
from tests.aws.account import NUMBER, AwsError, Contents, Settings, Thing

KEY_POLICY = "AWSServiceRoleForAutoScaling kms:CreateGrant"


class Cloud:
    """An account in memory."""

    def __init__(self) -> None:
        self.contents = Contents(settings=Settings(), things=[])

    def make(self, kind: str, **inputs: Any) -> Thing:
        new = Thing(kind=kind, id="", name="", code="", inputs=inputs)
        cloud.make(new, self.contents)
        return new

    def delete(self, thing: Thing) -> None:
        cloud.remove(self.contents, thing.kind, thing.id)

    def network(self, *, gateway: bool = True) -> Thing:
        """Make a network and return its subnet, with a way out or without."""
        vpc = self.make("ec2.Vpc", cidrBlock="10.0.0.0/16")
        subnet = self.make("ec2.Subnet", vpcId=vpc.id, availabilityZone="us-east-1a")
        out = self.make("ec2.InternetGateway", vpcId=vpc.id) if gateway else None
        routes = [{"gatewayId": out.id}] if out else []
        table = self.make("ec2.RouteTable", vpcId=vpc.id, routes=routes)
        self.make("ec2.RouteTableAssociation", subnetId=subnet.id, routeTableId=table.id)
        return subnet

    def cluster(self, subnet: Thing, **more: Any) -> Thing:
        """Make a cluster that nodes can join, but for the way out of the subnet."""
        role = self.make("iam.Role", name="node")
        policy = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
        self.make("iam.RolePolicyAttachment", role="node", policyArn=policy)
        vpc_config = {"subnetIds": [subnet.id]}
        made = {"name": "c", "roleArn": role.outputs["arn"], "vpcConfig": vpc_config}
        cluster = self.make("eks.Cluster", **(made | more))
        self.make("eks.Addon", clusterName="c", addonName="vpc-cni")
        return cluster

    def group(self, subnet: Thing, **more: Any) -> Thing:
        made = {
            "clusterName": "c",
            "nodeGroupName": "g",
            "nodeRoleArn": f"arn:aws:iam::{NUMBER}:role/node",
            "subnetIds": [subnet.id],
            "instanceTypes": ["p5.4xlarge"],
            "scalingConfig": {"maxSize": 1},
        }
        return self.make("eks.NodeGroup", **(made | more))


@pytest.fixture
def aws() -> Cloud:
    return Cloud()


def test_what_is_named_must_be_there(aws: Cloud):
    with pytest.raises(AwsError, match="no Vpc 'vpc-1'"):
        aws.make("ec2.Subnet", vpcId="vpc-1")
    aws.make("iam.Role", name="node")
    with pytest.raises(AwsError, match="already exists"):
        aws.make("iam.Role", name="node")


def test_a_network_goes_from_the_inside_out(aws: Cloud):
    subnet = aws.network()
    aws.cluster(subnet)
    group = aws.group(subnet)
    vpc, cluster = aws.contents.of("ec2.Vpc")[0], aws.contents.of("eks.Cluster")[0]

    for early, said in [(vpc, "DependencyViolation"), (subnet, "DependencyViolation")]:
        with pytest.raises(AwsError, match=said):
            aws.delete(early)
    with pytest.raises(AwsError, match="Cluster has nodegroups attached"):
        aws.delete(cluster)
    aws.delete(group)
    aws.delete(cluster)
    aws.delete(subnet)
    assert aws.contents.of("eks.Addon", "eks.Cluster", "ec2.Subnet") == []


def test_a_gateway_stays_while_public_addresses_lead_through_it(aws: Cloud):
    subnet = aws.network()
    address = aws.make("ec2.Eip")
    nat = aws.make("ec2.NatGateway", subnetId=subnet.id, allocationId=address.id)
    gateway = aws.contents.of("ec2.InternetGateway")[0]

    with pytest.raises(AwsError, match="mapped public address"):
        aws.delete(gateway)
    with pytest.raises(AwsError, match="in use"):
        aws.delete(address)
    aws.delete(nat)
    aws.delete(gateway)


def test_deletion_protection_holds(aws: Cloud):
    cluster = aws.cluster(aws.network(), deletionProtection=True)

    with pytest.raises(AwsError, match="deletion protection"):
        aws.delete(cluster)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("eks.Addon", "no network plugin"),
        ("iam.RolePolicyAttachment", "has no AmazonEKSWorkerNodePolicy"),
        ("ec2.RouteTableAssociation", "has no way out, and no endpoint of ec2, ecr.api"),
    ],
)
def test_nodes_do_not_join_without_what_they_need(aws: Cloud, missing: str, said: str):
    subnet = aws.network()
    aws.cluster(subnet)
    aws.delete(aws.contents.of(missing)[0])

    with pytest.raises(AwsError, match=f"failed to join.*{said}"):
        aws.group(subnet)


def test_nodes_join_through_endpoints_alone(aws: Cloud):
    subnet = aws.network(gateway=False)
    aws.cluster(subnet)
    for service in ("ec2", "ecr.api", "ecr.dkr", "eks", "sts"):
        name = f"com.amazonaws.us-east-1.{service}"
        aws.make("ec2.VpcEndpoint", vpcId=subnet.inputs["vpcId"], serviceName=name)

    assert aws.group(subnet).outputs["resources"][0]["autoscalingGroups"]


@pytest.mark.parametrize(("policy", "joins"), [(KEY_POLICY, True), ("root alone", False)])
def test_nodes_start_only_if_auto_scaling_may_use_the_key_of_their_disks(
    aws: Cloud, policy: str, *, joins: bool
):
    subnet = aws.network()
    aws.cluster(subnet)
    key = aws.make("kms.Key", policy=policy)
    disk = {"ebs": {"kmsKeyId": key.outputs["arn"]}}
    template = aws.make("ec2.LaunchTemplate", name="t", blockDeviceMappings=[disk])
    used = {"id": template.id}

    if joins:
        aws.group(subnet, launchTemplate=used)
        return
    with pytest.raises(AwsError, match="does not let Auto Scaling in"):
        aws.group(subnet, launchTemplate=used)


def test_add_ons_that_are_deployments_wait_for_nodes(aws: Cloud):
    subnet = aws.network()
    aws.cluster(subnet)

    with pytest.raises(AwsError, match="DEGRADED"):
        aws.make("eks.Addon", clusterName="c", addonName="coredns")
    aws.group(subnet)
    aws.make("eks.Addon", clusterName="c", addonName="coredns")


@pytest.mark.parametrize("first", [True, False])
def test_a_log_group_that_eks_makes_stays_behind(aws: Cloud, *, first: bool):
    group = aws.make("cloudwatch.LogGroup", name="/aws/eks/c/cluster") if first else None
    cluster = aws.cluster(aws.network(), enabledClusterLogTypes=["api"])

    aws.delete(cluster)
    if group:
        aws.delete(group)

    left = aws.contents.of("cloudwatch.LogGroup")
    assert [each.id for each in left] == ([] if first else ["/aws/eks/c/cluster"])


def test_a_bucket_with_logs_goes_only_by_force_and_locked_objects_never(aws: Cloud):
    bucket = aws.make("s3.Bucket", bucket="logs")
    with pytest.raises(AwsError, match="no policy lets logs into logs"):
        aws.make("cloudtrail.Trail", name="t", s3BucketName="logs")
    aws.make("s3.BucketPolicy", bucket="logs", policy="{}")
    aws.make("cloudtrail.Trail", name="t", s3BucketName="logs")

    with pytest.raises(AwsError, match="BucketNotEmpty"):
        aws.delete(bucket)
    bucket.inputs["forceDestroy"] = True
    aws.make("s3.BucketObjectLockConfiguration", bucket="logs", rule={"defaultRetention": {}})
    with pytest.raises(AwsError, match="Object Lock"):
        aws.delete(bucket)
