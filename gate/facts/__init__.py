"""The dated facts of the gate: what the files in gate/data say, on a day that is always given."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from gate.facts.ages import Age, age, price_kind
from gate.facts.errors import FactError, UnknownFact
from gate.facts.hosted import (
    HostedPrice,
    Hours,
    Rates,
    Second,
    Tier,
    hosted_price,
    hosted_provider,
)
from gate.facts.records import (
    Gpu,
    Instance,
    KubernetesVersion,
    ModelSpec,
    OperationsPrice,
    PriceRecord,
    Source,
)
from gate.facts.tables import (
    gpu,
    instance,
    instance_price,
    kubernetes,
    max_age_days,
    model,
    operations_price,
)

if TYPE_CHECKING:
    from gate.facts.listing import Fact

__all__ = [
    "Age",
    "FactError",
    "Gpu",
    "HostedPrice",
    "Hours",
    "Instance",
    "KubernetesVersion",
    "ModelSpec",
    "OperationsPrice",
    "PriceRecord",
    "Rates",
    "Second",
    "Source",
    "Tier",
    "UnknownFact",
    "age",
    "all_facts",
    "gpu",
    "hosted_price",
    "hosted_provider",
    "instance",
    "instance_price",
    "kubernetes",
    "max_age_days",
    "model",
    "operations_price",
    "price_kind",
]


def all_facts(as_of: date) -> "Iterator[Fact]":
    """Return every fact that is in force on a day; a hosted provider is one line."""
    from gate.facts.listing import all_facts as listed  # noqa: PLC0415  (only one command lists)

    return listed(as_of)
