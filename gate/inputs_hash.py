"""The hash of a decision's inputs: what was declared, not what prices or the calendar did to it."""

import hashlib
import json
from collections.abc import Sequence

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


def inputs_hash(stack: Stack, files: Sequence[str]) -> str:
    """Return SHA-256 of the declared inputs and of what the files they name (in order) said."""
    declared = stack.model_dump(mode="json", exclude=NOT_DECIDED)  # type: ignore[arg-type] # a nested exclude
    text = json.dumps([declared, list(files)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def declaration_hash(stack: Stack, inputs: str) -> str:
    """Return the hash of inputs and constraints together: equal means that nobody declared anything new."""
    constraints = [constraint.model_dump(mode="json") for constraint in stack.constraints]
    text = json.dumps([inputs, constraints], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
