"""What may run at most: the approved ceiling, the quotas it needs, and what the components get of it."""

import pytest

from gate.ceiling import ceiling_usd_per_hour, quotas
from gate.figures import Nodes, figures
from gate.purchases import NodeGroup
from gate.record import record
from gate.report.explain import explain
from gate.report.text import text
from tests.eks import M, decide_eks
from tests.factories import Changes, decide_example, decide_plain

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
SYSTEM = 3 * 0.2016


@pytest.mark.parametrize(
    ("changes", "pool", "groups", "vcpus"),
    [
        ({}, 14 * 6.88, [("on_demand", 2, 14)], {"on-demand P": 14 * 16}),
        (SPOT, 14 * 2.65 + 6 * 6.88, [("spot", 2, 14), ("on_demand", 0, 6)],
         {"spot P": 14 * 16, "on-demand P": 6 * 16}),
        (RESERVED, 16 * 6.88, [("capacity_reservation", 2, 16)], {"on-demand P": 16 * 16}),
        (BLOCK, 14 * 4, [("capacity_block", 14, 14)], {"capacity-block P": 14 * 16}),
    ],
)  # fmt: skip
def test_the_ceiling_is_every_group_at_its_cap(changes, pool, groups, vcpus):
    decision = decide_eks(changes)
    kept = record(decision)
    of_model = kept["models"]["support-chat"]

    assert ceiling_usd_per_hour(decision) == pytest.approx(pool + SYSTEM)
    assert kept["ceiling_usd_per_hour"] == pytest.approx(pool + SYSTEM)
    assert of_model["ceiling_usd_per_hour"] == pytest.approx(pool)
    assert [(g["kind"], g["min"], g["max"]) for g in of_model["groups"]] == groups
    assert quotas(decision) == vcpus | {"on-demand standard": 3 * 4}
    assert kept["service_quotas_vcpus"] == quotas(decision)


def test_a_quota_is_that_of_the_family():
    g6e = {"kind": "instance", "instance_type": "g6e.2xlarge", "region": "us-east-1"}
    quota = quotas(decide_eks({M + "pool.node": g6e}))

    assert quota == {"on-demand G": 14 * 8, "on-demand standard": 12}


def test_the_report_says_what_is_approved_at_most():
    report = " ".join(text(decide_eks(SPOT)).split())

    assert (
        "approved ceiling at most 78.98 USD an hour: 14 x p5.4xlarge, spot + 6 x p5.4xlarge, on demand"
        " + 3 x m7i.xlarge, on demand" in report
    )
    assert (
        "service quotas to have 224 vCPUs spot P, 96 vCPUs on-demand P, 12 vCPUs on-demand standard"
        in report
    )


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
