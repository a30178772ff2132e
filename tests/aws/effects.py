"""What a call comes to beside the thing itself: what is refused before it, what AWS does with it."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.aws import nodes, rules
from tests.aws.account import Contents, Thing

Rule = Callable[[Thing, Contents], None]

OF_A_CLUSTER: Final = (
    *("eks.Addon", "eks.AccessEntry", "eks.AccessPolicyAssociation", "eks.PodIdentityAssociation"),
)
"""What goes with a cluster."""


def log_into_bucket(writer: Thing, contents: Contents) -> None:
    """Write a log's first objects."""
    bucket = writer.inputs.get("s3BucketName") or (writer.inputs.get("accessLogs") or {}).get(
        "bucket"
    )
    for each in contents.of("s3.Bucket"):
        each.written = each.written or each.id == bucket


def lock_bucket(lock: Thing, contents: Contents) -> None:
    """Let Object Lock keep what is written to a bucket from now on."""
    for each in contents.of("s3.Bucket"):
        each.locked = each.locked or (
            each.id == lock.inputs["bucket"] and bool(lock.inputs.get("rule"))
        )


def make_log_group(cluster: Thing, contents: Contents) -> None:
    """Make the log group that EKS writes to, if nobody has: it has no retention, and it stays."""
    name = f"/aws/eks/{cluster.id}/cluster"
    if cluster.inputs.get("enabledClusterLogTypes") and not contents.find(
        "cloudwatch.LogGroup", name
    ):
        group = Thing(kind="cloudwatch.LogGroup", id=name, name="", code="", inputs={"name": name})
        contents.things.append(group)


def take_with_cluster(cluster: Thing, contents: Contents) -> None:
    """Take what goes with a cluster; its last lines are logged by then."""
    make_log_group(cluster, contents)
    contents.things = [
        each
        for each in contents.things
        if each.kind not in OF_A_CLUSTER or each.inputs["clusterName"] != cluster.id
    ]


REFUSED: Final[Mapping[tuple[str, str], Rule]] = {
    ("Create", "eks.NodeGroup"): rules.refuse_early_node_group,
    ("Create", "eks.Addon"): rules.refuse_add_on_without_nodes,
    ("Create", "cloudtrail.Trail"): rules.refuse_unwritable_bucket,
    ("Create", "lb.LoadBalancer"): rules.refuse_unwritable_bucket,
    ("Create", "cloudwatch.LogGroup"): rules.refuse_locked_log_group,
    ("Delete", "ec2.InternetGateway"): rules.refuse_mapped_addresses,
    ("Delete", "s3.Bucket"): rules.refuse_full_bucket,
}
"""What may keep a call of this method on this kind from being done."""
DONE: Final[Mapping[tuple[str, str], Rule]] = {
    ("Create", "eks.Cluster"): make_log_group,
    ("Delete", "eks.Cluster"): take_with_cluster,
    ("Create", "eks.NodeGroup"): nodes.join,
    ("Update", "eks.NodeGroup"): nodes.join,
    ("Delete", "eks.NodeGroup"): nodes.leave,
    ("Create", "cloudtrail.Trail"): log_into_bucket,
    ("Create", "lb.LoadBalancer"): log_into_bucket,
    ("Create", "s3.BucketObjectLockConfiguration"): lock_bucket,
}
"""What AWS does once a call was done."""


def before(method: str, thing: Thing, contents: Contents) -> None:
    """Raise AwsError if AWS refuses."""
    if method == "Delete":
        rules.refuse_held(thing, contents)
    else:
        rules.refuse_missing(thing, contents)
    REFUSED.get((method, thing.kind), _nothing)(thing, contents)


def after(method: str, thing: Thing, contents: Contents) -> None:
    """Do what AWS does by itself."""
    DONE.get((method, thing.kind), _nothing)(thing, contents)


def _nothing(_: Thing, __: Contents) -> None:
    """Do nothing."""
