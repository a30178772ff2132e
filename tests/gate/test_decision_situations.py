"""The published situations and worked examples (docs/model.md#published-examples), each as a stack.

Each is the demo stack with its own people, platform and updates: some 4,900 USD a month before the
first GPU. Where the published fit is "it depends", both sides of it stand here.
"""

import pytest

from gate.verdict import Verdict
from tests.factories import (
    Changes,
    Declaration,
    a_constraint,
    a_stack,
    approved,
    decide_stack,
    decided,
    own_node,
)

M = "models[0]."
VOLUME, LOAD, Q = (
    M + "workload.tokens_per_month",
    M + "workload.load",
    M + "benchmark.total_tokens_per_second",
)
A_DAY = 365 / 12


def volume(tokens_per_month: float) -> Changes:
    return {VOLUME: tokens_per_month}


def prices(usd_in: float, usd_out: float) -> Changes:
    place = M + "hosted.negotiated."
    return {place + "input_usd_per_mtok": usd_in, place + "output_usd_per_mtok": usd_out}


PER_MTOK = ((0.05, 0.40), (0.86, 4.29), (2.50, 10.00), (15, 120))
"""Classes of published prices, USD per million tokens in and out: low-cost to advanced reasoning."""
CLASSES = [prices(*each) for each in PER_MTOK]
_, MID, PREMIUM, ADVANCED = CLASSES

STEADY: Changes = {
    LOAD: {
        "kind": "diurnal",
        "peak_to_mean": 1.3,
        "weekend_factor": 0.9,
        "burst_factor": 1.1,
    }
}
OFFICE: Changes = {
    LOAD: {
        "kind": "business_hours",
        "first_hour": 9,
        "last_hour": 17,
        "off_hours_fraction": 0.02,
        "weekend_factor": 0.05,
        "burst_factor": 3,
    }
}
SPIKY: Changes = {
    LOAD: {"kind": "peak_to_mean", "ratio": 30},
    M + "pool.scaling": {"kind": "fixed"},
}
FRONTIER_FOR_ALL: Changes = {
    M + "costs.escalation": {
        "provider": "openai",
        "model": "gpt-4o",
        "self_hosted_fraction": 1,
    },
    **prices(2.50, 10.00),
}
TIGHT_LATENCY: Changes = {
    M + "workload.slo": {"ttft_p99_ms": 400, "tpot_p50_ms": 15},
    M + "benchmark.ttft_p99_ms": 390,
    M + "benchmark.tpot_p50_ms": 14,
    Q: 14_000,
    **STEADY,
    **volume(60e9),
}
DEDICATED: Changes = {
    M + "hosted.operations.provisioned_throughput": {
        "usd_per_month": 12_000,
        "source": "quote for dedicated capacity",
    }
}
BUSY_PEOPLE: Changes = {
    "operations.people.on_call": {"hours_per_month": 60},
    "operations.people.incident_response": {"hours_per_month": 40},
}
CLUSTER_OF_ONES_OWN: Changes = {
    M + "pool.node": own_node(2.00),
    M + "pool.scaling": {"kind": "fixed"},
    M + "pool.replicas": {"min": 1, "max": 2},
    LOAD: {"kind": "constant"},
}
SMALL_GPUS: Changes = {
    M + "pool.node": {"kind": "instance", "instance_type": "g6e.xlarge", "region": "us-east-1"},
    M + "benchmark.gpu": "l40s-48gb",
    Q: 6_000,
    M + "pool.replicas": {"min": 2, "max": 8},
}
WINS, BELOW, INFINITE = Verdict.WINS, Verdict.BELOW_BREAK_EVEN, Verdict.INFINITE


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({**STEADY, **volume(150e9)}, WINS, id="steady, high volume: self-host"),
        pytest.param({**OFFICE, **volume(60e9)}, INFINITE, id="spiky: hosted"),
        pytest.param({**STEADY, **volume(1e9)}, BELOW, id="low volume: hosted"),
        pytest.param({**STEADY, **FRONTIER_FOR_ALL}, INFINITE, id="needs frontier quality: hosted"),
        pytest.param(TIGHT_LATENCY, BELOW, id="tight latency, no queue at the provider: hosted"),
        pytest.param(
            {**TIGHT_LATENCY, **DEDICATED}, WINS, id="tight latency, dedicated capacity: self-host"
        ),
        pytest.param(
            {**STEADY, **volume(5e9), **BUSY_PEOPLE}, BELOW, id="small team, learning it: hosted"
        ),
        pytest.param({**STEADY, **volume(0.1e9)}, BELOW, id="start-up, prototype, testing: hosted"),
        pytest.param({**SPIKY, **volume(2e9)}, INFINITE, id="low or unpredictable usage: hosted"),
        pytest.param({**OFFICE, **volume(3e9)}, INFINITE, id="internal tool, cheap API: hosted"),
        pytest.param(
            {**OFFICE, **volume(10e9), **PREMIUM}, WINS, id="internal tool, premium API: self-host"
        ),
        pytest.param(
            {**CLUSTER_OF_ONES_OWN, **volume(60e9)}, WINS, id="research, own cluster: self-host"
        ),
        pytest.param(
            {**STEADY, **volume(200e9)}, WINS, id="high-volume customer support: self-host"
        ),
    ],
)
def test_a_situation_has_its_published_fit(changes, verdict):
    decision = decide_stack(changes)

    assert decision.verdict is verdict
    assert (decision.whole.self_hosted_usd < decision.whole.hosted_usd) is (verdict is WINS)


