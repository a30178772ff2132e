"""The extract in gate/data/hosted against the pinned genai-prices package."""

import json
import math
import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.types import ModelPrice, TieredPrices

from gate import facts
from gate.facts import hosted

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 21)
PACKAGED = {provider.id: provider for provider in providers}
RATES = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")


def packaged(provider: str, model: str):
    return next(m for m in PACKAGED[provider].models if m.id == model)


def bill(provider, model, day, *, at=time(12), context=None, **tokens):
    """Return what the package itself charges."""
    found = packaged(provider, model).calc_price(
        Usage(**tokens),
        PACKAGED[provider],
        genai_request_timestamp=datetime.combine(day, at, UTC),
        price_context=context,
    )
    return float(found.total_price)


def charged(rates: facts.Rates, **tokens: int) -> float:
    """Return what the rates of the extract charge."""
    charges = (getattr(rates, f"{kind}_mtok") * count for kind, count in tokens.items())
    return float(sum(charges)) / 1e6


def base(prices: ModelPrice, key: str) -> float | None:
    price = getattr(prices, key)
    rate = price.base if isinstance(price, TieredPrices) else price
    return None if rate is None else float(rate)


def test_the_files_are_those_the_tool_would_write():
    done = subprocess.run(
        [sys.executable, "tools/extract_hosted_prices.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_there_is_one_file_a_provider():
    assert set(hosted.providers()) == set(PACKAGED)


@pytest.mark.parametrize("provider", sorted(PACKAGED))
def test_every_model_has_the_price_the_package_gives_on_that_day(provider):
    """Without the tool: the package's own choice of the price in force, its base rates."""
    noon = datetime.combine(TODAY, time(12), UTC)
    for model in PACKAGED[provider].models:
        found = facts.hosted_price(provider=provider, model=model.id, as_of=TODAY)
        told = [h.rates for h in found.hours if h.from_utc <= "12:00" < h.to_utc]
        rates = told[0] if told else found.rates
        prices = model.get_prices(noon)

        assert {key: getattr(rates, key) for key in RATES} == {
            key: base(prices, key) for key in RATES
        }


@pytest.mark.parametrize(
    ("provider", "model", "day"),
    [
        ("together", "openai/gpt-oss-120b", TODAY),
        ("groq", "openai/gpt-oss-120b", TODAY),
        ("anthropic", "claude-3-5-sonnet", TODAY),
        ("openrouter", "meta-llama/llama-3.3-70b-instruct", date(2026, 10, 18)),
        ("openrouter", "meta-llama/llama-3.3-70b-instruct", date(2026, 10, 19)),
        ("openrouter", "meta-llama/llama-3.3-70b-instruct", TODAY),
        ("google", "gemini-3.6-flash", date(2026, 12, 31)),
        ("google", "gemini-3.6-flash", date(2027, 1, 1)),
        ("openai", "o3", date(2025, 6, 9)),
        ("openai", "o3", date(2025, 6, 10)),
    ],
)
def test_a_bill_from_the_extract_is_the_bill_of_the_package(provider, model, day):
    rates = facts.hosted_price(provider=provider, model=model, as_of=day).rates
    fresh, cached, output = 70_000, 30_000, 20_000
    kind = "input" if rates.cache_read_mtok is None else "cache_read"
    ours = charged(rates, input=fresh, output=output) + charged(rates, **{kind: cached})

    theirs = bill(
        provider,
        model,
        day,
        input_tokens=fresh + cached,
        cache_read_tokens=cached,
        output_tokens=output,
    )

    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("tokens", [200_000, 200_001])
def test_a_long_prompt_pays_the_tier_for_all_of_its_tokens(tokens):
    found = facts.hosted_price(provider="google", model="gemini-2.5-pro", as_of=TODAY)
    passed = [tier.rates for tier in found.tiers if tokens > tier.above_input_tokens]
    rates = passed[-1] if passed else found.rates

    theirs = bill("google", "gemini-2.5-pro", TODAY, input_tokens=tokens, output_tokens=1000)

    assert charged(rates, input=tokens, output=1000) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("at", "peak"), [(time(0, 59), False), (time(1), True), (time(3, 59), True), (time(4), False)]
)
def test_an_hour_pays_its_own_rates(at, peak):
    found = facts.hosted_price(provider="deepseek", model="deepseek-flash", as_of=TODAY)
    rates = found.hours[0].rates if peak else found.rates

    theirs = bill("deepseek", "deepseek-flash", TODAY, at=at, input_tokens=1000, output_tokens=1000)

    assert charged(rates, input=1000, output=1000) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-4o"), ("openai", "gpt-5"), ("groq", "openai/gpt-oss-120b")],
)
def test_batch_is_what_the_package_charges_for_batch(provider, model):
    batch = facts.hosted_price(provider=provider, model=model, as_of=TODAY).batch
    assert batch is not None
    ours = charged(batch, input=600, cache_read=400, output=500)

    theirs = bill(
        provider,
        model,
        TODAY,
        context={"processing": "batch"},
        input_tokens=1000,
        cache_read_tokens=400,
        output_tokens=500,
    )

    assert ours == pytest.approx(theirs)


def all_entries():
    for path in sorted((ROOT / "gate" / "data" / "hosted").glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        assert list(content["models"]) == sorted(content["models"])
        for name, entry in content["models"].items():
            yield f"{path.stem} {name}", entry


def test_an_unknown_price_is_null_and_no_price_is_zero():
    for name, entry in all_entries():
        for record in [*entry["prices"], *entry.get("hours", ()), *entry.get("batch", ())]:
            given = [record[key] for key in RATES if record.get(key) is not None]

            assert all(math.isfinite(rate) and rate > 0 for rate in given), name
        assert all({"input_mtok", "output_mtok"} <= set(record) for record in entry["prices"]), name


def test_a_free_tier_has_no_price_at_all():
    free = [entry for name, entry in all_entries() if name.endswith(":free")]

    assert len(free) > 100
    assert all(entry["free"] for entry in free)
    assert {record["input_mtok"] for entry in free for record in entry["prices"]} == {None}


def test_only_the_first_price_lacks_a_start_and_the_others_are_in_order():
    for name, entry in all_entries():
        first, *later = [record["from"] for record in entry["prices"]]

        assert first is None, name
        assert later == sorted(set(later)), name


def test_the_second_source_covers_the_hosts_of_open_models():
    compared = [name for name, entry in all_entries() if "second" in entry]

    assert len(compared) > 500
    assert "together openai/gpt-oss-120b" in compared
    assert "groq openai/gpt-oss-120b" in compared
