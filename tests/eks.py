"""The demo stack on AWS, to vary: `an_eks_stack({"target.network.egress.gateways": "single"})`."""

from datetime import date
from typing import Final

from gate.decision import Decision
from tests.factories import AS_OF, Changes, Declaration, a_stack, decided

M: Final = "models[0]."
ACCOUNT: Final = "123456789012"
TARGET: Final = {
    "kind": "eks",
    "account": ACCOUNT,
    "region": "us-east-1",
    "zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
    "protect": False,
    "cluster": {
        "version": "1.36",
        "administrators": [f"arn:aws:iam::{ACCOUNT}:role/deploy"],
        "log_retention_days": 30,
    },
    "network": {"cidr": "10.0.0.0/16", "egress": {"kind": "nat", "gateways": "per_zone"}},
    "system_nodes": {"instance_type": "m7i.xlarge", "min": 3, "max": 3, "disk_gib": 50},
    "gpu_nodes": {"ami_release": "1.36.2-20260818", "disk_gib": 200, "start_seconds": 240},
    "usage": {
        "nat_gb": 600,
        "endpoint_gb": 0,
        "load_balancer_lcu_hours": 0,
        "cross_zone_gb": 4000,
        "internet_gb": 0,
        "log_gb": 80,
        "bucket_thousand_requests": 0,
        "source": "an estimate",
    },
}
LINES: Final = (
    *("control_plane", "cpu_nodes", "storage", "networking", "load_balancing"),
    "egress_and_cross_zone",
)
ON_EKS: Final[Changes] = {
    "target": TARGET,
    **{f"operations.infrastructure.{line}": {"from_target": True} for line in LINES},
    M + "serving.cold_start_phases": {
        "image_seconds": 150,
        "weights_seconds": 60,
        "engine_seconds": 210,
    },
    M + "pool.scaling.lead_minutes": 11,
}
BALANCER: Final = {
    "scheme": "internet-facing",
    "certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/00000000-0000-4000-8000-0",
    "cidrs": ["203.0.113.0/24"],
}
BALANCED: Final[Changes] = {"gateway.exposure": "load_balancer", "target.load_balancer": BALANCER}
STORED: Final[Changes] = {
    "target.model_store": {"gib": 40},
    M + "serving.source": {"kind": "store", "manifest_sha256": "0" * 64},
}
CLOSED: Final[Changes] = {
    "target.model_store": {"gib": 40},
    M + "serving.source": {
        "kind": "store",
        "filled_from": "elsewhere",
        "manifest_sha256": "0" * 64,
    },
    M + "serving.fallback": None,
    "gateway.keys[0].may_fall_back": False,
    "target.network.egress": {"kind": "none"},
    "target.registry": {"gib": 60},
    "target.charts": {"keda": "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts/keda"},
}
"""Nothing leaves the network."""


def an_eks_stack(changes: Changes | None = None) -> Declaration:
    """Return the demo stack on AWS with values put in by path."""
    return a_stack({**ON_EKS, **(changes or {})})


def decide_eks(changes: Changes | None = None, *, as_of: date = AS_OF) -> Decision:
    """Return the decision about it."""
    return decided(an_eks_stack(changes), as_of=as_of)
