"""Which verdict a stack gets, and in which order they are asked."""

import pytest

from gate.decision import Decision
from gate.verdict import Verdict
from tests.factories import (
    Changes,
    a_constraint,
    a_plain_stack,
    a_shadow,
    another_model,
    approved,
    decide_plain,
    decided,
)

M = "models[0]."
OTHER = M + "costs.other"
SHARED = "operations.infrastructure.storage"
REFUSE = {"gate.on_below_break_even": "refuse"}
IMPOSSIBLE = {M + "benchmark.gpus": 2}


def usd(amount: float) -> dict[str, object]:
    return {"usd_per_month": amount, "source": "made up for this test"}


def price(usd_per_mtok: float, model: int = 0) -> Changes:
    place = f"models[{model}].hosted.negotiated."
    return {f"{place}{side}_usd_per_mtok": usd_per_mtok for side in ("input", "output")}


def full_node(usd_per_hour: float = 5) -> float:
    """Return USD per million tokens on a node that is always full: the hosted price that ties."""
    return usd_per_hour * 730 / 52_560


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({}, Verdict.WINS, 0),
        (price(full_node() * 1.0001), Verdict.WINS, 0),
        (price(full_node()), Verdict.INFINITE, 1),
        (price(full_node() * 0.9999), Verdict.INFINITE, 1),
        ({OTHER: usd(22_629)}, Verdict.WINS, 0),
        ({OTHER: usd(22_630)}, Verdict.BELOW_BREAK_EVEN, 0),
        ({OTHER: usd(22_631)}, Verdict.BELOW_BREAK_EVEN, 0),
        ({OTHER: usd(22_629), **REFUSE}, Verdict.WINS, 0),
        ({OTHER: usd(22_630), **REFUSE}, Verdict.BELOW_BREAK_EVEN, 1),
        ({OTHER: usd(4 * 22_630)}, Verdict.BELOW_BREAK_EVEN, 0),
        ({OTHER: usd(4 * 22_630 + 1)}, Verdict.BEYOND_CAP, 1),
        ({OTHER: usd(4 * 22_630 + 1), M + "pool.replicas.max": 5}, Verdict.BELOW_BREAK_EVEN, 0),
        ({**price(0.01), **IMPOSSIBLE}, Verdict.INDETERMINATE, 2),
        (IMPOSSIBLE, Verdict.INDETERMINATE, 2),
    ],
)
def test_a_full_node_saves_26280_less_3650_and_a_tie_is_not_cheaper(changes, verdict, code):
    decision = decide_plain(changes)

    assert (decision.verdict, decision.exit_code) == (verdict, code)
    assert decision.allowed is (code == 0)


def test_beyond_the_cap_says_how_many_replicas_it_would_need():
    whole = decide_plain({OTHER: usd(100_000)}).whole

    assert whole.verdict is Verdict.BEYOND_CAP
    assert whole.break_even.peak_nodes == (5,), "ceil(100,000 / 22,630)"
    assert {flip.quantity.value: flip.factor for flip in whole.flips}["max_nodes"] == 5 / 4


def mandated(*names: str, changes: Changes) -> Decision:
    """Return the decision once a constraint on these models is approved."""
    constraints = {"constraints": [a_constraint(*names)]}
    return decided(approved(a_plain_stack({**changes, **constraints})))


MODEL = "support-chat"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (price(0.01), Verdict.MANDATED),
        ({OTHER: usd(200_000)}, Verdict.MANDATED),
        ({OTHER: usd(30_000), **REFUSE}, Verdict.MANDATED),
        ({OTHER: usd(30_000)}, Verdict.BELOW_BREAK_EVEN),
        ({}, Verdict.WINS),
        ({**price(0.01), **IMPOSSIBLE}, Verdict.INDETERMINATE),
    ],
)
def test_a_constraint_lets_through_what_would_be_refused_and_nothing_else(changes, verdict):
    assert mandated(MODEL, changes=changes).verdict is verdict


def test_a_constraint_without_an_approval_lets_nothing_through():
    decision = decide_plain({**price(0.01), "constraints": [a_constraint(MODEL)]})

    assert decision.verdict is Verdict.INFINITE


LOSING_B: Changes = {"models[1]": another_model("b"), **price(0.05, model=1)}
"""Two models: the first saves 22,630, b pays 3,650 for what costs 2,628 hosted."""


def test_a_model_that_never_breaks_even_is_refused_in_a_stack_that_wins():
    decision = decide_plain(LOSING_B)

    assert decision.whole.verdict is Verdict.WINS
    assert [model.verdict for model in decision.models] == [Verdict.WINS, Verdict.INFINITE]
    assert (decision.verdict, decision.exit_code) == (Verdict.INFINITE, 1)


