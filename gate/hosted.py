"""The hosted price of a token of this mix, at the comparator that the stack names."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from gate import facts
from gate.findings import Finding, advisory, of_age
from gate.lookup import answering, hosted_price
from gate.purchases import NEGOTIATED_PRICE_MAX_AGE_DAYS
from stacks import hosted as declared
from stacks.errors import Place

AGREEMENT = 0.2
"""Two sources that differ by more than this are shown: of 177 prices that two public lists share,
19 differ by more (docs/model.md#hosted)."""


class Tariff(NamedTuple):
    """USD per million tokens, by kind of token."""

    input_usd_per_mtok: float
    cached_input_usd_per_mtok: float
    output_usd_per_mtok: float
    source: str
    checked: date

    def blend(self, *, input_share: float, cached_input_fraction: float) -> float:
        """Return USD per million tokens of the mix."""
        cached = cached_input_fraction * self.cached_input_usd_per_mtok
        inputs = cached + (1 - cached_input_fraction) * self.input_usd_per_mtok
        return input_share * inputs + (1 - input_share) * self.output_usd_per_mtok


class HostedRate(NamedTuple):
    """What a million tokens of the mix cost at the comparator."""

    name: str
    """Provider and model."""
    usd_per_mtok: float
    """p: with cache, batch and retries."""
    tariff: Tariff
    batch_discount_fraction: float


def hosted_rate(
    hosted: declared.Hosted, place: Place, *, input_share: float, as_of: date
) -> HostedRate:
    """Return p of docs/model.md#hosted: the blend of the tariff, less the batch discount, plus retries.

    Raises:
        InputError: provider or model is unknown or has no usable price.
    """
    tariff = _tariff(hosted, place, as_of)
    blend = tariff.blend(
        input_share=input_share, cached_input_fraction=hosted.cached_input_fraction
    )
    discount = _batch_discount(hosted, place, input_share=input_share, as_of=as_of)
    usd_per_mtok = blend * (1 - hosted.batch_fraction * discount) * (1 + hosted.retry_fraction)
    return HostedRate(
        name=f"{hosted.provider} {hosted.model}",
        usd_per_mtok=usd_per_mtok,
        tariff=tariff,
        batch_discount_fraction=discount,
    )


def _tariff(hosted: declared.Hosted, place: Place, as_of: date) -> Tariff:
    negotiated = hosted.negotiated
    if negotiated is None:
        return list_tariff(hosted.provider, hosted.model, place, as_of=as_of)
    cached = negotiated.cached_input_usd_per_mtok
    return Tariff(
        input_usd_per_mtok=negotiated.input_usd_per_mtok,
        cached_input_usd_per_mtok=negotiated.input_usd_per_mtok if cached is None else cached,
        output_usd_per_mtok=negotiated.output_usd_per_mtok,
        source=negotiated.evidence,
        checked=negotiated.checked,
    )


def list_tariff(provider: str, model: str, place: Place, *, as_of: date) -> Tariff:
    """Return the list price in force on a day.

    Raises:
        InputError: provider or model is unknown or has no usable price.
    """
    with answering(place.at("provider")):
        facts.hosted_provider(provider)
    with answering(place.at("model")):
        price = facts.hosted_price(provider=provider, model=model, as_of=as_of)
    rates = price.rates
    if price.why_not_comparable or not rates.input_mtok or not rates.output_mtok:
        raise place.at("model").error(
            found=f"{provider} {model}: {price.why_not_comparable}",
            allowed="a model with a price for input and for output",
            remedy="name another model; a comparator may have a price in hosted.negotiated",
        )
    return Tariff(
        input_usd_per_mtok=rates.input_mtok,
        cached_input_usd_per_mtok=rates.cache_read_mtok or rates.input_mtok,
        output_usd_per_mtok=rates.output_mtok,
        source=price.source.url,
        checked=price.source.checked,
    )


def _batch_discount(
    hosted: declared.Hosted, place: Place, *, input_share: float, as_of: date
) -> float:
    """Return the discount of the batch price: as declared, else as the price book lists it."""
    if hosted.batch_fraction == 0:
        return 0.0
    if hosted.batch_discount_fraction is not None:
        return hosted.batch_discount_fraction
    listed = hosted_price(provider=hosted.provider, model=hosted.model, as_of=as_of)
    batch = listed.batch if listed and not hosted.negotiated else None
    if listed is None or batch is None or not batch.input_mtok or not batch.output_mtok:
        raise place.at("batch_discount_fraction").error(
            found="nothing, with a batch_fraction above 0 and no batch price in the price book",
            allowed="a discount from 0 to 1",
            remedy="write down the provider's batch discount (0.5 is half)",
        )
    blended = input_share * batch.input_mtok + (1 - input_share) * batch.output_mtok
    rates = listed.rates
    standard = input_share * (rates.input_mtok or 0) + (1 - input_share) * (rates.output_mtok or 0)
    return 1 - blended / standard


def hosted_findings(
    hosted: declared.Hosted, rate: HostedRate, place: Place, *, input_share: float, as_of: date
) -> Iterator[Finding]:
    """Yield what the age of the price, its tiers and a second source call for."""
    negotiated = hosted.negotiated
    here = place.at("negotiated.checked" if negotiated else "model")
    limit = NEGOTIATED_PRICE_MAX_AGE_DAYS if negotiated else facts.max_age_days("hosted_price")
    yield from of_age(here, checked=rate.tariff.checked, as_of=as_of, max_age_days=limit)
    listed = hosted_price(provider=hosted.provider, model=hosted.model, as_of=as_of)
    if listed is None:
        return
    if listed.tiered and not negotiated:
        yield advisory(
            here,
            found="a price with tiers or hours; the lowest tier is taken",
            allowed="one price for all tokens",
            remedy="declare hosted.negotiated with the mean of what you would pay",
        )
    own = rate.tariff.blend(input_share=input_share, cached_input_fraction=0.0)
    for source, blend in _second_sources(listed, input_share, negotiated=negotiated is not None):
        if abs(blend - own) > AGREEMENT * own:
            yield advisory(
                place.at("model"),
                found=f"{own:.4g} USD/Mtok, and {blend:.4g} in {source}",
                allowed=f"two sources within {AGREEMENT:.0%}",
                remedy="look at the provider's page, and declare hosted.negotiated if it differs",
            )


def _second_sources(
    listed: facts.HostedPrice, input_share: float, *, negotiated: bool
) -> Iterator[tuple[str, float]]:
    """Yield what else is known of the comparator's price, blended without cache."""
    others = []
    if negotiated:
        others.append((listed.package, listed.rates.input_mtok, listed.rates.output_mtok))
    if listed.second:
        second = listed.second
        others.append((second.source, second.input_mtok, second.output_mtok))
    for source, of_input, of_output in others:
        if of_input and of_output:
            yield source, input_share * of_input + (1 - input_share) * of_output
