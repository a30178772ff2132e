"""What self-hosting costs beside the nodes, by hand."""

import pytest

from gate import facts
from tests.factories import AS_OF, decide_plain

M = "models[0]."
NODE = 5 * 730


def test_escalated_tokens_are_paid_again_at_the_frontier_model():
    frontier = facts.hosted_price(provider="openai", model="gpt-4o", as_of=AS_OF).rates
    each = 8 / 9 * (frontier.input_mtok or 0) + 1 / 9 * (frontier.output_mtok or 0)
    escalation = {
        "provider": "openai",
        "model": "gpt-4o",
        "self_hosted_fraction": 0.1,
        "hosted_fraction": 0.02,
    }
    decision = decide_plain({M + "costs.escalation": escalation})

    assert decision.whole.self_hosted_usd == pytest.approx(NODE + 0.1 * 52_560 * each)
    assert decision.whole.hosted_usd == pytest.approx(26_280 + 0.02 * 52_560 * each)


def test_a_model_update_costs_work_evaluation_and_a_second_fleet():
    updates = {
        "per_year": 6,
        "hours_each": 10,
        "evaluation_usd_each": 300,
        "second_fleet_hours_each": 73,
    }
    changes = {M + "costs.model_updates": updates, M + "pool.replicas.min": 3}
    work, fleet, *_ = decide_plain(changes).cases[0].costs.items

    assert work.usd_per_month == pytest.approx((10 * 110 + 300) / 2)
    assert fleet.usd_per_month == pytest.approx(3 * 73 * 5 / 2)


def test_a_cost_line_is_an_amount_hours_a_fact_or_a_reason():
    infrastructure = "operations.infrastructure."
    changes = {
        infrastructure + "storage": {"usd_per_month": 40, "source": "bill of October"},
        infrastructure + "monitoring": {"hours_per_month": 2},
        infrastructure + "networking": {"fact": "nat_gateway_hour", "quantity": 730},
    }
    lines = {item.name: item for item in decide_plain(changes).shared}

    assert lines["storage"][2:] == (40, "bill of October")
    assert lines["monitoring"][2:] == (220, "2 h x 110 USD")
    assert lines["networking"].usd_per_month == pytest.approx(730 * 0.045)
    assert lines["backup_and_disaster_recovery"][2:] == (0, "left out of this test")
