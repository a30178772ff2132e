"""What a pool buys: whole nodes, each way they are sold, and how old their prices may be."""

from datetime import date

import pytest

from gate.case import ModelCase
from gate.findings import Level
from gate.verdict import Verdict
from stacks.errors import InputError
from tests.factories import Changes, a_shadow, decide_plain, own_node

M = "models[0]."
VOLUME = M + "workload.tokens_per_month"
FULL = 52_560_000_000
"""A replica's month at 20,000 tokens a second."""
NODE = 5 * 730
"""A node's month."""


def nodes_usd(changes: Changes) -> float:
    """Return the line of the nodes."""
    return decide_plain(changes).cases[0].node_item.usd_per_month


def purchase(kind: str, usd_per_hour: float, **terms: object) -> Changes:
    quote = {"usd_per_hour": usd_per_hour, "evidence": "quote 3", "checked": "2026-11-01"}
    return {M + "pool.purchase": {"kind": kind, **quote, **terms}}


SPOT = purchase("spot", 2, interruption_overhead_fraction=0.1)
RESERVED = purchase("reserved", 3, term_months=12, committed_nodes=2)
SAVINGS = purchase("savings_plan", 3, term_months=36, committed_nodes=4)
BACKED = purchase(
    "spot",
    2,
    interruption_overhead_fraction=0.1,
    on_demand_fallback={"nodes": 2, "hours_fraction": 0.25},
)
KEPT: Changes = {
    M + "pool.purchase": {
        "kind": "capacity_reservation",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1a",
        "nodes": 5,
    }
}
BLOCK = purchase("capacity_block", 2.5, starts="2026-11-01", ends="2026-12-31")


@pytest.mark.parametrize(
    ("option", "replicas", "expected"),
    [
        ({}, 2.5, 3 * NODE),
        ({}, 0.1, 1 * NODE),
        (SPOT, 2.5, 3 * 2 * 730 * 1.1),
        (BACKED, 2.5, 3 * (0.75 * 2 + 0.25 * 5) * 730 * 1.1),
        (BACKED, 0.1, 1 * (0.75 * 2 + 0.25 * 5) * 730 * 1.1),
        (KEPT, 2.5, 5 * NODE),
        (KEPT, 0.1, 5 * NODE),
        (RESERVED, 2.5, 2 * 3 * 730 + 1 * NODE),
        (RESERVED, 0.1, 2 * 3 * 730),
        (SAVINGS, 2.5, 4 * 3 * 730),
        (SAVINGS, 0.1, 4 * 3 * 730),
        (BLOCK, 2.5, 4 * 2.5 * 730),
        (BLOCK, 0.1, 4 * 2.5 * 730),
    ],
    ids=lambda value: value[M + "pool.purchase"]["kind"] if isinstance(value, dict) and value else None,
)  # fmt: skip
def test_what_the_nodes_cost_with_each_way_to_buy_them(option, replicas, expected):
    decision = decide_plain({VOLUME: replicas * FULL, **option})

    assert decision.cases[0].node_item.usd_per_month == pytest.approx(expected)
    assert decision.whole.self_hosted_usd == pytest.approx(expected)


def test_a_reserved_node_is_paid_but_one_more_costs_the_price_on_demand():
    plan = decide_plain(RESERVED).cases[0].nodes

    assert (plan.price.usd_per_hour, plan.min_nodes) == (5, 2)
    assert plan.commitment_usd_per_month == 2 * (3 - 5) * 730


@pytest.mark.parametrize(
    ("option", "groups"),
    [
        ({}, [("on_demand", 1, 4, 4 * 5, 0)]),
        (SPOT, [("spot", 1, 4, (4 + 1) * 2, 1)]),
        (BACKED, [("spot", 1, 4, (4 + 1) * 2, 1), ("on_demand", 0, 2, 2 * 5, 0)]),
        (KEPT, [("capacity_reservation", 1, 5, 5 * 5, 0)]),
        (RESERVED, [("on_demand", 1, 4, 2 * 3 + 2 * 5, 0)]),
        (SAVINGS, [("on_demand", 1, 4, 4 * 3, 0)]),
        (BLOCK, [("capacity_block", 4, 4, 4 * 2.5, 0)]),
    ],
)
def test_each_way_to_buy_has_its_groups_of_nodes_with_caps_of_their_own(option, groups):
    found = decide_plain(option).cases[0].nodes.groups

    assert [group[:5] for group in found] == groups
    assert {group.warm_nodes for group in found} == {0}


@pytest.mark.parametrize(
    ("cap", "over"), [(1, 1), (9, 1), (10, 1), (11, 2), (14, 2), (20, 2), (21, 3)]
)
def test_a_spot_group_exceeds_its_cap_by_a_tenth_and_by_one_node_at_least(cap, over):
    [group] = decide_plain({**SPOT, M + "pool.replicas.max": cap}).cases[0].nodes.groups

    assert (group.max_nodes, group.over_nodes) == (cap, over)


