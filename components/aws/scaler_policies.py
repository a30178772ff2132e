"""What the one that adds and removes nodes may do: nothing to nodes of another cluster. Pure."""

import json
from typing import Final

from components.aws.names import partition
from components.aws.policies import Statement, policy

INTERRUPTIONS: Final = {
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "health": ("aws.health", "AWS Health Event"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}
"""Source and kind of the events that tell Karpenter to leave a node."""
NODEPOOL: Final = "karpenter.sh/nodepool"
LAUNCHES: Final = ("ec2:RunInstances", "ec2:CreateFleet")


def autoscaler_policy(cluster: str) -> str:
    """Return what the Cluster Autoscaler may do: see all groups, change those of its own cluster."""
    reads: Statement = {
        "Effect": "Allow",
        "Action": [
            *(f"autoscaling:Describe{what}" for what in _SEEN_GROUPS),
            *(f"ec2:Describe{what}" for what in _SEEN_TYPES),
            "ec2:GetInstanceTypesFromInstanceRequirements",
            "eks:DescribeNodegroup",
        ],
        "Resource": "*",
    }
    writes: Statement = {
        "Effect": "Allow",
        "Action": [
            "autoscaling:SetDesiredCapacity",
            "autoscaling:TerminateInstanceInAutoScalingGroup",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}
        },
    }
    return policy(reads, writes)


_SEEN_GROUPS: Final = (
    *("AutoScalingGroups", "AutoScalingInstances", "LaunchConfigurations"),
    *("ScalingActivities", "Tags"),
)
_SEEN_TYPES: Final = ("Images", "InstanceTypes", "LaunchTemplateVersions")


def karpenter_policy(
    *, cluster: str, region: str, account: str, node_role_arn: str, queue_arn: str
) -> str:
    """Return what Karpenter may do: launch what has its cluster's tag, and end that.

    The tag is on a request that makes something, and on the thing from then on.
    """
    mine = f"kubernetes.io/cluster/{cluster}"
    ec2 = f"arn:{partition(region)}:ec2:{region}"
    return policy(
        *_reads(region, account, cluster),
        *_launches(ec2, account, mine),
        *_own_nodes(ec2, account, mine),
        {
            "Sid": "Interruptions",
            "Effect": "Allow",
            "Action": ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
            "Resource": queue_arn,
        },
        {
            "Sid": "NodesHaveTheirRole",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": node_role_arn,
            "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        },
    )


def _launches(ec2: str, account: str, mine: str) -> tuple[Statement, ...]:
    """Return what lets it launch, from what is there, only what has the cluster's tag `mine`."""
    return (
        {
            "Sid": "LaunchFrom",
            "Effect": "Allow",
            "Action": LAUNCHES,
            "Resource": [f"{ec2}:{_owner(what, account)}:{what}/*" for what in _LAUNCHED_FROM],
        },
        {
            "Sid": "LaunchFromOwnTemplates",
            "Effect": "Allow",
            "Action": LAUNCHES,
            "Resource": f"{ec2}:{account}:launch-template/*",
            "Condition": _tagged("Resource", mine),
        },
        {
            "Sid": "LaunchTagged",
            "Effect": "Allow",
            "Action": [*LAUNCHES, "ec2:CreateLaunchTemplate"],
            "Resource": [f"{ec2}:{account}:{what}/*" for what in _LAUNCHED],
            "Condition": _tagged("Request", mine),
        },
        {
            "Sid": "TagAtLaunch",
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": [f"{ec2}:{account}:{what}/*" for what in _LAUNCHED],
            "Condition": {
                "StringEquals": {
                    f"aws:RequestTag/{mine}": "owned",
                    "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
                }
            },
        },
    )


def _own_nodes(ec2: str, account: str, mine: str) -> tuple[Statement, ...]:
    """Return what lets it name and end the nodes that have the cluster's tag `mine`."""
    return (
        {
            "Sid": "NameOwnNodes",
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": f"{ec2}:{account}:instance/*",
            "Condition": {
                **_tagged("Resource", mine),
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["Name", "eks:eks-cluster-name", "karpenter.sh/nodeclaim"]
                },
            },
        },
        {
            "Sid": "EndOwn",
            "Effect": "Allow",
            "Action": ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            "Resource": [f"{ec2}:{account}:{what}/*" for what in ("instance", "launch-template")],
            "Condition": _tagged("Resource", mine),
        },
    )


_LAUNCHED_FROM: Final = (
    *("image", "snapshot", "security-group", "subnet", "capacity-reservation"),
)
_LAUNCHED: Final = (
    *("instance", "volume", "network-interface", "fleet", "launch-template"),
    "spot-instances-request",
)
_SEEN: Final = (
    *("CapacityReservations", "Images", "InstanceStatus", "InstanceTypeOfferings"),
    *("InstanceTypes", "Instances", "LaunchTemplates", "SecurityGroups"),
    *("SpotPriceHistory", "Subnets"),
)


def _owner(what: str, account: str) -> str:
    """Return the account in an ARN; images and snapshots are of AWS, and have none."""
    return "" if what in ("image", "snapshot") else account


def _tagged(whose: str, tag: str) -> dict[str, dict[str, str]]:
    return {
        "StringEquals": {f"aws:{whose}Tag/{tag}": "owned"},
        "StringLike": {f"aws:{whose}Tag/{NODEPOOL}": "*"},
    }


def _reads(region: str, account: str, cluster: str) -> tuple[Statement, ...]:
    arn = f"arn:{partition(region)}"
    return (
        {
            "Sid": "See",
            "Effect": "Allow",
            "Action": [f"ec2:Describe{what}" for what in _SEEN],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
        },
        {
            "Sid": "SeeReleases",
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": f"{arn}:ssm:{region}::parameter/aws/service/*",
        },
        {"Sid": "SeePrices", "Effect": "Allow", "Action": "pricing:GetProducts", "Resource": "*"},
        {
            "Sid": "SeeProfiles",
            "Effect": "Allow",
            "Action": ["iam:GetInstanceProfile", "iam:ListInstanceProfiles"],
            "Resource": f"{arn}:iam::{account}:instance-profile/*",
        },
        {
            "Sid": "SeeCluster",
            "Effect": "Allow",
            "Action": "eks:DescribeCluster",
            "Resource": f"{arn}:eks:{region}:{account}:cluster/{cluster}",
        },
    )


def queue_policy(queue_arn: str) -> str:
    """Return who may write to the queue of interruptions: AWS, over TLS."""
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": queue_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def event_pattern(source: str, kind: str) -> str:
    """Return which events a rule takes."""
    return json.dumps({"source": [source], "detail-type": [kind]})
