"""Who may use the stack's KMS keys. Pure."""

from components.aws.names import partition
from components.aws.policies import USES_OF_KEY, Statement, policy


def _by_roles(region: str, account: str) -> Statement:
    """Return the statement that leaves it to IAM; without it nobody could ever change the key."""
    return {
        "Sid": "AccountByIam",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition(region)}:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def cluster_key_policy(region: str, account: str) -> str:
    """Return the policy of the key of Secrets and log groups."""
    groups = f"arn:{partition(region)}:logs:{region}:{account}:*"
    logs: Statement = {
        "Sid": "LogGroups",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": USES_OF_KEY,
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }
    return policy(_by_roles(region, account), logs)


def data_key_policy(region: str, account: str) -> str:
    """Return the policy of the key of disks, weights, images and the trail.

    Auto Scaling launches the nodes with a role of its own. Unless it may use the key and make grants,
    instances end before they start ("Client.InternalError"). The role is there once an account has
    used Auto Scaling; KMS refuses a policy that names a role that is not.
    """
    root = f"arn:{partition(region)}:iam::{account}"
    scaling = f"{root}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    disks: Statement = {
        "Sid": "DisksOfNodes",
        "Effect": "Allow",
        "Principal": {"AWS": scaling},
        "Action": USES_OF_KEY,
        "Resource": "*",
    }
    grants: Statement = {
        "Sid": "GrantsForDisksOfNodes",
        "Effect": "Allow",
        "Principal": {"AWS": scaling},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    trail: Statement = {
        "Sid": "Trail",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return policy(_by_roles(region, account), disks, grants, trail)
