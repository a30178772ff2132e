"""IAM policies as JSON text. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NotRequired, TypedDict

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


class Statement(TypedDict):
    """One statement of a policy; a resource's own policy names principals too."""

    Effect: Literal["Allow", "Deny"]
    Action: Sequence[str] | str
    Sid: NotRequired[str]
    Resource: NotRequired[Sequence[str] | str]
    Principal: NotRequired[Literal["*"] | Mapping[str, str | Sequence[str]]]
    Condition: NotRequired[Condition]


VERSION: Final = "2012-10-17"
"""Of the policy language; there is no later one."""
USES_OF_KEY: Final = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*"),
    *("kms:GenerateDataKey*", "kms:DescribeKey"),
)


def policy(*statements: Statement) -> str:
    """Return a policy of these statements."""
    return json.dumps({"Version": VERSION, "Statement": statements})


def trust(service: str, *actions: str) -> str:
    """Return the policy of a role that a service of AWS may take on."""
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": ["sts:AssumeRole", *actions],
        }
    )


def pod_trust() -> str:
    """Return the policy of a role that pods get by a Pod Identity association."""
    return trust("pods.eks.amazonaws.com", "sts:TagSession")


def uses_key(key_arn: str) -> str:
    """Return the policy of a role whose disks are encrypted with a key."""
    return policy(
        {"Effect": "Allow", "Action": USES_OF_KEY, "Resource": key_arn},
        {
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": key_arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    )


def endpoint_policy(service: str, *, account: str, region: str) -> str:
    """Return who may use a VPC endpoint: the account's own roles, and the layers of images.

    Layers are fetched from a bucket of AWS by a signed address, not by a role of the account.
    """
    own: Statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
    }
    if service != "s3":
        return policy(own)
    layers: Statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*",
    }
    return policy(own, layers)