def with_constraint(category: str, changes: Changes, *names: str) -> Declaration:
    constraint = a_constraint(*names or ["support-chat"]) | {"category": category}
    return approved(a_stack({**changes, "constraints": [constraint]}))


@pytest.mark.parametrize("category", ["residency", "air_gap", "regulator"])
def test_hard_residency_or_a_regulator_self_hosts_and_shows_the_premium(category):
    decision = decided(with_constraint(category, {**OFFICE, **volume(9e9)}))

    assert decision.verdict is Verdict.MANDATED
    assert decision.constraints[0].premium_usd_per_month > 10_000


HARD_CASES = a_stack({M + "name": "hard-cases", **SPIKY, **volume(2e9)})["models"][0]


def test_of_several_models_the_spiky_one_stays_hosted():
    """Published: hybrid. The gate refuses the one model and names it; without it the stack wins."""
    both = decide_stack({**STEADY, "models[1]": HARD_CASES})
    alone = decide_stack(STEADY)

    assert both.verdict is INFINITE
    assert {model.name: model.verdict for model in both.models} == {
        "support-chat": WINS,
        "hard-cases": INFINITE,
    }
    assert alone.verdict is WINS


def test_sensitive_requests_stay_while_the_rest_may_leave():
    """Published: self-host or hybrid. The constraint names the sensitive model, and excuses no other."""
    sensitive = with_constraint("residency", {**STEADY, "models[1]": HARD_CASES}, "hard-cases")
    other = with_constraint("residency", {**STEADY, "models[1]": HARD_CASES})

    assert decided(sensitive).verdict is Verdict.MANDATED
    assert decided(other).verdict is INFINITE


def test_example_1_an_assistant_of_500_employees_stays_hosted_at_any_price():
    """500,000 tokens a day, uneven: 1 USD a month at a small model, 410 USD at the dearest."""
    tokens = 500_000 * A_DAY
    decisions = [decide_stack({**OFFICE, **volume(tokens), **price}) for price in CLASSES]
    hosted = [decision.cases[0].hosted_item.usd_per_month for decision in decisions]
    blends = [8 / 9 * usd_in + 1 / 9 * usd_out for usd_in, usd_out in PER_MTOK]

    assert hosted == pytest.approx([tokens / 1e6 * blend * 1.01 for blend in blends])
    assert [round(usd) for usd in hosted] == [1, 19, 51, 410]
    assert all(each.whole.self_hosted_usd > 14_000 for each in decisions)
    assert [decision.verdict for decision in decisions] == [INFINITE, BELOW, BELOW, BELOW]


@pytest.mark.parametrize(
    ("tokens_each", "small_model", "mid", "premium"),
    [(4_000, BELOW, BELOW, WINS), (40_000, BELOW, WINS, WINS), (80_000, WINS, WINS, WINS)],
)
def test_example_2_a_chatbot_moves_with_its_tokens_and_with_the_comparator(
    tokens_each, small_model, mid, premium
):
    """50,000 conversations a day; published: self-host or hybrid, without tokens a conversation."""
    load = {**STEADY, **volume(50_000 * tokens_each * A_DAY)}
    verdicts = [decide_stack({**load, **price}).verdict for price in ({}, MID, PREMIUM)]

    assert verdicts == [small_model, mid, premium]


@pytest.mark.parametrize(
    ("comparator", "hosted", "verdict"),
    [(prices(0.15, 0.60), 61, BELOW), (PREMIUM, 1_010, BELOW), (ADVANCED, 8_080, WINS)],
)
def test_example_3_ai_search_wins_only_against_advanced_reasoning(comparator, hosted, verdict):
    """300 M tokens a month; published: self-host or hybrid.

    At 0.15/0.60 the API bill is 61 USD, and no operations are that cheap; at 15/120 it is 8,080.
    """
    decision = decide_stack({**STEADY, **SMALL_GPUS, **volume(300e6), **comparator})

    assert decision.cases[0].hosted_item.usd_per_month == pytest.approx(hosted, rel=0.01)
    assert decision.verdict is verdict


def test_example_4_a_million_tokens_in_and_out_at_15_and_60_cents_are_75_cents():
    even = {M + "workload.output_tokens_per_request": 1024, M + "hosted.retry_fraction": 0}
    decision = decide_stack({**volume(2e6), **prices(0.15, 0.60), **even})

    assert decision.cases[0].hosted_item.usd_per_month == pytest.approx(0.75)


GPU_MONTHS = [("g6e.xlarge", 1_358.53), ("p5.4xlarge", 5_022.40)]


@pytest.mark.parametrize(("instance", "usd"), GPU_MONTHS)
def test_a_gpu_month_lies_within_or_near_the_illustrative_range(instance, usd):
    """Published: L40S 1,500 to 3,000 (on demand it is less), H100 4,000 to 12,000."""
    node = {"kind": "instance", "instance_type": instance, "region": "us-east-1"}
    nodes = decide_stack({M + "pool.node": node}).cases[0].nodes

    assert nodes.node_usd_per_month == pytest.approx(usd, abs=0.01)
