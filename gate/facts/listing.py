"""Every fact that is in force on a day, for `python -m gate prices`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from gate.facts import hosted, tables
from gate.facts.ages import Age, age, price_kind
from gate.facts.records import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of `python -m gate prices`."""

    name: str
    """What it is of, e.g. p5.48xlarge us-east-1 on_demand."""
    value: float
    """The figure in `unit`."""
    unit: str
    """E.g. USD/h."""
    source: str
    """Where it was read."""
    checked: date
    """The newest day on which the source is known to have said so."""
    age_days: int
    """Days since."""
    max_age_days: int
    """Days after which it is stale."""
    stale: bool
    """Whether it should be read again."""
    expired: bool
    """Whether it is too old to decide with."""


def all_facts(as_of: date) -> Iterator[Fact]:
    """Yield every fact that is in force on a day; a hosted provider is one line."""
    yield from _gpus(as_of)
    yield from _instances(as_of)
    yield from _kubernetes(as_of)
    yield from _models(as_of)
    yield from _operations(as_of)
    yield from _providers(as_of)


def _fact(name: str, value: float, unit: str, source: Source, aged: Age) -> Fact:
    return Fact(
        name=name,
        value=value,
        unit=unit,
        source=source.url,
        checked=source.checked,
        age_days=aged.days,
        max_age_days=aged.max_days,
        stale=aged.stale,
        expired=aged.expired,
    )


def _gpus(as_of: date) -> Iterator[Fact]:
    for name in tables.names("gpus"):
        gpu = tables.gpu(name)
        aged = age(gpu.source, "gpu_spec", as_of=as_of)
        memory = age(gpu.memory_source, "gpu_spec", as_of=as_of)
        bandwidth = gpu.memory_bandwidth_gb_per_s
        yield _fact(f"{name} memory", gpu.memory_gib, "GiB", gpu.memory_source, memory)
        yield _fact(f"{name} bandwidth", bandwidth, "GB/s", gpu.source, aged)
        for precision, tflops in gpu.dense_tflops.items():
            yield _fact(f"{name} dense {precision}", tflops, "TFLOPS", gpu.source, aged)


def _instances(as_of: date) -> Iterator[Fact]:
    for name in tables.names("instances"):
        records = tables.instance(name).prices
        for region, purchase in dict.fromkeys((r.region, r.purchase) for r in records):
            held = [r for r in records if (r.region, r.purchase) == (region, purchase)]
            if record := tables.in_force(held, as_of):
                aged = age(record.source, price_kind(name), as_of=as_of)
                label = f"{name} {region} {purchase}"
                yield _fact(label, record.usd_per_hour, "USD/h", record.source, aged)


def _kubernetes(as_of: date) -> Iterator[Fact]:
    for name in tables.names("kubernetes"):
        version = tables.kubernetes(name)
        aged = age(version.source, "kubernetes_version", as_of=as_of)
        left = max(0, (version.standard_ends - as_of).days)
        yield _fact(
            f"kubernetes {name} on EKS", left, "days of standard support", version.source, aged
        )


def _models(as_of: date) -> Iterator[Fact]:
    for name in tables.names("models"):
        spec = tables.model(name)
        aged = age(spec.source, "model_spec", as_of=as_of)
        yield _fact(f"{name} parameters", spec.parameters, "parameters", spec.source, aged)


def _operations(as_of: date) -> Iterator[Fact]:
    for key in tables.names("operations"):
        records = tables.operations_prices(key)
        for region in dict.fromkeys(record.region for record in records):
            held = [record for record in records if record.region == region]
            if record := tables.in_force(held, as_of):
                aged = age(record.source, "infrastructure_price", as_of=as_of)
                name = key if region == tables.HOME_REGION else f"{key} {region}"
                yield _fact(name, record.value, record.unit, record.source, aged)


def _providers(as_of: date) -> Iterator[Fact]:
    for provider in hosted.providers():
        content = hosted.document(provider)
        source = hosted.page(content)
        aged = age(source, "hosted_price", as_of=as_of)
        yield _fact(f"hosted/{provider}", len(content["models"]), "models", source, aged)


def hosted_facts(provider: str, *, as_of: date) -> Iterator[Fact]:
    """Yield the input and output prices of each model of a hosted provider."""
    for model in hosted.document(provider)["models"]:
        price = hosted.hosted_price(provider=provider, model=model, as_of=as_of)
        aged = age(price.source, "hosted_price", as_of=as_of)
        rates = {"input": price.rates.input_mtok, "output": price.rates.output_mtok}
        for kind, rate in rates.items():
            if rate is not None:
                yield _fact(f"{model} {kind}", rate, "USD/Mtok", price.source, aged)
