"""What the parts that are deployed have to know of a decision about one model."""

from typing import Protocol

from components.aws.pool_nodes import PoolNodes
from components.gateway.plan import Price
from components.observability.parts import ModelCost


class Judged(Protocol):
    """Figures of the decision; the gate's own fit as they are, although components do not know it."""

    @property
    def replicas(self) -> int:
        """Return the replicas that run when nothing scales them."""

    @property
    def hosted_input_usd_per_mtok(self) -> float:
        """Return the comparator's price of input, by which a hosted fallback is charged."""

    @property
    def hosted_output_usd_per_mtok(self) -> float:
        """Return the comparator's price of output."""

    @property
    def usd_per_replica_hour(self) -> float:
        """Return what an hour of a replica costs, its share of what is shared included."""

    @property
    def self_hosted_usd_per_mtok(self) -> float:
        """Return the modeled cost of a million tokens."""

    @property
    def hosted_usd_per_mtok(self) -> float:
        """Return what the comparator takes for them."""

    @property
    def break_even_mtok_per_month(self) -> float | None:
        """Return the break-even volume; None where there is none."""

    @property
    def nodes(self) -> PoolNodes | None:
        """Return the cloud's nodes that may be bought; None where they are one's own."""


def price_of(judged: Judged) -> Price:
    """Return the comparator's prices."""
    return Price(
        input_usd_per_mtok=judged.hosted_input_usd_per_mtok,
        output_usd_per_mtok=judged.hosted_output_usd_per_mtok,
    )


def cost_of(judged: Judged) -> ModelCost:
    """Return what rules, dashboard and Langfuse compare with."""
    return ModelCost(
        usd_per_replica_hour=judged.usd_per_replica_hour,
        self_hosted_usd_per_mtok=judged.self_hosted_usd_per_mtok,
        hosted_usd_per_mtok=judged.hosted_usd_per_mtok,
        break_even_mtok_per_month=judged.break_even_mtok_per_month,
    )
