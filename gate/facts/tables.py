"""The hand-written tables: GPUs, instance types and their prices, models, prices of operations."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from gate.facts.errors import UnknownFact
from gate.facts.records import (
    Gpu,
    Instance,
    KubernetesVersion,
    ModelSpec,
    OperationsPrice,
    PriceRecord,
    Source,
)

DATA: Final = Path(__file__).parent.parent / "data"

Row: TypeAlias = dict[str, Any]


class Dated(Protocol):
    """Anything that holds from a day on."""

    @property
    def effective_from(self) -> date:
        """The first day."""


D = TypeVar("D", bound=Dated)


@cache
def table(name: str) -> Row:
    """Return one file of gate/data, read once."""
    import yaml  # noqa: PLC0415  (a lookup of a hosted price does without it)

    content: Row = yaml.load((DATA / f"{name}.yaml").read_bytes(), yaml.CSafeLoader)
    return content


def names(kind: str) -> list[str]:
    """Return the keys of a table in their order."""
    return list(table(kind)["prices" if kind == "operations" else kind])


def row(kind: str, label: str, name: str) -> Any:
    """Return the entry of a name, or raise UnknownFact with the names that are known."""
    entries = table(kind)["prices" if kind == "operations" else kind]
    if name not in entries:
        raise UnknownFact(kind=label, found=name, allowed=entries)
    return entries[name]


def source(kind: str, key: str) -> Source:
    """Return a source that a table's records share."""
    return Source(**table(kind)["sources"][key])


def in_force(records: Iterable[D], as_of: date) -> D | None:
    """Return the record with the latest start that is not after `as_of`, or None."""
    started = [record for record in records if record.effective_from <= as_of]
    return max(started, key=lambda record: record.effective_from, default=None)


def starts(records: Iterable[Dated]) -> list[str]:
    """Return the days from which a price is known, for the error that lacks one."""
    return [f"from {record.effective_from}" for record in records]


@cache
def gpu(name: str) -> Gpu:
    """Return what a GPU can do at most."""
    entry: Row = row("gpus", "GPU", name)
    sources: Row = {key: source("gpus", entry[key]) for key in ("source", "memory_source")}
    return Gpu(name=name, **entry | sources)


@cache
def instance(name: str) -> Instance:
    """Return what an instance type holds and the history of its prices."""
    entry = row("instances", "instance type", name)
    records = [
        PriceRecord(instance=name, **price | {"source": source("instances", price["source"])})
        for price in entry["prices"]
    ]
    return Instance(name=name, **{"gpu": None, **entry, "prices": tuple(records)})


def instance_price(name: str, *, region: str, purchase: str, as_of: date) -> PriceRecord:
    """Return the price in force on a day; no price is an error, never 0."""
    records = instance(name).prices
    held = [r for r in records if (r.region, r.purchase) == (region, purchase)]
    if not held:
        known = {f"{r.region} {r.purchase}" for r in records}
        raise UnknownFact(kind=f"price of {name} in", found=f"{region} {purchase}", allowed=known)
    found = in_force(held, as_of)
    if found is None:
        kind = f"{purchase} price of {name} in {region} on"
        raise UnknownFact(kind=kind, found=f"{as_of}", allowed=starts(held))
    return found


@cache
def model(name: str) -> ModelSpec:
    """Return a model's architecture."""
    entry = row("models", "model", name)
    defaults: Row = {
        "kv_cache_elements_per_token_per_layer": 2 * entry["kv_heads"] * entry["head_dim"],
        "weights_gib": None,
        "revision": None,
    }
    return ModelSpec(name=name, **defaults | entry | {"source": source("models", entry["source"])})


HOME_REGION: Final = "us-east-1"
"""Region of a price of operations that names none."""


def operations_price(key: str, *, as_of: date, region: str = HOME_REGION) -> OperationsPrice:
    """Return the price in force on a day; that of another region is never taken for it."""
    every = operations_prices(key)
    records = [record for record in every if record.region == region]
    if not records:
        known = {record.region for record in every}
        raise UnknownFact(kind=f"region of {key}", found=region, allowed=known)
    found = in_force(records, as_of)
    if found is None:
        raise UnknownFact(kind=f"{key} on", found=f"{as_of}", allowed=starts(records))
    return found


@cache
def operations_prices(key: str) -> tuple[OperationsPrice, ...]:
    """Return the history of a price, oldest first."""
    return tuple(
        OperationsPrice(key=key, **entry | {"source": source("operations", entry["source"])})
        for entry in row("operations", "price of operations", key)
    )


@cache
def kubernetes(version: str) -> KubernetesVersion:
    """Return how long EKS supports a version."""
    entry: Row = row("kubernetes", "Kubernetes version on EKS", version)
    held = {"extended_ends": None, **entry, "source": source("kubernetes", entry["source"])}
    return KubernetesVersion(name=version, **held)


def max_age_days(kind: str) -> int:
    """Return the days after which a fact of this kind is stale."""
    limits = table("operations")["max_age_days"]
    if kind not in limits:
        raise UnknownFact(kind="kind of fact", found=kind, allowed=limits)
    days: int = limits[kind]["value"]
    return days
