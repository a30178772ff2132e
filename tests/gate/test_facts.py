"""Which record holds on a day, how old it is, and what an unknown name gets."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest

from gate import facts
from gate.facts import hosted, listing, tables

TODAY = date(2026, 11, 21)
"""Frozen: a fact in the repository was read by the day the repository was written."""


def price(instance: str, as_of: date, region: str = "us-east-1", purchase: str = "on_demand"):
    record = facts.instance_price(instance, region=region, purchase=purchase, as_of=as_of)
    return record.usd_per_hour


def test_the_price_in_force_is_the_latest_that_has_started():
    cut = date(2025, 6, 23)

    assert price("p5.48xlarge", cut - timedelta(days=1)) == 98.32
    assert price("p5.48xlarge", cut) == 55.04
    assert price("p5.48xlarge", TODAY) == 55.04
    assert price("p5.48xlarge", TODAY, purchase="capacity_block") == 41.528
    assert price("p5.48xlarge", TODAY, region="eu-north-1") == 58.8928
    assert price("p5.48xlarge", date(2025, 1, 1), purchase="capacity_block") == 39.33


def test_a_price_is_unknown_before_its_first_record():
    first = date(2023, 8, 8)
    assert price("p5.48xlarge", first) == 98.32

    with pytest.raises(facts.UnknownFact, match=r"on '2023-08-07'.*from 2023-08-08"):
        price("p5.48xlarge", first - timedelta(days=1))
    with pytest.raises(facts.UnknownFact, match="nat_gateway_hour on '2020-01-01'"):
        facts.operations_price("nat_gateway_hour", as_of=date(2020, 1, 1))


def test_the_same_gpu_costs_twice_as_much_in_the_largest_node():
    small, large = facts.instance("g6e.xlarge"), facts.instance("g6e.48xlarge")
    per_gpu = [price(i.name, TODAY) / i.gpus for i in (small, large)]

    assert small.gpu == large.gpu
    assert per_gpu[1] / per_gpu[0] == pytest.approx(2.02, abs=0.01)


def test_an_instance_without_an_on_demand_price_is_never_free():
    with pytest.raises(facts.UnknownFact) as unknown:
        price("p5e.48xlarge", TODAY)

    assert unknown.value.allowed == ["us-east-2 capacity_block"]


@pytest.mark.parametrize(
    ("look_up", "kind", "found", "nearest"),
    [
        (lambda: facts.gpu("h100"), "GPU", "h100", "h100-sxm-80gb"),
        (lambda: facts.instance("p5.48xl"), "instance type", "p5.48xl", "p5.48xlarge"),
        (lambda: facts.model("Qwen3-8B"), "model", "Qwen3-8B", "Qwen/Qwen3-8B"),
        (
            lambda: facts.operations_price("nat_gateway", as_of=TODAY),
            "price of operations",
            "nat_gateway",
            "nat_gateway_gb",
        ),
        (
            lambda: facts.hosted_price(provider="togehter", model="x", as_of=TODAY),
            "hosted provider",
            "togehter",
            "together",
        ),
        (
            lambda: facts.hosted_price(provider="groq", model="gpt-oss-120b", as_of=TODAY),
            "model at groq",
            "gpt-oss-120b",
            "openai/gpt-oss-120b",
        ),
        (lambda: tables.max_age_days("gpu"), "kind of fact", "gpu", "gpu_spec"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(look_up, kind, found, nearest):
    with pytest.raises(facts.FactError) as error:
        look_up()

    unknown = error.value
    assert isinstance(unknown, facts.UnknownFact)
    assert (unknown.kind, unknown.found, unknown.nearest) == (kind, found, nearest)
    assert nearest in unknown.allowed
    assert f"unknown {kind} {found!r}; did you mean {nearest}? Known: " in str(unknown)


def test_a_provider_is_a_name_and_not_a_path():
    with pytest.raises(facts.UnknownFact, match="unknown hosted provider"):
        facts.hosted_price(provider="../hosted/groq", model="openai/gpt-oss-120b", as_of=TODAY)


def test_a_name_like_no_other_gets_the_list_alone():
    with pytest.raises(facts.UnknownFact) as error:
        facts.gpu("tpu")

    assert error.value.nearest is None
    assert str(error.value).startswith("unknown GPU 'tpu'. Known: a100-sxm-40gb, ")


@pytest.mark.parametrize(
    ("days", "stale", "expired"),
    [(90, False, False), (91, True, False), (180, True, False), (181, True, True)],
)
def test_a_fact_is_stale_past_its_limit_and_expired_past_twice_that(days, stale, expired):
    source = facts.Source(url="https://example.com", checked=TODAY)
    aged = facts.age(source, "instance_price", as_of=TODAY + timedelta(days=days))

    assert (aged.days, aged.stale, aged.expired) == (days, stale, expired)


def test_every_kind_of_fact_has_a_limit_with_a_reason():
    limits = tables.table("operations")["max_age_days"]

    assert set(limits) == {
        "gpu_spec",
        "hosted_price",
        "infrastructure_price",
        "instance_price",
        "kubernetes_version",
        "model_spec",
    }
    assert all(limit["note"] for limit in limits.values())
    assert facts.price_kind("p5.48xlarge") == "instance_price"
    assert facts.price_kind("m7i.large") == "infrastructure_price"


def test_the_listing_shows_each_fact_in_force_once():
    listed = list(facts.all_facts(TODAY))
    names = [fact.name for fact in listed]

    assert len(names) == len(set(names))
    assert all(fact.checked <= TODAY and fact.source.startswith("https://") for fact in listed)
    by_name = {fact.name: fact for fact in listed}
    assert by_name["p5.48xlarge us-east-1 on_demand"] == listing.Fact(
        name="p5.48xlarge us-east-1 on_demand",
        value=55.04,
        unit="USD/h",
        source="https://raw.githubusercontent.com/datareceipts/data-receipts/main/109-gpu-pricing/hyperscalers.json",
        checked=date(2026, 11, 9),
        age_days=12,
        max_age_days=90,
        stale=False,
        expired=False,
    )
    assert by_name["hosted/openrouter"].value == 923
    assert {f"hosted/{provider}" for provider in hosted.providers()} < set(names)


def test_an_earlier_day_lists_fewer_prices():
    earlier = {fact.name for fact in facts.all_facts(date(2024, 1, 1))}

    assert "p5.48xlarge us-east-1 on_demand" in earlier
    assert "p6-b300.48xlarge us-east-1 on_demand" not in earlier


def test_no_fact_depends_on_the_clock():
    for path in sorted(Path(facts.__file__).parent.glob("*.py")):
        called = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }

        assert not called & {"today", "now", "utcnow", "time", "monotonic"}, path.name


def test_facts_are_read_without_pydantic():
    for path in sorted(Path(facts.__file__).parent.glob("*.py")):
        assert "pydantic" not in path.read_text("utf-8"), path.name
