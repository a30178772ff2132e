"""The price of a hosted model on a day."""

from datetime import date

import pytest

from gate import facts

TODAY = date(2026, 11, 21)
"""Frozen: a fact in the repository was read by the day the repository was written."""


def test_a_hosted_price_holds_from_its_day():
    def rates(day):
        found = facts.hosted_price(
            provider="openrouter", model="openai/gpt-oss-120b", as_of=date(2026, *day)
        )
        return found.rates.input_mtok, found.rates.output_mtok, found.next_change

    assert rates((10, 18)) == (0.039, 0.18, date(2026, 10, 19))
    assert rates((10, 19)) == (0.15, 0.6, date(2026, 11, 3))
    assert rates((11, 2)) == (0.15, 0.6, date(2026, 11, 3))
    assert rates((11, 3)) == (0.1, 0.5, None)


def test_a_hosted_price_names_its_page_and_the_release_it_came_from():
    found = facts.hosted_price(provider="together", model="openai/gpt-oss-120b", as_of=TODAY)

    assert found.source.url == "https://www.together.ai/pricing"
    assert found.source.checked == date(2026, 11, 9)
    assert found.package == "genai-prices 0.2.3"
    assert found.why_not_comparable is None
    assert not found.tiered


def test_a_second_source_that_disagrees_is_measured():
    same = facts.hosted_price(provider="together", model="openai/gpt-oss-120b", as_of=TODAY)
    other = facts.hosted_price(
        provider="together", model="meta-llama/Llama-3.3-70B-Instruct-Turbo", as_of=TODAY
    )

    assert same.disagreement == 0
    assert other.rates.input_mtok == 0.88
    assert other.second == facts.Second("litellm 1.109.1", 1.04, 1.04)
    assert other.disagreement == pytest.approx(0.16 / 0.88)


def test_a_second_source_is_not_held_against_an_older_price():
    def second(as_of):
        found = facts.hosted_price(provider="deepseek", model="deepseek-v4-flash", as_of=as_of)
        return found.second

    assert second(date(2026, 8, 1)) is None
    assert second(TODAY) is not None


def test_a_free_tier_and_a_missing_price_are_no_comparators():
    free = facts.hosted_price(provider="azure", model="mai-ds-r1:free", as_of=TODAY)
    unpriced = facts.hosted_price(provider="google", model="gemma-3", as_of=TODAY)
    input_only = facts.hosted_price(provider="azure", model="text-embedding-3-small", as_of=TODAY)

    assert free.rates == facts.Rates()
    assert free.why_not_comparable == "a free tier has limits, not a price"
    assert unpriced.why_not_comparable == "the source gives no input and output price"
    assert input_only.why_not_comparable == "the source gives no output price"


def test_long_prompts_and_hours_mark_a_price_as_tiered():
    long = facts.hosted_price(provider="google", model="gemini-2.5-pro", as_of=TODAY)
    timed = facts.hosted_price(provider="deepseek", model="deepseek-flash", as_of=TODAY)

    assert long.tiered
    assert [tier.above_input_tokens for tier in long.tiers] == [200_000]
    assert timed.tiered
    assert [(span.from_utc, span.to_utc) for span in timed.hours] == [
        ("01:00", "04:00"),
        ("06:00", "10:00"),
    ]


def test_batch_keeps_the_standard_rate_where_it_gives_none():
    found = facts.hosted_price(provider="openai", model="gpt-4o", as_of=TODAY)
    before = facts.hosted_price(provider="openai", model="gpt-4o", as_of=date(2026, 10, 13))

    assert found.batch == facts.Rates(input_mtok=1.25, cache_read_mtok=1.25, output_mtok=5.0)
    assert before.batch is None


def test_an_alias_finds_its_model():
    found = facts.hosted_price(
        provider="fireworks", model="accounts/fireworks/models/deepseek-v4-flash", as_of=TODAY
    )

    assert found.model == "deepseek-v4-flash"
