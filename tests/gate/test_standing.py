"""Whether an update may go on, given the last decision that was let through."""

import pytest

from gate.decision import Decision
from gate.record import summary
from gate.standing import standing
from tests.factories import (
    Changes,
    a_constraint,
    a_plain_stack,
    approved,
    decide_plain,
    decided,
)

M = "models[0]."
CHEAP_API: Changes = {
    M + "hosted.negotiated.input_usd_per_mtok": 0.02,
    M + "hosted.negotiated.output_usd_per_mtok": 0.02,
}
DEAR: Changes = {M + "costs.other": {"usd_per_month": 30_000, "source": "invoice"}}
IMPOSSIBLE: Changes = {M + "benchmark.gpus": 2}


def test_a_stack_that_wins_goes_on_without_a_word():
    assert standing(decide_plain(), None) == (None, ())


def test_below_its_break_even_it_goes_on_with_both_bills_in_a_warning():
    answer = standing(decide_plain(DEAR), None)

    assert answer.refusal is None
    [warning] = answer.warnings
    assert "verdict below_break_even" in warning
    assert "self-hosted 33,650.00 USD/month, hosted 26,280.00" in warning


def test_a_refusal_says_why_and_what_would_have_to_change():
    refusal = standing(decide_plain(CHEAP_API), None).refusal

    assert refusal is not None
    assert refusal.startswith("refused: stack.yaml: verdict infinite: ")
    for part in (
        "hosted price: 0.0694444444444 USD/Mtok (now 0.02)",
        "node price: 1.44 USD a node-hour (now 5)",
        "throughput: 69,444.4444444 tokens/s a replica (now 20,000; the roofline is 46,634)",
        "docs/overriding.md",
    ):
        assert part in refusal, refusal


def test_a_refusal_says_why_a_constraint_did_not_help():
    refusal = standing(
        decide_plain({**CHEAP_API, "constraints": [a_constraint("support-chat")]}), None
    ).refusal

    assert "the residency constraint does not stand: no decision was approved" in str(refusal)


def test_what_cannot_be_judged_is_refused_with_its_problems_and_no_flips():
    refusal = str(standing(decide_plain(IMPOSSIBLE), None).refusal)

    assert "models[0].benchmark.gpus: found 2; allowed: 1, as deployed" in refusal
    assert "would change" not in refusal


def test_a_constraint_goes_on_with_everything_an_auditor_asks_for():
    stack = a_plain_stack({**CHEAP_API, "constraints": [a_constraint("support-chat")]})
    answer = standing(decided(approved(stack)), None)

    assert answer.refusal is None
    [warning] = answer.warnings
    for part in (
        "residency constraint",
        "premium 2,598.80 USD/month",
        "evidence https://intranet.example/policies/data-residency-4.2",
        "approver Head of Legal",
        "expires 2027-10-31",
        "ticket LEGAL-1234",
    ):
        assert part in warning, warning


def allowed_once(decision: Decision) -> dict[str, object]:
    """Return what the stack's outputs hold of a decision that was let through."""
    return summary(decision) | {"allowed": True, "verdict": "wins"}


@pytest.mark.parametrize("changes", [CHEAP_API, IMPOSSIBLE], ids=["infinite", "indeterminate"])
def test_a_living_stack_with_an_unchanged_declaration_is_only_warned(changes):
    decision = decide_plain(changes)
    answer = standing(decision, allowed_once(decision))

    assert answer.refusal is None
    assert "it stays deployed: nothing that was declared changed since" in answer.warnings[0]


@pytest.mark.parametrize(
    "change",
    [
        {M + "workload.tokens_per_month": 40e9},
        {M + "pool.replicas.max": 5},
        {"constraints": [a_constraint("support-chat")]},
    ],
    ids=["volume", "cap", "constraint"],
)
def test_a_new_declaration_is_judged_as_if_nothing_ran(change):
    last = allowed_once(decide_plain(CHEAP_API))

    assert standing(decide_plain({**CHEAP_API, **change}), last).refusal is not None


@pytest.mark.parametrize(
    "change",
    [
        {M + "serving.engine_version": "0.34.0"},
        {M + "serving.image": "vllm/vllm-openai@sha256:" + "1" * 64},
        {"target.directory": "out/elsewhere"},
    ],
    ids=["engine", "image", "target"],
)
def test_an_urgent_patch_of_the_engine_is_no_new_declaration(change):
    last = allowed_once(decide_plain(CHEAP_API))

    assert standing(decide_plain({**CHEAP_API, **change}), last).refusal is None


def test_an_old_record_that_says_nothing_of_the_declaration_excuses_nothing():
    decision = decide_plain(CHEAP_API)

    assert standing(decision, {}).refusal is not None
    assert standing(decision, {"as_of": "2026-01-01"}).refusal is not None
