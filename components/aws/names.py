"""Names of what is made in an AWS account; none of them depends on anything but the stack."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from stacks.aws.target import Eks
from stacks.stack import ServedModel, Stack

MANAGED_BY: Final = "breakeven"
MODEL_LABEL: Final = "breakeven/model"
"""On the nodes of a model."""
LONGEST_BUCKET: Final = 63
LONGEST_GROUP: Final = 40
"""A node group's name has 63 characters at most, of which Pulumi and EKS add some."""
HASH_LETTERS: Final = 8


def slug(text: str) -> str:
    """Return a text as AWS and Kubernetes both take it: lower case, digits and single dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def short(text: str, limit: int) -> str:
    """Return a slug of at most `limit` characters; one that is cut ends in a hash, so it stays its own."""
    whole = slug(text)
    if len(whole) <= limit:
        return whole
    digest = hashlib.sha256(text.encode()).hexdigest()[:HASH_LETTERS]
    return f"{whole[: limit - HASH_LETTERS - 1].strip('-')}-{digest}"


def cluster_name(stack: str) -> str:
    """Return the name of a stack's cluster; EKS takes 100 characters, other names are made of it."""
    return short(f"{MANAGED_BY}-{stack}", LONGEST_GROUP)


def bucket_name(stack: str, account: str) -> str:
    """Return the name of a stack's model store; buckets of all accounts share one space of names."""
    ends = f"-models-{account}"
    return short(f"{MANAGED_BY}-{stack}", LONGEST_BUCKET - len(ends)) + ends


def store_bucket(stack: Stack, name: str) -> str | None:
    """Return the name of the bucket that the stack called `name` keeps weights in; None without one."""
    eks = stack.target
    return bucket_name(name, eks.account) if isinstance(eks, Eks) and eks.model_store else None


def pool_selector(stack: Stack, model: ServedModel) -> Mapping[str, str]:
    """Return the labels of the nodes that a model's replicas run on.

    On nodes of the program's own they are those of the model's groups, which were priced for it.
    """
    own = {MODEL_LABEL: model.name} if isinstance(stack.target, Eks) else {}
    return own | model.serving.node_selector


def group_name(model: str, suffix: str = "") -> str:
    """Return the name of a model's node group; `suffix` tells a second one from the first."""
    return short(model, LONGEST_GROUP - len(suffix)) + suffix


def partition(region: str) -> str:
    """Return the partition that a region's ARNs are in."""
    for start, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(start):
            return name
    return "aws"


def karpenter_queue(cluster: str) -> str:
    """Return the queue from which Karpenter learns that a node will be taken back."""
    return f"{cluster}-interruptions"


def karpenter_profile(cluster: str) -> str:
    """Return the instance profile of the nodes that Karpenter launches."""
    return f"{cluster}-node"
