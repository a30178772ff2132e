"""What may run at most: the approved ceiling, the quotas it needs, and what the components get of it."""

import pytest

from gate.ceiling import ceiling_usd_per_hour, quota_name, quotas
from gate.costs import total
from gate.figures import Nodes, figures
from gate.purchases import NodeGroup
from gate.record import record
from gate.report.explain import explain
from gate.report.text import text
from tests.eks import M, decide_eks
from tests.factories import Changes, a_shadow, decide_example, decide_plain

QUOTE = {"evidence": "quote 1", "checked": "2026-11-01"}
SPOT: Changes = {
    M + "pool.purchase": {
        "kind": "spot",
        "usd_per_hour": 2.65,
        "interruption_overhead_fraction": 0.05,
        "on_demand_fallback": {"nodes": 6, "hours_fraction": 0.1},
        **QUOTE,
    }
}
RESERVED: Changes = {
    M + "pool.purchase": {
        "kind": "capacity_reservation",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1a",
        "nodes": 16,
    }
}
BLOCK: Changes = {
    "target.ends": "2026-12-31",
    M + "pool.purchase": {
        "kind": "capacity_block",
        "reservation": "cr-0123456789abcdef0",
        "zone": "us-east-1a",
        "usd_per_hour": 4,
        "starts": "2026-11-01",
        "ends": "2026-12-31",
        **QUOTE,
    },
}
SYSTEM = (3 + 6) * 0.2016
"""Three nodes, and while they are updated two more in each of three zones."""
STANDARD = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
ON_DEMAND_P = "Running On-Demand P instances"
SPOT_P5 = "All P5 Spot Instance Requests"


@pytest.mark.parametrize(
    ("changes", "pool", "groups", "vcpus"),
    [
        ({}, 14 * 6.88, [("on_demand", 2, 14, 0)], {ON_DEMAND_P: 14 * 16}),
        (SPOT, (14 + 2) * 2.65 + 6 * 6.88, [("spot", 2, 14, 2), ("on_demand", 0, 6, 0)],
         {SPOT_P5: (14 + 2) * 16, ON_DEMAND_P: 6 * 16}),
        (RESERVED, 16 * 6.88, [("capacity_reservation", 2, 16, 0)], {ON_DEMAND_P: 16 * 16}),
        (BLOCK, 14 * 4, [("capacity_block", 14, 14, 0)],
         {"Capacity Blocks of p5, which no On-Demand quota counts": 14 * 16}),
    ],
)  # fmt: skip
def test_the_ceiling_is_every_group_at_its_cap_and_what_the_cloud_adds_for_minutes(
    changes, pool, groups, vcpus
):
    decision = decide_eks(changes)
    kept = record(decision)
    of_model = kept["models"]["support-chat"]

    assert ceiling_usd_per_hour(decision) == pytest.approx(pool + SYSTEM)
    assert kept["ceiling_usd_per_hour"] == pytest.approx(pool + SYSTEM)
    assert of_model["ceiling_usd_per_hour"] == pytest.approx(pool)
    assert [tuple(group.values()) for group in of_model["groups"]] == groups
    assert [*of_model["groups"][0]] == ["kind", "min", "max", "over"]
    assert quotas(decision) == vcpus | {STANDARD: (3 + 6) * 4}
    assert kept["service_quotas_vcpus"] == quotas(decision)


def test_nodes_beyond_the_cap_are_on_no_monthly_bill():
    items = {item.name: item.usd_per_month for item in decide_eks(SPOT).shared}

    assert items["system nodes"] == pytest.approx(3 * 0.2016 * 730)
    assert items["GPU node disks"] == pytest.approx((14 + 6) * 200 * 0.08)


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        ("p5.4xlarge", ON_DEMAND_P, SPOT_P5),
        ("p5en.48xlarge", ON_DEMAND_P, SPOT_P5),
        ("p4de.24xlarge", ON_DEMAND_P, "All P4, P3 and P2 Spot Instance Requests"),
        ("p6-b200.48xlarge", ON_DEMAND_P, "Spot requests of p6 (look up the quota's name)"),
        ("g6e.2xlarge", "Running On-Demand G and VT instances",
         "All G and VT Spot Instance Requests"),
        ("m7i.xlarge", STANDARD,
         "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"),
        ("x2gd.large", "On-Demand instances of x2 (look up the quota's name)",
         "Spot requests of x2 (look up the quota's name)"),
    ],
)  # fmt: skip
def test_a_quota_has_the_name_that_service_quotas_gives_it(instance_type, on_demand, spot):
    assert quota_name(instance_type, "on_demand") == on_demand
    assert quota_name(instance_type, "capacity_reservation") == on_demand
    assert quota_name(instance_type, "spot") == spot


def test_the_report_says_what_is_approved_at_most():
    report = " ".join(text(decide_eks(SPOT)).split())

    assert (
        "approved ceiling at most 85.49 USD an hour: 14 x p5.4xlarge, spot (2 more for minutes)"
        " + 6 x p5.4xlarge, on demand + 3 x m7i.xlarge, on demand (6 more for minutes)" in report
    )
    assert (
        "service quotas to have All P5 Spot Instance Requests: 256 vCPUs;"
        " Running On-Demand P instances: 96 vCPUs; Running On-Demand Standard" in report
    )


def test_the_cap_of_a_shadow_pays_for_the_nodes_that_an_update_adds():
    """Seen from 21 November, it ends after 15 days: 360 hours."""
    ends = {"ends": "2026-12-05", "spending_cap_usd": 1}
    decision = decide_eks(a_shadow({"target.ends": "2026-12-05", "shadow": ends}))
    [case], [short] = decision.cases, decision.blocking
    fixed = total(decision.shared) + case.costs.fixed_usd + case.bills.marginal_usd

    most = 360 * (14 * 6.88 + 6 * 0.2016 + fixed / 730)

    assert (short.field, short.allowed.split()[1]) == ("shadow.spending_cap_usd", f"{most:,.0f},")


def test_where_nothing_is_made_the_pools_are_the_ceiling_and_no_quota_is_needed():
    decision = decide_plain()

    assert ceiling_usd_per_hour(decision) == 4 * 5
    assert quotas(decision) == {}
    assert "at most 20.00 USD an hour: 4 x node of 1 x h100-sxm-80gb" in " ".join(
        text(decision).split()
    )


def test_the_parts_that_are_deployed_get_the_nodes_that_were_priced():
    prod = figures(decide_example("Pulumi.prod.yaml"))["support-chat"]

    assert prod.nodes == Nodes(
        instance_type="p5.48xlarge",
        gpu="h100-sxm-80gb",
        gpus_per_node=8,
        vcpus=192,
        memory_gib=2048,
        groups=(NodeGroup("on_demand", 1, 3, 2 * 32.36 + 55.04),),
    )
    assert figures(decide_plain())["support-chat"].nodes is None, "a node of one's own has no type"


def test_a_cold_start_is_told_phase_by_phase():
    decision = decide_eks()

    assert record(decision)["models"]["support-chat"]["cold_start_seconds"] == {
        "node": 240,
        "image": 150,
        "weights": 60,
        "engine": 210,
        "all": 660,
    }
    assert "cold start  = node 240 + image 150 + weights 60 + engine 210 = 660 s" in explain(
        decision
    )
    assert "cold start  = replica 420 = 420 s" in explain(decide_plain())
