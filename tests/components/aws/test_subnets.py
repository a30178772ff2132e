"""How a VPC is shared out: a part for each zone, large enough for all nodes and pods at their caps."""

import ipaddress

import pytest

from components.aws.subnets import addresses_of_node
from stacks.errors import InputError
from tests.components.aws.registered import plan_of

CIDR = "target.network.cidr"
ZONES = "target.zones"


def test_a_node_takes_whole_interfaces_and_a_spare_one():
    assert addresses_of_node(110) == (3 + 1) * 50  # 147 addresses for pods in three of them
    assert addresses_of_node(250) == (6 + 1) * 50


def test_each_zone_has_a_quarter_and_what_is_public_the_first():
    plan = plan_of("prod").subnets
    assert [each.cidr for each in plan.private] == [
        "10.10.64.0/18",
        "10.10.128.0/18",
        "10.10.192.0/18",
    ]
    assert [each.cidr for each in plan.public] == ["10.10.0.0/24", "10.10.1.0/24", "10.10.2.0/24"]


def test_nothing_is_public_where_nothing_gets_out():
    assert plan_of("regulated").subnets.public == ()


def test_a_third_zone_or_a_way_out_moves_no_subnet():
    before = plan_of("prod", {ZONES: ["us-east-1a", "us-east-1b"]}).subnets
    after = plan_of("prod").subnets
    assert after.private[:2] == before.private
    assert after.public[:2] == before.public


@pytest.mark.parametrize("zones", ["ab", "abc", "abcd", "abcdef"])
@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/17"])
def test_no_two_subnets_overlap_and_all_are_inside(zones, cidr):
    names = [f"us-east-1{zone}" for zone in zones]
    nodes = dict.fromkeys(("target.system_nodes.min", "target.system_nodes.max"), len(names))
    plan = plan_of("shadow", {ZONES: names, CIDR: cidr, **nodes}).subnets
    ranges = [ipaddress.IPv4Network(each.cidr) for each in (*plan.private, *plan.public)]
    assert len(ranges) == 2 * len(zones)
    assert all(each.subnet_of(ipaddress.IPv4Network(cidr)) for each in ranges)
    assert not any(a.overlaps(b) for i, a in enumerate(ranges) for b in ranges[:i])


def test_a_range_that_is_too_small_is_refused_with_one_that_would_do():
    """Staging: 3 system nodes and 4 while they are updated, 4 spot nodes and 1 while one is replaced, each
    with 200 addresses, and 21.

    2,421 addresses a zone are 2^12, and four of those a /18.
    """
    with pytest.raises(InputError) as refused:
        plan_of("staging", {CIDR: "10.20.0.0/20"})
    [problem] = refused.value.problems
    assert problem.field == CIDR
    assert "1,024 addresses" in problem.found
    assert "2,421" in problem.found
    assert problem.allowed == "from /16 to /18"
    plan_of("staging", {CIDR: "10.20.0.0/18"})


def test_where_no_range_would_do_it_says_so():
    nodes = {"target.system_nodes": {"instance_type": "m7i.xlarge", "min": 2, "max": 400}}
    with pytest.raises(InputError, match="a VPC has a /16 at most"):
        plan_of("staging", nodes)
