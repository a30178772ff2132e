"""A program that makes what a new cluster needs in the cluster of the tests, with stand-in charts."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from components.eks.in_cluster import InCluster, in_cluster_plan
from components.eks.karpenter import NodeSurroundings
from components.images import locked_images
from tests.components.aws.registered import plan_of
from tests.factories import Changes

CHARTS = Path(__file__).with_name("charts")
AROUND = NodeSurroundings(
    subnet_ids={f"us-east-1{letter}": f"subnet-0{letter}" for letter in "abc"},
    security_group_id="sg-0a",
    key_arn="arn:aws:kms:us-east-1:123456789012:key/1",
)


def deploy(stack: str, changes: Changes) -> None:
    """Make it for a stack file with values put in by path."""
    own = {"target.charts": {name: str(CHARTS / name) for name in ("keda", "karpenter")}}
    plan = plan_of(stack, {**own, **changes})
    cluster = k8s.Provider("cluster", enable_server_side_apply=True)
    InCluster(
        in_cluster_plan(plan, locked_images(), file=f"stacks/Pulumi.{stack}.yaml"),
        AROUND,
        pulumi.ResourceOptions(providers=[cluster]),
    )
