"""What target eks costs beside the GPU nodes: each line by hand."""

from datetime import date

import pytest

from gate.aws_costs import aws_items
from gate.aws_nodes import system_nodes
from gate.costs import AWS, total
from gate.nodes import plan_nodes
from gate.record import record
from gate.report.markdown import markdown
from gate.report.text import text
from stacks.aws.checks import FROM_TARGET
from stacks.errors import InputError, Place
from stacks.observability import OwnLangfuse
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.eks import BALANCED, CLOSED, STORED, M, an_eks_stack, decide_eks
from tests.factories import AS_OF, Changes, decide_example

HOURS = 730
AUDITED: Changes = {
    **CLOSED,
    "target.audit": {"retention_days": 365},
    "target.usage.bucket_thousand_requests": 1000,
    "target.usage.endpoint_gb": 400,
    "target.usage.nat_gb": 0,
}
OUTSIDE: Changes = {
    **BALANCED,
    "target.usage.internet_gb": 1500,
    "target.usage.load_balancer_lcu_hours": 3000,
}


def declared(changes: Changes | None = None) -> Stack:
    return parse_stack(an_eks_stack(changes), file="stack.yaml")


def lines(stack: Stack, *, as_of: date = AS_OF) -> dict[str, float]:
    """Return USD a month by line."""
    plans = [
        plan_nodes(model.pool, Place("x"), target=stack.target, as_of=as_of)
        for model in stack.models
    ]
    items = aws_items(stack, plans, Place("stack.yaml"), as_of)
    assert len({item.name for item in items}) == len(items), "a name a line"
    assert {item.group for item in items} <= {AWS}
    return {item.name: item.usd_per_month for item in items}


@pytest.mark.parametrize(
    ("changes", "name", "usd"),
    [
        ({}, "control plane", HOURS * 0.10),
        ({}, "system nodes", 3 * HOURS * 0.2016),
        ({}, "system disks", 3 * 50 * 0.08),
        ({}, "GPU node disks", 14 * 200 * 0.08),
        ({}, "GPU node disks, IOPS", 14 * (6000 - 3000) * 0.005),
        ({}, "GPU node disks, MB/s", 14 * (500 - 125) * 0.04),
        ({}, "volumes of pods", (20 + 4 * 20) * 0.08),
        ({}, "KMS keys", 2 * 1),
        ({}, "logs written", 80 * 0.50),
        ({}, "logs kept", 80 * 30 / (HOURS / 24) * 0.03),
        ({}, "NAT gateways", 3 * HOURS * 0.045),
        ({}, "through NAT", 600 * 0.045),
        ({}, "public addresses", 3 * HOURS * 0.005),
        ({}, "between zones", 2 * 4000 * 0.01),
        (OUTSIDE, "load balancer", HOURS * 0.0225),
        (OUTSIDE, "load balancer capacity", 3000 * 0.008),
        (OUTSIDE, "public addresses", (3 + 3) * HOURS * 0.005),
        (OUTSIDE, "to the internet", (1500 - 100) * 0.09),
        (STORED, "model store", 40 * 0.023),
        (AUDITED, "registry", 60 * 0.10),
        (AUDITED, "model store requests", 1000 * 0.0004),
        (AUDITED, "audit trail", 1_000_000 / 100_000 * 0.10),
        (AUDITED, "logs kept", 80 * 365 / (HOURS / 24) * 0.03),
        (AUDITED, "interface endpoints", 13 * 3 * HOURS * 0.01),
        (AUDITED, "through endpoints", 400 * 0.01),
    ],
)  # fmt: skip
def test_a_line_is_what_it_is_by_hand(changes, name, usd):
    assert lines(declared(changes))[name] == pytest.approx(usd)


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({}, {"load balancer", "model store", "registry", "audit trail", "interface endpoints"}),
        (AUDITED, {"NAT gateways", "through NAT", "public addresses", "to the internet"}),
    ],
)
def test_what_is_not_made_has_no_line(changes, absent):
    assert not absent & lines(declared(changes)).keys()


def test_a_stack_that_is_not_on_aws_has_no_lines():
    assert not [item for item in decide_example("Pulumi.demo.yaml").shared if item.group == AWS]


