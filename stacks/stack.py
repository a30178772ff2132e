"""One stack: what an environment serves, what is expected of it, and who pays."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.constraint import HardConstraint
from stacks.costs import Operations, OwnCosts
from stacks.hosted import Hosted
from stacks.numbers import Count, Day, Declared, DnsLabel, Positive
from stacks.pool import Benchmark, Pool
from stacks.serving import Serving, Weights
from stacks.target import Target
from stacks.workload import Workload


class GateSettings(Declared):
    """How strict the gate is; it can be made stricter, never laxer."""

    on_below_break_even: Literal["warn", "refuse"] = "warn"
    """What happens when a break-even exists, but above the declared volume."""
    horizon_months: Annotated[Count, Field(le=120)] = 24
    """Months over which growth is judged and the set-up must be paid back."""


class Shadow(Declared):
    """A deployment that exists to measure utilization, and then ends."""

    ends: Day
    """Day it is taken down, at most 30 days away."""
    spending_cap_usd: Positive
    """What it may cost until then."""


class ServedModel(Declared):
    """One model: what is asked of it, what it runs on, and what it is compared with."""

    name: DnsLabel
    """Name under which clients ask for it."""
    weights: Weights
    """The weights that are served."""
    workload: Workload
    """What is asked of it."""
    hosted: Hosted
    """What it is compared with."""
    pool: Pool
    """What it runs on."""
    benchmark: Benchmark
    """What one replica serves."""
    costs: OwnCosts
    """Costs it alone causes."""
    serving: Serving
    """The engine's pods; not part of the decision."""


class Stack(Declared):
    """Everything one environment declares."""

    purpose: Literal["trial", "staging", "production", "shadow"]
    """What it is for; a shadow measures utilization and ends."""
    target: Target
    """Where it is deployed; not part of the decision."""
    gate: GateSettings = GateSettings()
    """How strict the gate is."""
    shadow: Shadow | None = None
    """End and spending cap of a shadow."""
    operations: Operations
    """Costs that the models share."""
    models: Annotated[tuple[ServedModel, ...], Field(min_length=1)]
    """The models."""
    constraints: tuple[HardConstraint, ...] = ()
    """Why a model must be self-hosted whatever it costs."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.purpose == "shadow") is not (self.shadow is not None):
            msg = "purpose: shadow and shadow go together"
            raise ValueError(msg)
        names = [model.name for model in self.models]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            msg = f"two models are named {doubles[0]}"
            raise ValueError(msg)
        for constraint in self.constraints:
            unknown = sorted(set(constraint.models) - set(names))
            if unknown:
                msg = f"a constraint names {unknown[0]}, which is none of the models {', '.join(names)}"
                raise ValueError(msg)
        return self
