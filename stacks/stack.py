"""One stack: what an environment serves, what is expected of it, and who pays."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.constraint import HardConstraint
from stacks.costs import Operations, OwnCosts
from stacks.errors import ContradictionError
from stacks.hosted import Hosted
from stacks.numbers import Count, Day, Declared, DnsLabel, Usd
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
    spending_cap_usd: Usd
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
            raise ContradictionError(
                field=".shadow",
                found=f"{'a' if self.shadow else 'no'} shadow, with purpose: {self.purpose}",
                allowed="shadow (ends, spending_cap_usd) with purpose: shadow, and only there",
                remedy="say when it ends and what it may cost, or give it another purpose",
            )
        self._names_are_known([model.name for model in self.models])
        return self

    def _names_are_known(self, names: list[str]) -> None:
        """Raise ContradictionError where a name stands for two models, or for none."""
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ContradictionError(
                    field=f".models[{index}].name",
                    found=f"{name} again",
                    allowed="a name of its own for each model",
                    remedy="rename one of them; clients ask for a model by its name",
                )
        for index, constraint in enumerate(self.constraints):
            for name in constraint.models:
                if name not in names:
                    raise ContradictionError(
                        field=f".constraints[{index}].models",
                        found=f"{name}, which is no model of this stack",
                        allowed=", ".join(names),
                        remedy="name the model by its name in models",
                    )
