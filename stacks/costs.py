"""What self-hosting costs beside the nodes. A line may be zero only with a reason."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from stacks.numbers import Amount, CountOrZero, Declared, Fraction, Positive, Text


class CostLine(Declared):
    """One monthly cost: an amount, hours of people, a dated fact times a quantity, or a reasoned zero."""

    usd_per_month: Positive | None = None
    """Amount in USD a month; needs `source`."""
    source: Text | None = None
    """Where `usd_per_month` comes from."""
    hours_per_month: Positive | None = None
    """Hours of an engineer a month, paid at `operations.engineer_usd_per_hour`."""
    fact: Text | None = None
    """A dated unit price out of `python -m gate prices`; needs `quantity`."""
    quantity: Positive | None = None
    """Units of `fact` a month."""
    zero_because: Annotated[str, Field(min_length=12)] | None = None
    """Why this line costs nothing."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        forms = (self.usd_per_month, self.hours_per_month, self.fact, self.zero_because)
        if sum(form is not None for form in forms) != 1:
            msg = "give exactly one of usd_per_month, hours_per_month, fact or zero_because"
            raise ValueError(msg)
        if (self.usd_per_month is None) is not (self.source is None):
            msg = "usd_per_month and source go together"
            raise ValueError(msg)
        if (self.fact is None) is not (self.quantity is None):
            msg = "fact and quantity go together"
            raise ValueError(msg)
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

    hours: Amount
    """Hours of engineers."""
    usd: Amount
    """Everything else, in USD."""


class Operations(Declared):
    """Costs that the models of the stack share."""

    engineer_usd_per_hour: Positive
    """Full cost of an engineer's hour."""
    people: People
    """Hours by activity."""
    infrastructure: Infrastructure
    """What runs beside the GPU nodes."""
    set_up: SetUp
    """What is paid once."""


class ModelUpdates(Declared):
    """The treadmill: a better model appears, is evaluated, rolled out, and replaces this one."""

    per_year: CountOrZero
    """Updates a year."""
    hours_each: Amount
    """Hours of engineers for one: weights, regression evaluation, roll-out."""
    evaluation_usd_each: Amount
    """Evaluation runs and judges for one, in USD."""
    second_fleet_hours_each: Amount
    """Hours that old and new replicas run side by side (at the pool's floor, at least one node)."""
    zero_because: Annotated[str, Field(min_length=12)] | None = None
    """Why there are none; needed when `per_year` is 0."""

    @model_validator(mode="after")
    def _zero_needs_a_reason(self) -> Self:
        if (self.per_year == 0) is not (self.zero_because is not None):
            msg = "per_year: 0 and zero_because go together"
            raise ValueError(msg)
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
    zero_because: Annotated[str, Field(min_length=12)] | None = None
    """Why no request is escalated."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        named = self.provider is not None and self.model is not None
        if named is (self.zero_because is not None) or (self.provider is None) is not (
            self.model is None
        ):
            msg = "give provider, model and the fractions, or zero_because"
            raise ValueError(msg)
        if not named and (self.self_hosted_fraction or self.hosted_fraction):
            msg = "a fraction needs provider and model"
            raise ValueError(msg)
        return self


class PerMtok(Declared):
    """A cost that grows with the tokens."""

    usd_per_mtok: Annotated[Positive, Field(le=100)] | None = None
    """USD per million tokens, input and output together; needs `source`."""
    source: Text | None = None
    """Where it comes from."""
    zero_because: Annotated[str, Field(min_length=12)] | None = None
    """Why it costs nothing."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.usd_per_mtok is None) is (self.zero_because is None):
            msg = "give usd_per_mtok with source, or zero_because"
            raise ValueError(msg)
        if (self.usd_per_mtok is None) is not (self.source is None):
            msg = "usd_per_mtok and source go together"
            raise ValueError(msg)
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
