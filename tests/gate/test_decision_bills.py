"""Both bills worked out by hand, a line at a time."""

from functools import partial

import pytest

from gate import facts
from gate.costs import total
from gate.decision import Decision
from tests.factories import (
    AS_OF,
    STACKS,
    Changes,
    another_model,
    decide_example,
    decide_plain,
    decide_stack,
)

M = "models[0]."
VOLUME = M + "workload.tokens_per_month"
FULL = 52_560_000_000
"""A replica's month at 20,000 tokens a second."""
NODE = 5 * 730
"""A node's month."""


def hosted_usd(changes: Changes) -> float:
    """Return the line of the hosted tokens."""
    return decide_plain(changes).cases[0].hosted_item.usd_per_month


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 26_280),
        ({"retry_fraction": 0.02}, 26_280 * 1.02),
        ({"batch_fraction": 0.4, "batch_discount_fraction": 0.5}, 26_280 * (1 - 0.4 * 0.5)),
        ({"cached_input_fraction": 0.5}, 26_280),
        (
            {"cached_input_fraction": 0.5, "negotiated.cached_input_usd_per_mtok": 0.1},
            52_560 * (8 / 9 * (0.5 * 0.1 + 0.5 * 0.5) + 1 / 9 * 0.5),
        ),
        ({"negotiated.output_usd_per_mtok": 2}, 52_560 * (8 / 9 * 0.5 + 1 / 9 * 2)),
    ],
)
def test_what_the_same_tokens_cost_hosted(changes, expected):
    fields = {f"{M}hosted.{field}": value for field, value in changes.items()}

    assert hosted_usd(fields) == pytest.approx(expected)


def test_a_batch_discount_is_taken_from_the_price_book_where_it_has_one():
    listed = facts.hosted_price(provider="openai", model="gpt-4o", as_of=AS_OF)
    assert listed.batch
    assert listed.batch.input_mtok == 1.25
    assert listed.rates.input_mtok == 2.5
    changes = {
        M + "hosted.provider": "openai",
        M + "hosted.model": "gpt-4o",
        M + "hosted.negotiated": None,
        M + "hosted.batch_fraction": 1,
    }

    assert hosted_usd(changes) == pytest.approx(52_560 * (8 / 9 * 1.25 + 1 / 9 * 5))


SPOT = {"kind": "spot", "usd_per_hour": 2, "interruption_overhead_fraction": 0.1}
RESERVED = {"kind": "reserved", "usd_per_hour": 3, "term_months": 12, "committed_nodes": 2}
QUOTE = {"evidence": "quote 3", "checked": "2026-11-01"}


def bills(decision: Decision) -> tuple[float, float]:
    """Return the sums of the lines that the report prints."""
    own = [line for case in decision.cases for line in (case.node_item, *case.costs.items)]
    hosted = [
        line for case in decision.cases for line in (case.hosted_item, *case.costs.hosted_items)
    ]
    return total([*own, *decision.shared]), total(hosted)


EXAMPLES = sorted(file.name for file in STACKS.glob("Pulumi.*.yaml"))
TWO = {"models[1]": another_model("b", {"pool.purchase": RESERVED | QUOTE})}


@pytest.mark.parametrize(
    "decision",
    [
        *(pytest.param(partial(decide_example, name), id=name) for name in EXAMPLES),
        pytest.param(lambda: decide_stack({M + "pool.purchase": SPOT | QUOTE}), id="spot"),
        pytest.param(
            lambda: decide_plain({VOLUME: 2.5 * FULL, M + "pool.purchase": RESERVED | QUOTE}),
            id="reserved",
        ),
        pytest.param(lambda: decide_plain(TWO), id="two models"),
    ],
)
def test_the_lines_of_a_bill_add_up_to_it(decision):
    judged: Decision = decision()
    own, hosted = bills(judged)

    assert own == pytest.approx(judged.whole.self_hosted_usd, abs=0.005)
    assert hosted == pytest.approx(judged.whole.hosted_usd, abs=0.005)


SAVED = 26_280 - NODE


@pytest.mark.parametrize(
    ("set_up", "horizon", "month"),
    [
        ({"hours": 0, "usd": 0}, 12, 1),
        ({"hours": 100, "usd": 4_000}, 12, 1),
        ({"hours": 0, "usd": 2 * SAVED}, 12, 2),
        ({"hours": 1, "usd": 2 * SAVED}, 12, 3),
        ({"hours": 1, "usd": 2 * SAVED}, 2, None),
    ],
)
def test_the_set_up_is_paid_back_at_22630_a_month(set_up, horizon, month):
    decision = decide_plain({"operations.set_up": set_up, "gate.horizon_months": horizon})

    assert decision.payback.month == month


def test_growth_is_paid_back_sooner_until_the_pool_is_full():
    changes = {
        VOLUME: FULL / 2,
        M + "workload.growth_per_month": 1,
        "operations.set_up": {"hours": 0, "usd": 9_490 + 22_630 + 45_260},
    }
    payback = decide_plain(changes).payback

    assert payback.month == 3, "13,140 - 3,650, then 26,280 - 3,650, then 52,560 - 7,300"
    assert payback.full_in_month == 5, "the fifth month is eight replicas"
