"""Nothing that is registered can cost more than what was decided on, and nothing billed is left out."""

from collections import Counter
from math import ceil
from typing import Any, Final

import pytest

from components.eks.karpenter import node_pools
from gate.aws_costs import aws_items
from gate.ceiling import ceiling_usd_per_hour
from gate.decision import Decision
from gate.facts import instance
from stacks.aws.made import volume_gib
from stacks.errors import Place
from stacks.purchase import Committed, Spot
from stacks.stack import ServedModel
from tests.components.aws.registered import ON_AWS, declared, of_kind, plan_of, registered
from tests.components.aws.test_room import everything
from tests.components.eks.plans import KARPENTER
from tests.components.registered import within
from tests.factories import AS_OF, Changes, decided

BY_KARPENTER: Final[Changes] = {
    **KARPENTER,
    "target.charts": {"karpenter": "./charts/karpenter"},
}
WITH_WARM_NODES_TOO: Final = [
    *((stack, None) for stack in ON_AWS),
    ("prod", {"target.gpu_nodes.warm_nodes": 2}),
]
FREE: Final = {
    *("aws:autoscaling/attachment:Attachment", "aws:autoscaling/tag:Tag"),
    *("aws:ec2/internetGateway:InternetGateway", "aws:ec2/launchTemplate:LaunchTemplate"),
    *("aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    *("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"),
    *("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",),
    *("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",),
    *("aws:eks/accessEntry:AccessEntry", "aws:eks/addon:Addon"),
    *("aws:eks/accessPolicyAssociation:AccessPolicyAssociation",),
    *("aws:eks/podIdentityAssociation:PodIdentityAssociation",),
    *("aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"),
    *("aws:iam/rolePolicyAttachment:RolePolicyAttachment",),
    *("aws:iam/instanceProfile:InstanceProfile", "aws:kms/alias:Alias"),
    *("aws:lb/listener:Listener", "aws:lb/targetGroup:TargetGroup"),
    *("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",),
    *("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",),
    *("aws:s3/bucketOwnershipControls:BucketOwnershipControls",),
    *("aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketVersioning:BucketVersioning"),
    *("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
}
"""Kinds that AWS takes nothing for."""
CENTS: Final = {
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
}
"""Karpenter's notices of interruptions: billed by the message, a few a day; docs/aws.md says so."""
LINES: Final = {
    "aws:eks/cluster:Cluster": "control plane",
    "aws:kms/key:Key": "KMS keys",
    "aws:cloudwatch/logGroup:LogGroup": "logs written",
    "aws:ec2/flowLog:FlowLog": "logs written",
    "aws:eks/nodeGroup:NodeGroup": "system nodes",
    "aws:ec2/natGateway:NatGateway": "NAT gateways",
    "aws:ec2/eip:Eip": "public addresses",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "interface endpoints",
    "aws:lb/loadBalancer:LoadBalancer": "load balancer",
    "aws:s3/bucket:Bucket": "model store",
    "aws:ecr/repository:Repository": "registry",
    "aws:cloudtrail/trail:Trail": "audit trail",
}
"""The line of the bill that a kind is paid on."""


def decision(stack: str, changes: Changes | None = None) -> Decision:
    return decided(declared(stack, changes))


def kinds(stack: str, changes: Changes | None = None) -> Counter[str]:
    """Return how many of each kind of the account's resources are registered."""
    found = registered(stack, changes)
    return Counter(each.type for each in found if each.type.startswith("aws:"))


def bill(stack: str, changes: Changes | None = None) -> dict[str, float]:
    """Return USD a month by line."""
    decided = decision(stack, changes)
    plans = [case.nodes for case in decided.cases]
    items = aws_items(decided.stack, plans, Place("stack.yaml", ""), as_of=AS_OF)
    return {item.name: item.usd_per_month for item in items}


@pytest.mark.parametrize(("stack", "changes"), WITH_WARM_NODES_TOO)
def test_the_caps_that_are_registered_cost_what_was_decided_on_to_the_cent(
    stack: str, changes: Changes | None
):
    judged = decision(stack, changes)
    models = {model.name: model for model in judged.stack.models}
    groups = of_kind("NodeGroup", registered(stack, changes))

    usd = sum(at_its_cap(group.inputs, models) for group in groups)

    assert usd == pytest.approx(ceiling_usd_per_hour(judged), abs=0.01)


def at_its_cap(group: dict[str, Any] | Any, models: dict[str, ServedModel]) -> float:
    """Return USD for an hour of a node group at its most, worked out from list prices and quotes.

    System nodes: two more a zone while they are updated. Spot: one more while one is replaced, of up
    to ten. Of others those that are kept warm, each while it is initialised: GPU nodes on demand are in
    one zone, and go before the next comes.
    """
    (kind,) = group["instanceTypes"]
    nodes, zones = int(group["scalingConfig"]["maxSize"]), len(group["subnetIds"])
    (listed,) = [
        price.usd_per_hour
        for price in instance(kind).prices
        if price.region == "us-east-1" and price.purchase == "on_demand"
    ][-1:]
    model = models.get(group["labels"].get("breakeven/model", ""))
    purchase = model.pool.purchase if model else None
    if isinstance(purchase, Spot) and group["capacityType"] == "SPOT":
        assert nodes <= 10
        return (nodes + 1) * purchase.usd_per_hour
    if model is None:
        return (nodes + 2 * zones) * listed
    assert zones == 1
    nodes += warm_nodes(group)
    if isinstance(purchase, Committed):
        committed = min(purchase.committed_nodes, nodes)
        return committed * purchase.usd_per_hour + (nodes - committed) * listed
    return nodes * listed


def warm_nodes(group: dict[str, Any] | Any) -> int:
    """Return the stopped instances of a group: least size and prepared capacity are alike."""
    pool = group.get("warmPoolConfig") or {"minSize": 0, "maxGroupPreparedCapacity": 0}
    assert pool["minSize"] == pool["maxGroupPreparedCapacity"]
    return int(pool["minSize"])


@pytest.mark.parametrize("stack", ON_AWS)
def test_karpenter_may_launch_what_was_decided_on_and_no_more(stack: str):
    plan = plan_of(stack, BY_KARPENTER)
    groups = [group for case in decision(stack).cases for group in case.nodes.groups]
    gpus = [case.nodes.gpus_per_node for case in decision(stack).cases for _ in case.nodes.groups]

    pools = node_pools(plan, {})

    limits = [int(pool["spec"]["limits"]["nvidia.com/gpu"]) for pool in pools]
    assert limits == [g.max_nodes * count for g, count in zip(groups, gpus, strict=True)]
    assert [kinds(stack, BY_KARPENTER)["aws:eks/nodeGroup:NodeGroup"]] == [1]  # the system's


@pytest.mark.parametrize("stack", ON_AWS)
@pytest.mark.parametrize("scaler", ["cluster_autoscaler", "karpenter"])
def test_every_kind_is_free_or_has_a_line(stack: str, scaler: str):
    changes = BY_KARPENTER if scaler == "karpenter" else None
    known = FREE | CENTS | set(LINES)

    unknown = {kind for kind in kinds(stack, changes) if kind not in known}

    assert not unknown, "say what it costs: a line in gate/aws_costs.py, or FREE here with a reason"


@pytest.mark.parametrize("stack", ON_AWS)
def test_every_kind_that_is_billed_is_on_the_bill(stack: str):
    lines = bill(stack)
    billed = {LINES[kind] for kind in kinds(stack) if kind in LINES}
    if "aws:ec2/vpcEndpoint:VpcEndpoint" in kinds(stack) and not interface(stack):
        billed -= {"interface endpoints"}  # S3's gateway endpoint is free

    assert {line for line in billed if not lines.get(line)} == set()


def interface(stack: str) -> int:
    endpoints = of_kind("VpcEndpoint", registered(stack))
    return sum(each.inputs["vpcEndpointType"] == "Interface" for each in endpoints)


@pytest.mark.parametrize("stack", ON_AWS)
def test_what_is_paid_by_the_hour_is_there_as_often_as_it_is_paid(stack: str):
    found, lines, hours = kinds(stack), bill(stack), 730
    zones = len(declared(stack)["target"]["zones"])
    public = [
        each
        for each in of_kind("LoadBalancer", registered(stack))
        if each.inputs.get("internal") is False
    ]

    assert lines["control plane"] == pytest.approx(found["aws:eks/cluster:Cluster"] * 0.10 * hours)
    assert lines["KMS keys"] == pytest.approx(found["aws:kms/key:Key"] * 1.0)
    assert lines.get("NAT gateways", 0) == pytest.approx(
        found["aws:ec2/natGateway:NatGateway"] * 0.045 * hours
    )
    addresses = found["aws:ec2/eip:Eip"] + len(public) * zones
    assert lines.get("public addresses", 0) == pytest.approx(addresses * 0.005 * hours)
    assert lines.get("interface endpoints", 0) == pytest.approx(
        interface(stack) * zones * 0.01 * hours
    )
    balancers = found["aws:lb/loadBalancer:LoadBalancer"]
    assert lines.get("load balancer", 0) == pytest.approx(balancers * 0.0225 * hours)


@pytest.mark.parametrize(("stack", "changes"), WITH_WARM_NODES_TOO)
def test_the_disks_of_all_nodes_at_their_caps_are_paid(stack: str, changes: Changes | None):
    among = registered(stack, changes)
    templates = {each.name: each for each in of_kind("LaunchTemplate", among)}
    gib: Counter[str] = Counter()
    for group in of_kind("NodeGroup", among):
        (device,) = templates[group.name].inputs["blockDeviceMappings"]
        nodes = int(group.inputs["scalingConfig"]["maxSize"]) + warm_nodes(group.inputs)
        of = "GPU" if group.inputs.get("taints") else "system"
        gib[of] += ceil(device["ebs"]["volumeSize"]) * nodes

    lines = bill(stack, changes)
    for of, size in gib.items():
        (name,) = [line for line in lines if of in line and "disk" in line and "," not in line]
        assert lines[name] == pytest.approx(size * 0.08)


@pytest.mark.parametrize("stack", ON_AWS)
def test_what_the_cluster_makes_in_the_account_is_priced(stack: str):
    """Claims become volumes, and Services of type LoadBalancer balancers, without a resource of ours."""
    found = everything(stack)
    inputs = [part for each in found for part in within(each.inputs)]
    claims = [part for part in inputs if "accessModes" in part]
    sizes = [claim["resources"]["requests"]["storage"] for claim in claims]

    assert all(size.endswith("Gi") for size in sizes)
    assert sum(float(size[:-2]) for size in sizes) == volume_gib(decision(stack).stack)
    services = [each.inputs["spec"] for each in found if each.kind == "Service"]
    assert services
    assert not [spec for spec in services if spec.get("type") == "LoadBalancer"]
