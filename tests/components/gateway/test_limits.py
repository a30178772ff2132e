import json
from dataclasses import replace

import pytest

from components.gateway.limits import MOST_ANSWERS, cost, limits_text, tokens
from components.gateway.pieces import MOST_WRITTEN, usage_filters
from tests.components.gateway.plans import a_plan


def test_limits_are_a_minute_for_keys_and_a_day_of_micro_usd_for_a_hosted_model():
    limits = {
        (d["key"], d["value"]): (d["rate_limit"]["unit"], d["rate_limit"]["requests_per_unit"])
        for d in json.loads(limits_text(a_plan()))["descriptors"]
    }
    assert limits == {
        ("requests", "web-chat"): ("minute", 6_000),
        ("tokens", "web-chat"): ("minute", 8_000_000),
        ("requests", "claims"): ("minute", 600),
        ("tokens", "claims"): ("minute", 800_000),
        ("spend", "support-chat"): ("day", 200_000_000),
    }


def test_an_answer_costs_its_tokens_at_the_models_prices():
    (model,) = a_plan().models
    assert model.hosted is not None
    text = cost(model, model.hosted)
    assert "* 0.200000" in text
    assert "* 0.600000" in text


def test_a_declared_price_of_the_fallback_stands_before_the_comparators():
    fallback = "models[0].serving.fallback"
    changes = {f"{fallback}.input_usd_per_mtok": 0, f"{fallback}.output_usd_per_mtok": 3.5}
    (model,) = a_plan(changes).models
    assert model.hosted is not None
    text = cost(model, model.hosted)
    assert "* 0.000000" in text
    assert "* 3.500000" in text


@pytest.mark.parametrize("longest", [16_384, 32_768])
def test_an_answer_without_usage_counts_at_most_the_longest_request(longest):
    # What Envoy makes of it is tried in tests/dataplane/test_gateway_metrics.py.
    (model,) = a_plan().models
    model = replace(model, longest_tokens=longest)
    assert model.hosted is not None
    assert f"{longest}.0" in tokens(model)
    assert f"{longest}.0" in cost(model, model.hosted)


@pytest.mark.parametrize("field", MOST_WRITTEN)
def test_each_limit_that_a_request_may_declare_counts(field):
    # One key of metadata for each: which of them counts is tried on Envoy too.
    (model,) = a_plan().models
    assert model.hosted is not None
    (reader,) = [f for f in usage_filters() if f["name"].endswith("json_to_metadata")]
    rules = reader["typed_config"]["request_rules"]["rules"]
    (rule,) = [r for r in rules if r["on_present"]["key"] == field]
    assert rule["selectors"] == [{"key": field}]
    assert f"['{field}']" in tokens(model)
    assert f"['{field}']" in cost(model, model.hosted)


def test_the_most_that_one_answer_may_count_is_what_envoy_takes():
    # A million tokens of context at 60 USD per million, 16 answers: under a thousand million.
    assert MOST_ANSWERS * 1_000_000 * 60 < 1_000_000_000
