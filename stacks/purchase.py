"""How the nodes of a pool are bought."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from stacks.aws.values import RESERVATION, Zone
from stacks.errors import ContradictionError
from stacks.numbers import Count, Day, Declared, Fraction, Text, UsdPerHour, plain_number


def _whole(value: Any) -> Any:
    """Return a whole number out of the text that `pulumi config set --path` may write for it."""
    number = plain_number(value)
    return int(number) if isinstance(number, str) and number.isdigit() else number


class OnDemand(Declared):
    """Nodes are paid by the hour at the node's price."""

    kind: Literal["on_demand"]


class SpotFallback(Declared):
    """Nodes bought on demand while no spot capacity is to be had."""

    nodes: Count
    """Cap; they count in the approved ceiling beside the spot nodes."""
    hours_fraction: Fraction
    """Share of the node-hours that are expected to be bought this way."""


class Spot(Declared):
    """Nodes are paid by the hour at a market price, and taken back at two minutes' notice."""

    kind: Literal["spot"]
    usd_per_hour: UsdPerHour
    """Mean price of a node-hour over the last weeks."""
    interruption_overhead_fraction: Fraction
    """Node-hours lost to interruptions and restarts, relative to those that serve."""
    on_demand_fallback: SpotFallback | None = None
    """A second pool, on demand, for when there is no spot capacity; left out, the model waits."""
    evidence: Text
    """Where the price comes from: a link or a document id."""
    checked: Day
    """Day the price was last confirmed."""


class Committed(Declared):
    """Some nodes are committed to for a term and paid used or not; more are bought on demand."""

    kind: Literal["reserved", "savings_plan"]
    term_months: Annotated[Literal[12, 36], BeforeValidator(_whole)]
    """Length of the commitment."""
    committed_nodes: Count
    """Nodes under the commitment."""
    usd_per_hour: UsdPerHour
    """Effective price of a committed node-hour, up-front payments spread over the term."""
    evidence: Text
    """Where the price comes from: a link or a document id."""
    checked: Day
    """Day the price was last confirmed."""


class CapacityReservation(Declared):
    """Nodes are kept free in one zone and paid at the on-demand price, used or not."""

    kind: Literal["capacity_reservation"]
    reservation: Annotated[str, Field(pattern=RESERVATION)]
    """Id of the reservation; it is never made or ended from here."""
    zone: Zone
    """Zone it is in."""
    nodes: Count
    """Instances it holds; the pool can have no more."""


class CapacityBlock(Declared):
    """All nodes are prepaid for a window and gone at its end."""

    kind: Literal["capacity_block"]
    reservation: Annotated[str, Field(pattern=RESERVATION)] | None = None
    """Id of the block that was bought, which target eks needs; it is never bought from here."""
    zone: Zone | None = None
    """Zone it is in; with `reservation`, and only then."""
    usd_per_hour: UsdPerHour
    """Prepaid price of a node-hour."""
    starts: Day
    """First day of the window."""
    ends: Day
    """Last day of the window; the nodes are taken back 30 minutes before its end."""
    evidence: Text
    """Where the price comes from: a link or a document id."""
    checked: Day
    """Day the price was last confirmed."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.reservation is None) is not (self.zone is None):
            absent = "zone" if self.zone is None else "reservation"
            raise ContradictionError(
                field=f".{absent}",
                found="nothing, beside the other of reservation and zone",
                allowed="both or neither: a block is in one zone",
                remedy=f"add {absent}",
            )
        return self

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends <= self.starts:
            raise ContradictionError(
                field=".ends",
                found=f"{self.ends}, with a start on {self.starts}",
                allowed="a day after starts",
                remedy="correct the window of the block",
            )
        return self


Purchase = Annotated[
    OnDemand | Spot | Committed | CapacityReservation | CapacityBlock, Field(discriminator="kind")
]
