"""The nodes that the decision priced, model by model: all that may be bought.

Protocols, so that what the gate computed fits as it is, although components do not know the gate.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

GroupKind = Literal["on_demand", "spot", "capacity_reservation", "capacity_block"]


class PoolGroup(Protocol):
    """Nodes that are bought in one way."""

    @property
    def kind(self) -> GroupKind:
        """Return how."""

    @property
    def min_nodes(self) -> int:
        """Return the floor."""

    @property
    def max_nodes(self) -> int:
        """Return the cap: the bill that was approved cannot outgrow it."""

    @property
    def over_nodes(self) -> int:
        """Return the nodes by which AWS exceeds the cap for minutes; they were approved too."""

    @property
    def warm_nodes(self) -> int:
        """Return the instances that are kept stopped beside those that run."""


class PoolNodes(Protocol):
    """The nodes of one model."""

    @property
    def instance_type(self) -> str:
        """Return the type, e.g. p5.4xlarge."""

    @property
    def gpu(self) -> str:
        """Return the GPU as in the gate's facts, e.g. h100-sxm-80gb."""

    @property
    def gpus_per_node(self) -> int:
        """Return the GPUs in one node."""

    @property
    def vcpus(self) -> int:
        """Return the virtual CPUs of one node."""

    @property
    def memory_gib(self) -> float:
        """Return the main memory of one node, GiB."""

    @property
    def groups(self) -> Sequence[PoolGroup]:
        """Return what is bought, each group at its cap."""
