"""What a hosted API charges: one generated file a provider, one lookup reads one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from gate.facts.errors import UnknownFact
from gate.facts.records import Source
from gate.facts.tables import DATA

Json: TypeAlias = Mapping[str, Any]

# The parts of a price are named tuples: as dataclasses they would cost a cold start 4 ms.


class Rates(NamedTuple):
    """USD per million tokens; None: the source gives no price, which is never 0."""

    input_mtok: float | None = None
    """USD per million input tokens."""
    cache_read_mtok: float | None = None
    """USD per million input tokens read from the provider's cache."""
    cache_write_mtok: float | None = None
    """USD per million input tokens written to the provider's cache."""
    output_mtok: float | None = None
    """USD per million output tokens."""


class Tier(NamedTuple):
    """The rates of a long prompt: they apply to all of its tokens."""

    above_input_tokens: int
    """A prompt with more tokens than this pays these rates."""
    rates: Rates
    """USD per million tokens."""


class Hours(NamedTuple):
    """The rates of certain hours of the day; the source dates them no further."""

    from_utc: str
    """First minute, HH:MM UTC."""
    to_utc: str
    """First minute after, HH:MM UTC; before `from_utc` where the span crosses midnight."""
    rates: Rates
    """USD per million tokens."""


class Second(NamedTuple):
    """What another list says of the same provider and model."""

    source: str
    """Package and version."""
    input_mtok: float | None
    """USD per million input tokens."""
    output_mtok: float | None
    """USD per million output tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPrice:
    """The price of a model at a provider on a day."""

    provider: str
    """Provider's id, e.g. together."""
    model: str
    """Model's id there, whichever alias it was asked for by."""
    name: str
    """Model's name."""
    rates: Rates
    """Standard processing, shortest prompts, outside `hours`."""
    batch: Rates | None
    """Batch processing, where the source gives it for that day."""
    tiers: tuple[Tier, ...]
    """Rates of longer prompts, shortest first."""
    hours: tuple[Hours, ...]
    """Rates of certain hours of the day."""
    other_units: tuple[str, ...]
    """What else is billed, e.g. requests_kcount, web_searches_kcount."""
    free: bool
    """A free tier: it has limits instead of a price, and is no comparator."""
    deprecated: bool
    """The provider still serves it and advises against it."""
    effective_from: date | None
    """First day of this price; None where the source does not say."""
    next_change: date | None
    """Day on which the source already knows another price."""
    second: Second | None
    """A second source; only beside the price in force when both were read."""
    package: str
    """Package and version the price came from."""
    comment: str
    """The source's own remarks on this model."""
    source: Source
    """The provider's pricing page, and the newest day the package is known to have covered."""

    @property
    def tiered(self) -> bool:
        """Whether one rate does not tell the whole price."""
        return bool(self.tiers or self.hours)

    @property
    def why_not_comparable(self) -> str | None:
        """Why this price cannot stand for a hosted bill, or None where it can."""
        if self.free:
            return "a free tier has limits, not a price"
        sides = {"input": self.rates.input_mtok, "output": self.rates.output_mtok}
        missing = " and ".join(side for side, rate in sides.items() if not rate)
        return f"the source gives no {missing} price" if missing else None

    @property
    def disagreement(self) -> float | None:
        """The largest relative difference of the second source, or None without one."""
        pairs = [
            (self.rates.input_mtok, self.second and self.second.input_mtok),
            (self.rates.output_mtok, self.second and self.second.output_mtok),
        ]
        known = [abs(theirs - ours) / ours for ours, theirs in pairs if ours and theirs]
        return max(known, default=None)


def providers() -> list[str]:
    """Return the ids of all providers."""
    return sorted(path.stem for path in (DATA / "hosted").glob("*.json"))


def hosted_provider(provider: str) -> str:
    """Return the id of a provider that is known."""
    document(provider)
    return provider


@cache
def document(provider: str) -> Json:
    """Return a provider's file, read once."""
    import json  # noqa: PLC0415  (only a stack with a listed comparator reads one)

    path = DATA / "hosted" / f"{provider}.json"
    try:
        text = path.read_bytes() if path.parent == DATA / "hosted" else b""
    except (OSError, ValueError):  # ValueError: a null byte in the name
        text = b""
    if not text:
        raise UnknownFact(kind="hosted provider", found=provider, allowed=providers())
    content: Json = json.loads(text)
    return content


def hosted_price(*, provider: str, model: str, as_of: date) -> HostedPrice:
    """Return the price of a model at a provider on a day, by its id or an exact alias."""
    content = document(provider)
    models = content["models"]
    name = model if model in models else alias(models, model)
    if name is None:
        raise UnknownFact(kind=f"model at {provider}", found=model, allowed=models)
    entry, day, origin = models[name], as_of.isoformat(), content["source"]
    record = started(entry["prices"], day)[-1]
    compared = record is started(entry["prices"], origin["extracted"])[-1]
    return HostedPrice(
        provider=provider,
        model=name,
        name=entry["name"],
        rates=rates(record),
        batch=batch(entry, record, day),
        tiers=tuple(tier(part) for part in record.get("tiers", ())),
        hours=tuple(span(part) for part in entry.get("hours", ())),
        other_units=tuple(record.get("other_units", ())),
        free=entry.get("free", False),
        deprecated=entry.get("deprecated", False),
        effective_from=as_date(record["from"]),
        next_change=as_date(
            next((r["from"] for r in entry["prices"][1:] if r["from"] > day), None)
        ),
        second=Second(**entry["second"]) if compared and "second" in entry else None,
        package=origin["package"],
        comment=entry.get("comment", ""),
        source=page(content),
    )


def page(content: Json) -> Source:
    """Return a provider's pricing page, as old as the package that read it."""
    origin = content["source"]
    return Source(
        url=(content["pricing_urls"] or [origin["url"]])[0],
        checked=date.fromisoformat(origin["checked"]),
        note=f"as listed in {origin['package']}",
    )


def alias(models: Json, wanted: str) -> str | None:
    """Return the id of the model with this alias."""
    return next((name for name, m in models.items() if wanted in m.get("aliases", ())), None)


def started(records: list[Json], day: str) -> list[Json]:
    """Return the records that hold by a day; the first has no known start and always does."""
    return records[:1] + [record for record in records[1:] if record["from"] <= day]


def as_date(day: str | None) -> date | None:
    """Return a day of the file as a date."""
    return date.fromisoformat(day) if day else None


def rates(record: Json) -> Rates:
    """Return the rates of a record."""
    return Rates(**{key: record.get(key) for key in Rates._fields})


def tier(record: Json) -> Tier:
    """Return the rates of longer prompts."""
    return Tier(above_input_tokens=record["above_input_tokens"], rates=rates(record))


def span(record: Json) -> Hours:
    """Return the rates of certain hours."""
    return Hours(from_utc=record["from_utc"], to_utc=record["to_utc"], rates=rates(record))


def batch(entry: Json, record: Json, day: str) -> Rates | None:
    """Return the batch rates on a day: the first that gives a rate wins, else the standard one."""
    held = [variant for variant in entry.get("batch", ()) if (variant["from"] or "") <= day]
    merged: dict[str, Any] = {}
    for part in (*held, record):
        merged = dict(part) | merged
    return rates(merged) if held else None
