"""What self-hosting costs beside the nodes. A line may be zero only with a reason."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import (
    CountOrZero,
    Declared,
    Fraction,
    Hours,
    HoursOrZero,
    Positive,
    Reason,
    Text,
    Usd,
    UsdOrZero,
)


def _one_of(line: Declared, *forms: str) -> None:
    """Raise ContradictionError unless exactly one of the forms is given."""
    given = [form for form in forms if getattr(line, form) is not None]
    if len(given) != 1:
        raise ContradictionError(
            found=" and ".join(given) or "none of the forms of a cost",
            allowed=f"exactly one of {', '.join(forms)}",
            remedy="keep the one that holds" if given else "say what it costs, or why nothing",
        )


def _together(line: Declared, amount: str, reason: str) -> None:
    """Raise ContradictionError where one of the two is given without the other."""
    for given, absent in ((amount, reason), (reason, amount)):
        if getattr(line, given) is not None and getattr(line, absent) is None:
            raise ContradictionError(
                field=f".{absent}",
                found=f"nothing, beside {given}",
                allowed=f"{amount} and {reason} together",
                remedy=f"add {absent}, or take {given} out",
            )


class CostLine(Declared):
    """One monthly cost: an amount, hours of people, a dated fact times a quantity, or a reasoned zero."""

    usd_per_month: Usd | None = None
    """Amount in USD a month; needs `source`."""
    source: Text | None = None
    """Where `usd_per_month` comes from."""
    hours_per_month: Hours | None = None
    """Hours of an engineer a month, paid at `operations.engineer_usd_per_hour`."""
    fact: Text | None = None
    """A dated unit price out of `python -m gate prices`; needs `quantity`."""
    quantity: Positive | None = None
    """Units of `fact` a month."""
    from_target: Literal[True] | None = None
    """Computed from target, which makes what is paid for; for target eks, and only there."""
    zero_because: Reason | None = None
    """Why this line costs nothing."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        _one_of(self, "usd_per_month", "hours_per_month", "fact", "from_target", "zero_because")
        _together(self, "usd_per_month", "source")
        _together(self, "fact", "quantity")
        return self


class People(Declared):
    """Work that comes back each month, by activity."""

    on_call: CostLine
    """Being reachable, and being called."""
    upgrades: CostLine
    """Driver, CUDA, engine, Kubernetes."""
    tuning: CostLine
    """Throughput, latency, batch sizes."""
    capacity_planning: CostLine
    """Quotas, reservations, forecasts."""
    incident_response: CostLine
    """Finding out, mending, writing up."""


class Infrastructure(Declared):
    """What runs beside the GPU nodes."""

    control_plane: CostLine
    """Kubernetes control plane."""
    cpu_nodes: CostLine
    """Nodes for gateway, router, monitoring."""
    storage: CostLine
    """Weights, logs, data."""
    networking: CostLine
    """NAT, endpoints, addresses."""
    load_balancing: CostLine
    """Load balancers and certificates."""
    egress_and_cross_zone: CostLine
    """Traffic out of the region and between zones that does not grow with the tokens."""
    monitoring: CostLine
    """Prometheus, dashboards, alerts."""
    observability: CostLine
    """Request traces: Langfuse and its stores."""
    security_and_compliance: CostLine
    """Controls, reviews, audits."""
    backup_and_disaster_recovery: CostLine
    """Second copies, and trying them."""
    deployment_pipeline: CostLine
    """CI, registries, environments."""


class SetUp(Declared):
    """What is paid once, before the first token."""

    hours: HoursOrZero
    """Hours of engineers."""
    usd: UsdOrZero
    """Everything else, in USD."""


class Operations(Declared):
    """Costs that the models of the stack share."""

    engineer_usd_per_hour: Annotated[Positive, Field(le=10_000)]
    """Full cost of an engineer's hour."""
    people: People
    """Hours by activity."""
    infrastructure: Infrastructure
    """What runs beside the GPU nodes."""
    set_up: SetUp
    """What is paid once."""


class ModelUpdates(Declared):
    """The treadmill: a better model appears, is evaluated, rolled out, and replaces this one."""

    per_year: Annotated[CountOrZero, Field(le=365)]
    """Updates a year."""
    hours_each: HoursOrZero
    """Hours of engineers for one: weights, regression evaluation, roll-out."""
    evaluation_usd_each: UsdOrZero
    """Evaluation runs and judges for one, in USD."""
    second_fleet_hours_each: HoursOrZero
    """Hours that old and new replicas run side by side (at the pool's floor, at least one node)."""
    zero_because: Reason | None = None
    """Why there are none; needed when `per_year` is 0."""

    @model_validator(mode="after")
    def _zero_needs_a_reason(self) -> Self:
        if (self.per_year == 0) is not (self.zero_because is not None):
            raise ContradictionError(
                field=".zero_because",
                found=f"{self.zero_because or 'nothing'}, with per_year: {self.per_year}",
                allowed="a reason with per_year: 0, and only there",
                remedy="say why the model is never replaced, or how often it is",
            )
        return self


class Escalation(Declared):
    """Requests that a better hosted model must answer after all."""

    provider: Text | None = None
    """Provider of the frontier model, as in `python -m gate prices`."""
    model: Text | None = None
    """The frontier model."""
    self_hosted_fraction: Fraction = 0.0
    """Share of the tokens that are sent on when self-hosting; they were served here before."""
    hosted_fraction: Fraction = 0.0
    """Share that would be sent on from the comparator as well; equal for the same weights."""
    zero_because: Reason | None = None
    """Why no request is escalated."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        _one_of(self, "provider", "zero_because")
        _together(self, "provider", "model")
        if self.zero_because and (self.self_hosted_fraction or self.hosted_fraction):
            raise ContradictionError(
                field=".zero_because",
                found="a reason for none, beside a fraction",
                allowed="provider, model and the fractions, or zero_because",
                remedy="keep the one that holds",
            )
        return self


class PerMtok(Declared):
    """A cost that grows with the tokens."""

    usd_per_mtok: Annotated[Positive, Field(le=100)] | None = None
    """USD per million tokens, input and output together; needs `source`."""
    source: Text | None = None
    """Where it comes from."""
    zero_because: Reason | None = None
    """Why it costs nothing."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        _one_of(self, "usd_per_mtok", "zero_because")
        _together(self, "usd_per_mtok", "source")
        return self


class OwnCosts(Declared):
    """Costs that one model alone causes."""

    model_updates: ModelUpdates
    """The treadmill."""
    escalation: Escalation
    """The gap to the frontier."""
    egress: PerMtok
    """Traffic out of the cluster."""
    trace_storage: PerMtok
    """Storing request traces."""
    other: CostLine
    """Anything else that only this model causes."""


class HostedOperations(Declared):
    """What using the hosted API costs beside its tokens, a month."""

    provisioned_throughput: CostLine
    """Reserved capacity or a higher rate limit."""
    data_transfer: CostLine
    """Traffic to the provider."""
    model_migrations: CostLine
    """Moving when the provider retires a model."""
    monitoring: CostLine
    """Watching quality, limits and spend."""
    provider_management: CostLine
    """Contracts, keys, several providers."""