@pytest.mark.parametrize(
    ("names", "verdict", "premium"),
    [
        (["b"], Verdict.MANDATED, 3650 - 2628),
        ([MODEL], Verdict.INFINITE, 0),
        ([MODEL, "b"], Verdict.MANDATED, 0),
    ],
)
def test_a_constraint_helps_only_the_models_it_names(names, verdict, premium):
    decision = mandated(*names, changes=LOSING_B)

    assert decision.verdict is verdict
    assert decision.constraints[0].premium_usd_per_month == pytest.approx(premium)


def test_shared_costs_can_refuse_a_stack_whose_models_each_break_even():
    one_node = {M + "pool.replicas.max": 1, "models[1]": another_model("b")}
    changes = {**one_node, "models[1].pool.replicas.max": 1, SHARED: usd(50_000)}
    decision = decide_plain(changes)

    assert [model.verdict for model in decision.models] == [Verdict.WINS, Verdict.WINS]
    assert decision.whole.premium_usd == pytest.approx(50_000 - 2 * 22_630)
    assert decision.verdict is Verdict.BEYOND_CAP


@pytest.mark.parametrize(
    ("shared", "premium"),
    [(0, 1_022), (22_630, 1_022), (30_000, 1_022 + 30_000 - 22_630)],
)
def test_a_premium_holds_the_shared_costs_that_no_other_model_earns(shared, premium):
    decision = mandated("b", changes={**LOSING_B, SHARED: usd(shared or 0.01)})

    assert decision.constraints[0].premium_usd_per_month == pytest.approx(premium, abs=0.02)


def test_a_model_below_its_break_even_is_not_excused_by_a_constraint_on_another():
    changes = {
        **REFUSE,
        "models[1]": another_model("b", {"costs.other": usd(60_000)}),
        "models[1].pool.replicas.max": 8,
    }

    assert mandated(MODEL, changes=changes).verdict is Verdict.BELOW_BREAK_EVEN
    assert mandated("b", changes=changes).verdict is Verdict.MANDATED


SPIKY: Changes = {M + "workload.load": {"kind": "peak_to_mean", "ratio": 20}}


def test_a_shadow_is_judged_at_the_ceiling_of_its_benchmark_whatever_the_load():
    changes = {**SPIKY, M + "pool.replicas.max": 40}
    live, shadow = decide_plain(changes), decide_plain(a_shadow(changes))

    assert live.verdict is Verdict.INFINITE, "20 x 0.0694 USD/Mtok is more than 0.5"
    assert shadow.verdict is Verdict.WINS
    assert shadow.cases[0].used.utilization == 1
    assert shadow.whole.break_even.capacity is None, "a small shadow says nothing of the cap"


def test_a_shadow_is_refused_when_even_the_ceiling_never_breaks_even():
    decision = decide_plain(a_shadow(price(full_node())))

    assert (decision.verdict, decision.exit_code) == (Verdict.INFINITE, 1)


def test_a_shadow_may_measure_below_its_break_even():
    decision = decide_plain(a_shadow({OTHER: usd(30_000), **REFUSE}))

    assert (decision.verdict, decision.exit_code) == (Verdict.BELOW_BREAK_EVEN, 0)


def test_a_shadow_with_more_hosted_than_own_fixed_costs_is_judged_too():
    dear_api = {M + "hosted.operations.monitoring": usd(9_000)}
    decision = decide_plain(a_shadow({**price(full_node() / 2), **dear_api}))

    assert decision.verdict is Verdict.WINS, "3,650 is less than 1,825 and 9,000"


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, 360 / 730 * 4 * 3650),
        ({OTHER: usd(730), SHARED: usd(1460)}, 360 / 730 * (4 * 3650 + 730 + 1460)),
        (
            {M + "costs.egress": {"usd_per_mtok": 0.1, "source": "bill"}},
            360 / 730 * (4 * 3650 + 0.1 * 52_560),
        ),
    ],
    ids=["nodes up to the cap", "what is fixed", "what each token costs"],
)
def test_a_shadows_spending_cap_covers_all_it_can_cost_in_15_days(changes, most):
    enough, short = (
        decide_plain(
            a_shadow({**changes, "shadow": {"ends": "2026-12-05", "spending_cap_usd": cap}})
        )
        for cap in (most + 0.01, most - 0.01)
    )

    assert [each.field for each in enough.blocking] == []
    assert [each.field for each in short.blocking] == ["shadow.spending_cap_usd"]
