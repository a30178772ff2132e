"""The hash of a decision's inputs: what was declared, not what prices or the calendar did to it."""

import hashlib
import json
from collections.abc import Sequence

from gate.aws_costs import log_days
from stacks.aws.made import interface_endpoints, volume_gib
from stacks.aws.target import Eks, Usage
from stacks.serving import Serving
from stacks.stack import Stack

JUDGED = {"gpu_memory_utilization", "cold_start_seconds"}
"""What the gate reads of `serving`: memory and roofline follow the one, the autoscaler's lead the other."""

NOT_DECIDED = {
    "target": True,
    "constraints": True,
    "gateway": True,
    "observability": True,
    "images": True,
    "models": {"__all__": {"serving": set(Serving.model_fields) - JUDGED}},
}
"""What changes on a living stack without a new decision: where it runs, and the engine's patch level."""


PRICED_OF_EKS = {
    "region": True,
    "cluster": {"support"},
    "network": {"egress"},
    "system_nodes": {"instance_type", "max", "disk_gib"},
    "gpu_nodes": {"disk_gib", "start_seconds"},
    "load_balancer": {"scheme"},
    "model_store": {"gib"},
    "registry": {"gib"},
    "usage": set(Usage.model_fields) - {"source"},
}
"""What gate/aws_costs.py prices of target eks, and how long a node takes: the lead covers it."""


def inputs_hash(stack: Stack, files: Sequence[str]) -> str:
    """Return SHA-256 of the declared inputs and of what the files they name (in order) said."""
    declared = stack.model_dump(mode="json", exclude=NOT_DECIDED)  # type: ignore[arg-type] # a nested exclude
    if isinstance(stack.target, Eks):
        declared["target"] = _priced(stack, stack.target)
    text = json.dumps([declared, list(files)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _priced(stack: Stack, eks: Eks) -> dict[str, object]:
    """Return what the bill follows from: quantities and instance types, not names, releases or tags."""
    extended = eks.cluster.support == "extended"
    return eks.model_dump(mode="json", include=PRICED_OF_EKS) | {  # type: ignore[arg-type] # nested
        "version": eks.cluster.version if extended else None,
        "zones": len(eks.zones),
        "endpoints": len(interface_endpoints(eks)),
        "log_days": log_days(eks),
        "audit": eks.audit is not None,
        "volume_gib": volume_gib(stack),
        **({"warm_nodes": eks.gpu_nodes.warm_nodes} if eks.gpu_nodes.warm_nodes else {}),
        **({"local_disks": True} if eks.gpu_nodes.local_disks else {}),
    }


def declaration_hash(stack: Stack, inputs: str) -> str:
    """Return the hash of inputs and constraints together: equal means that nobody declared anything new."""
    constraints = [constraint.model_dump(mode="json") for constraint in stack.constraints]
    text = json.dumps([inputs, constraints], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
