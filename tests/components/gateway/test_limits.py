import json

from components.gateway.limits import cost, limits_text
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
    hosted = a_plan().models[0].hosted
    assert hosted is not None
    llm = "metadata.filter_metadata['llm']"
    assert cost(hosted) == (
        f"%CEL(uint({llm}['input_tokens'] * 0.200000 + {llm}['output_tokens'] * 0.600000 + 0.5))%"
    )
