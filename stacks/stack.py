"""One stack: what an environment serves, what is expected of it, and who pays."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.consistency import check_consistency
from stacks.constraint import HardConstraint
from stacks.costs import Operations, OwnCosts
from stacks.errors import ContradictionError
from stacks.gateway import Gateway
from stacks.hosted import Hosted
from stacks.numbers import IMAGE, Count, Day, Declared, DnsLabel, Usd
from stacks.observability import Observability
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
    """How it is served; not part of the decision."""


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
    gateway: Gateway
    """Who may ask, and how much; not part of the decision."""
    observability: Observability
    """Metrics and traces; not part of the decision."""
    images: dict[str, Annotated[str, Field(pattern=IMAGE)]] = Field(default_factory=dict)
    """Images in place of those of components/images.yaml, by their name there: one's own registry."""
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
        check_consistency(self)
        self._constraints_are_known([model.name for model in self.models])
        return self

    def _constraints_are_known(self, names: list[str]) -> None:
        """Raise ContradictionError where a constraint names no model of the stack."""
        for index, constraint in enumerate(self.constraints):
            for name in constraint.models:
                if name not in names:
                    raise ContradictionError(
                        field=f".constraints[{index}].models",
                        found=f"{name}, which is no model of this stack",
                        allowed=", ".join(names),
                        remedy="name the model by its name in models",
                    )