@pytest.mark.parametrize(
    ("gb", "usd"),
    [
        (100, 0),
        (10_240, 10_140 * 0.09),
        (20_000, 10_140 * 0.09 + 9_760 * 0.085),
        (153_600, 10_140 * 0.09 + 40_960 * 0.085 + 102_400 * 0.07),
    ],
)
def test_the_internet_is_paid_by_tiers_after_the_first_hundred_gb(gb, usd):
    found = lines(declared({"target.usage.internet_gb": gb}))

    assert sum(v for k, v in found.items() if k.startswith("to the internet")) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("support", "as_of", "usd_per_hour"),
    [
        ("extended", date(2026, 12, 1), 0.1),
        ("extended", date(2026, 12, 2), 0.6),
        ("standard", date(2026, 12, 2), 0.1),
    ],
)
def test_extended_support_is_paid_from_the_day_standard_support_ends(support, as_of, usd_per_hour):
    older = {
        "target.cluster.version": "1.34",
        "target.cluster.support": support,
        "target.gpu_nodes.ami_release": "1.34.2-20260818",
    }

    assert lines(declared(older), as_of=as_of)["control plane"] == pytest.approx(730 * usd_per_hour)


def test_the_lines_say_quantity_price_and_day():
    basis = {item.name: item.basis for item in decide_eks().shared if item.group == AWS}

    assert basis["NAT gateways"] == "3 x 730 h: 2190 x 0.045 USD per hour (2026-09-20)"
    assert basis["system nodes"] == "3 x m7i.xlarge x 730 h x 0.2016 USD/h (2026-07-20)"


def test_a_line_that_is_computed_is_among_what_is_made_alone():
    found = {item.name for item in decide_eks().shared if item.group == "infrastructure"}

    assert "monitoring" in found
    assert not found & {*FROM_TARGET}


def test_the_bill_is_what_is_declared_and_what_is_made():
    decision = decide_eks(STORED)
    own = total(item for item in decision.shared if item.group != AWS)
    made = sum(lines(decision.stack).values())
    kept = record(decision)

    assert total(decision.shared) == pytest.approx(own + made)
    assert kept["aws_usd_per_month"] == pytest.approx(made)
    assert sum(kept["shared_costs_usd_per_month"].values()) == pytest.approx(own + made)
    assert decision.whole.bills.fixed_usd == pytest.approx(
        own + made + sum(case.costs.fixed_usd for case in decision.cases)
    )


def test_a_record_names_the_day_of_each_price_of_aws():
    dates = record(decide_eks())["price_dates"]

    assert dates["nat_gateway_hour"] == "2026-09-20"
    assert dates["kms_key_month"] == "2026-06-13"


def test_the_reports_sum_up_what_aws_costs():
    decision = decide_eks()
    made = f"{sum(lines(decision.stack).values()):,.2f}"

    assert f"    in all{made:>37}" in text(decision).splitlines()
    assert f"| of that, AWS around the GPU nodes | {made} |" in markdown(decision)


def test_a_system_node_without_a_price_on_that_day_is_answered():
    with pytest.raises(InputError) as caught:
        system_nodes(declared(), Place("stack.yaml"), as_of=date(2023, 8, 7))
    (problem,) = caught.value.problems

    assert problem.field == "target.system_nodes.instance_type"
    assert problem.found == (
        "m7i.xlarge, of which no on-demand price in us-east-1 is known on 2023-08-07"
    )


@pytest.mark.parametrize("name", ["prod", "staging", "regulated", "shadow"])
def test_a_shipped_stack_declares_no_cost_of_what_its_target_makes_and_prices(name):
    """Prometheus, Langfuse and bundled stores are on system nodes and volumes; external stores are not."""
    stack = decide_example(f"Pulumi.{name}.yaml").stack
    langfuse = stack.observability.langfuse
    external = isinstance(langfuse, OwnLangfuse) and langfuse.stores.kind == "external"
    shared = stack.operations.infrastructure

    assert shared.monitoring.zero_because
    assert bool(shared.observability.usd_per_month) is external
    assert {bool(model.costs.trace_storage.usd_per_mtok) for model in stack.models} == {external}


def test_disks_are_counted_for_the_fallback_of_spot_nodes_too():
    spot = {
        "kind": "spot",
        "usd_per_hour": 2.65,
        "interruption_overhead_fraction": 0.05,
        "evidence": "quote 1",
        "checked": "2026-11-01",
    }
    fallback = spot | {"on_demand_fallback": {"nodes": 6, "hours_fraction": 0.1}}
    alone, backed = (lines(declared({M + "pool.purchase": p})) for p in (spot, fallback))

    assert backed["GPU node disks"] - alone["GPU node disks"] == pytest.approx(6 * 200 * 0.08)
