"""What is made in the clusters of the stacks that are checked in."""

from typing import Final

from components.eks.in_cluster import InClusterPlan, in_cluster_plan
from components.eks.karpenter import NodeSurroundings
from components.images import locked_images
from tests.components.aws.registered import plan_of
from tests.factories import Changes

KARPENTER: Final[dict[str, object]] = {
    "target.gpu_nodes.scaler": "karpenter",
    "target.system_nodes.min": 4,
    "target.system_nodes.max": 4,
}
"""It scales GPU nodes, and no others."""
SPOT: Final[dict[str, object]] = {
    "models[0].pool.purchase": {
        "kind": "spot",
        "usd_per_hour": 2.65,
        "interruption_overhead_fraction": 0.05,
        "on_demand_fallback": {"nodes": 1, "hours_fraction": 0.1},
        "evidence": "made up for a test",
        "checked": "2026-11-01",
    }
}
"""Spot nodes, and one on demand for when there are none."""
RESERVED: Final[dict[str, object]] = {
    "models[0].pool.purchase": {
        "kind": "capacity_reservation",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1b",
        "nodes": 4,
    }
}
AROUND: Final = NodeSurroundings(
    subnet_ids={f"us-east-1{letter}": f"subnet-{letter}" for letter in "abc"},
    security_group_id="sg-1",
    key_arn="arn:aws:kms:us-east-1:123456789012:key/1",
)


def in_cluster(stack: str, changes: Changes | None = None) -> InClusterPlan:
    """Return the plan of a stack file, with values put in by path."""
    plan = plan_of(stack, changes)
    return in_cluster_plan(plan, locked_images(), file=f"stacks/Pulumi.{stack}.yaml")
