"""How long a replica takes to serve when nothing of it is there yet, phase by phase."""

from collections.abc import Iterator
from typing import NamedTuple

from gate.findings import Finding, advisory
from gate.nodes import NodePlan
from stacks.errors import Place
from stacks.sources import HubSource, S3Source, StoreSource
from stacks.stack import ServedModel
from stacks.target import Target, node_start_seconds

GBIT_PER_GIB = 2**30 * 8 / 1e9


class ColdStart(NamedTuple):
    """Seconds of each phase; None where they were not measured apart."""

    node_s: float
    """From the request for a node until its GPUs can be had; 0 where the target makes none."""
    image_s: float | None
    weights_s: float | None
    engine_s: float | None
    replica_s: float
    """From the pod's start until it serves: the three together."""

    @property
    def whole_s(self) -> float:
        """Return what capacity must be ordered ahead of the load."""
        return self.node_s + self.replica_s


def cold_start(model: ServedModel, target: Target) -> ColdStart:
    """Return the declared phases of a cold start."""
    phases, whole = model.serving.cold_start_phases, model.serving.cold_start_seconds
    return ColdStart(
        node_s=node_start_seconds(target),
        image_s=phases.image_seconds if phases else None,
        weights_s=phases.weights_seconds if phases else None,
        engine_s=phases.engine_seconds if phases else None,
        replica_s=whole,
    )


def weights_findings(
    model: ServedModel, nodes: NodePlan, weights_gib: float, place: Place
) -> Iterator[Finding]:
    """Yield a time for the weights that is shorter than the node's network needs to carry them.

    A lower bound: one replica alone on the node, at all that its network cards carry.
    """
    phases, instance = model.serving.cold_start_phases, nodes.instance
    over_network = isinstance(model.serving.source, HubSource | S3Source | StoreSource)
    if not phases or not over_network or not instance or not instance.network_gbit_per_s:
        return
    least = weights_gib * GBIT_PER_GIB / instance.network_gbit_per_s
    if phases.weights_seconds < least:
        yield advisory(
            place.at("serving.cold_start_phases.weights_seconds"),
            found=f"{phases.weights_seconds:g}, for {weights_gib:.1f} GiB over a network",
            allowed=f"from {least:.3g}: {instance.name} has {instance.network_gbit_per_s:g} Gbit/s",
            remedy="measure a start on a node that has never had the weights",
        )