@pytest.mark.parametrize(("cap_usd", "enough"), [(7199, False), (7201, True)])
def test_a_shadow_can_cost_what_all_its_groups_cost_at_their_caps_and_beyond(cap_usd, enough):
    """By hand: five spot nodes at 2 and two on demand at 5, for the 15 days to its end: 20 x 360 h."""
    shadow = a_shadow({"shadow": {"ends": "2026-12-05", "spending_cap_usd": cap_usd}})

    assert (decide_plain({**shadow, **BACKED}).verdict is Verdict.WINS) is enough


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (SPOT, "at 2 USD/h, spot, 2026-11-01; 10.0% more for interruptions"),
        (RESERVED, "at 5 USD/h, own price, 2026-11-01; 2 of them at 3 USD/h, reserved"),
        (BACKED, "at 2.75 USD/h, spot, 0.25 of it on demand, 2026-11-01; 10.0% more"),
        (KEPT, "5.00 x node of 1 x h100-sxm-80gb at 5 USD/h, own price"),
        (SAVINGS, "4.00 x node of 1 x h100-sxm-80gb at 3 USD/h, savings plan"),
        (BLOCK, "4.00 x node of 1 x h100-sxm-80gb at 2.5 USD/h, capacity block"),
    ],
)
def test_the_line_of_the_nodes_says_how_they_are_bought(option, said):
    assert said in decide_plain({VOLUME: 2.5 * FULL, **option}).cases[0].node_item.basis


EIGHT_GPUS: Changes = {
    M + "pool.node": own_node(40, gpus=8),
    M + "pool.gpus_per_replica": 2,
    M + "benchmark.gpus": 2,
    M + "pool.replicas": {"min": 2, "max": 8},
}


@pytest.mark.parametrize(("replicas", "nodes"), [(0.5, 1), (2, 1), (4, 1), (4.01, 2), (8, 2)])
def test_two_replicas_of_two_gpus_pay_for_the_whole_node_of_eight(replicas, nodes):
    assert nodes_usd({VOLUME: replicas * FULL, **EIGHT_GPUS}) == nodes * 40 * 730


def test_a_pool_that_follows_the_load_pays_for_the_hours_it_is_up():
    office = {
        "kind": "business_hours",
        "first_hour": 0,
        "last_hour": 12,
        "off_hours_fraction": 0,
        "weekend_factor": 1,
    }
    follows = {
        M + "workload.load": office,
        M + "pool.scaling": {"kind": "autoscaled", "lead_minutes": 10, "hold_minutes": 0},
    }

    assert nodes_usd(follows) == pytest.approx((13 * 2 + 11 * 1) / 24 * NODE), (
        "twelve hours at twice the mean, one more that is ordered ahead, and a floor of one"
    )
    asleep = {**follows, M + "pool.replicas.min": 0}
    assert nodes_usd(asleep) == pytest.approx(13 * 2 / 24 * NODE)


def case_of(changes: Changes, **as_of: date) -> ModelCase:
    return decide_plain(changes, **as_of).cases[0]


CUT = date(2025, 6, 23)
P5: Changes = {
    M + "pool.node": {"kind": "instance", "instance_type": "p5.48xlarge", "region": "us-east-1"}
}


@pytest.mark.parametrize(
    ("as_of", "usd_per_hour"),
    [(date(2025, 6, 22), 98.32), (CUT, 55.04), (date(2026, 11, 21), 55.04)],
)
def test_the_day_picks_the_list_price_that_was_in_force(as_of, usd_per_hour):
    nodes = case_of(P5, as_of=as_of).nodes

    assert (nodes.price.usd_per_hour, nodes.replicas_per_node) == (usd_per_hour, 8)
    assert nodes.node == "p5.48xlarge in us-east-1"


def test_before_its_first_price_an_instance_has_none():
    with pytest.raises(
        InputError, match=r"no on-demand price of p5\.48xlarge is known on 2023-08-07"
    ):
        case_of(P5, as_of=date(2023, 8, 7))


def test_an_instance_without_a_list_price_can_be_bought_another_way():
    region = {"kind": "instance", "instance_type": "p5.4xlarge", "region": "eu-west-3"}

    assert case_of({M + "pool.node": region, **SPOT}).nodes.price.usd_per_hour == 2


def aged(changes: Changes, as_of: date) -> list[tuple[str, str]]:
    """Return field and level of what is said of the pool's prices."""
    findings = decide_plain(changes, as_of=as_of).findings
    return [(f.problem.field, f.level.value) for f in findings if ".pool." in f.problem.field]


@pytest.mark.parametrize(
    ("option", "day", "expected"),
    [
        ({}, date(2027, 4, 30), []),
        ({}, date(2027, 5, 1), [("models[0].pool.node.checked", Level.ADVISORY)]),
        ({}, date(2027, 10, 27), [("models[0].pool.node.checked", Level.ADVISORY)]),
        ({}, date(2027, 10, 28), [("models[0].pool.node.checked", Level.BLOCKING)]),
        (SPOT, date(2027, 1, 30), []),
        (SPOT, date(2027, 1, 31), [("models[0].pool.purchase.checked", Level.ADVISORY)]),
        (
            BACKED,
            date(2027, 5, 1),
            [
                ("models[0].pool.purchase.checked", Level.BLOCKING),
                ("models[0].pool.node.checked", Level.ADVISORY),
            ],
        ),
        (SAVINGS, date(2027, 4, 30), []),
        (
            RESERVED,
            date(2027, 5, 1),
            [
                ("models[0].pool.node.checked", Level.ADVISORY),
                ("models[0].pool.purchase.checked", Level.ADVISORY),
            ],
        ),
    ],
)
def test_only_the_prices_that_are_paid_may_not_grow_old(option, day, expected):
    assert aged(option, day) == expected


def test_room_that_is_left_on_the_last_node_is_pointed_out():
    findings = decide_plain({**EIGHT_GPUS, M + "pool.replicas.max": 6}).findings

    assert any("6, with room for 2 more on the last node" in f.problem.found for f in findings)
