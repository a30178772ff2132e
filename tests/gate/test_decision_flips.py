"""What the report says would change the verdict does: put back into the stack, on either side."""

import copy
from functools import reduce
from operator import getitem

import pytest

from gate.decision import Decision
from gate.record import record
from gate.report.words import flip_rows
from gate.verdict import NEVER_BREAKS_EVEN, Verdict
from tests.factories import (
    Changes,
    Declaration,
    a_plain_stack,
    a_stack,
    another_model,
    decide_plain,
    decided,
    own_node,
    put,
)

M = "models[0]."
EDGE = 1e-9
FIELDS = {
    "hosted_price": (
        "hosted.negotiated.input_usd_per_mtok",
        "hosted.negotiated.output_usd_per_mtok",
    ),
    "node_price": ("pool.node.usd_per_hour",),
    "throughput": ("benchmark.total_tokens_per_second",),
    "volume": ("workload.tokens_per_month",),
}
OWN_NODE: Changes = {M + "pool.node": own_node(6.88)}
OFFICE: Changes = {
    M + "workload.load": {
        "kind": "business_hours",
        "first_hour": 8,
        "last_hour": 20,
        "off_hours_fraction": 0.1,
        "weekend_factor": 0.2,
        "burst_factor": 1.5,
    },
    M + "workload.tokens_per_month": 60e9,
}


def usd(amount: float) -> dict[str, object]:
    return {"usd_per_month": amount, "source": "made up for this test"}


STACKS = {
    "the demo wins": (a_stack(OWN_NODE), Verdict.WINS),
    "an office, below its break-even": (
        a_stack({**OWN_NODE, **OFFICE}),
        Verdict.BELOW_BREAK_EVEN,
    ),
    "an office, at a cheaper API": (
        a_stack({**OWN_NODE, **OFFICE,
            M + FIELDS["hosted_price"][0]: 0.1,
            M + FIELDS["hosted_price"][1]: 0.1,
        }),
        Verdict.INFINITE,
    ),
    "dear people, beyond the cap": (
        a_plain_stack({M + "costs.other": usd(100_000)}),
        Verdict.BEYOND_CAP,
    ),
    "two models, between replica steps": (
        a_plain_stack({
            "models[1]": another_model("b"),
            M + "workload.tokens_per_month": 60e9,
            M + "costs.other": usd(46_000),
        }),
        Verdict.BELOW_BREAK_EVEN,
    ),
}  # fmt: skip


def scaled(stack: Declaration, quantity: str, factor: float) -> Decision:
    """Return the decision with one quantity of all models multiplied."""
    changed = copy.deepcopy(stack)
    for index, model in enumerate(stack["models"]):
        for field in FIELDS[quantity]:
            value = reduce(getitem, field.split("."), model)
            put(changed, f"models[{index}].{field}", float(value) * factor)
    return decided(changed)


@pytest.mark.parametrize("name", STACKS)
def test_the_verdict_changes_within_a_billionth_of_each_printed_flip(name):
    stack, verdict = STACKS[name]
    before = decided(stack)
    factors = record(before)["whole"]["flip_factors"]
    same = NEVER_BREAKS_EVEN if verdict in NEVER_BREAKS_EVEN else {verdict}
    assert before.verdict is verdict
    assert {"hosted_price", "node_price"} <= set(factors)
    for quantity, values in factors.items():
        for factor in values if quantity in FIELDS else ():
            low = scaled(stack, quantity, factor * (1 - EDGE)).whole.verdict
            high = scaled(stack, quantity, factor * (1 + EDGE)).whole.verdict

            assert {low in same, high in same} == {True, False}, (
                f"{quantity} x {factor}: {low}, {high}"
            )


def test_one_replica_fewer_than_the_printed_cap_is_not_enough():
    changes = {M + "costs.other": usd(100_000)}
    [factor] = record(decide_plain(changes))["whole"]["flip_factors"]["max_nodes"]
    cap = round(4 * factor)
    enough = decide_plain({**changes, M + "pool.replicas.max": cap})
    short = decide_plain({**changes, M + "pool.replicas.max": cap - 1})

    assert enough.verdict is Verdict.BELOW_BREAK_EVEN
    assert short.verdict is Verdict.BEYOND_CAP


def test_a_printed_flip_is_the_value_to_write_into_the_stack():
    rows = dict(flip_rows(decide_plain({M + "costs.other": usd(100_000)})))

    assert rows == {
        "hosted price": "0.545091324201 USD/Mtok (now 0.5)",
        "node price": "1.75342465753 USD a node-hour (now 5)",
        "throughput": "21,803.652968 tokens/s a replica (now 20,000)",
        "utilization": "not even 100 % would do (now 100.0%)",
        "replica cap": "5 replicas (now 4)",
    }, "(100,000 + 14,600) / 210,240; (105,120 - 100,000) / 4 / 730; 20,000 x 114,600 / 105,120"


def test_a_throughput_that_no_hardware_reaches_is_called_so():
    cheap = dict.fromkeys((M + field for field in FIELDS["hosted_price"]), 0.02)
    rows = dict(flip_rows(decide_plain(cheap)))

    assert rows["throughput"] == (
        "69,444.4444444 tokens/s a replica (now 20,000; the roofline is 46,634)"
    )


def test_a_model_refused_in_a_stack_that_wins_is_told_its_own_flips():
    b = another_model("b", dict.fromkeys(FIELDS["hosted_price"], 0.05))
    rows = dict(flip_rows(decide_plain({"models[1]": b})))

    assert rows["hosted price of b"] == "0.0694444444444 USD/Mtok (now 0.05)"
    assert rows["node price of b"] == "3.6 USD a node-hour (now 5)"
    assert not any("support-chat" in label or label == "hosted price" for label in rows)


def test_what_cannot_be_judged_has_no_flips():
    assert flip_rows(decide_plain({M + "benchmark.gpus": 2})) == []
