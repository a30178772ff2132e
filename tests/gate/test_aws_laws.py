"""What holds for the bill of an account on AWS whatever its prices are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.aws.target import Eks, Usage
from stacks.stack import Stack
from tests.gate.test_aws_costs import AUDITED, OUTSIDE, declared, lines

AMOUNTS = st.floats(min_value=0.01, max_value=5e4)
BILLED_BY = {
    "nat_gb": ["through NAT"],
    "endpoint_gb": ["through endpoints"],
    "load_balancer_lcu_hours": ["load balancer capacity"],
    "cross_zone_gb": ["between zones"],
    "log_gb": ["logs kept", "logs written"],
    "bucket_thousand_requests": ["audit trail", "model store requests"],
}
STACK, BASE = declared(AUDITED), declared(OUTSIDE)


def eks_of(stack: Stack) -> Eks:
    assert isinstance(stack.target, Eks)
    return stack.target


def used(**usage: float) -> Stack:
    eks = eks_of(STACK)
    changed = eks.usage.model_copy(update=usage)
    return STACK.model_copy(update={"target": eks.model_copy(update={"usage": changed})})


def test_every_usage_has_its_line():
    assert {*BILLED_BY, "internet_gb", "source"} == set(Usage.model_fields)


@given(field=st.sampled_from(sorted(BILLED_BY)), amount=AMOUNTS)
def test_twice_the_use_is_twice_its_line_and_no_other(field, amount):
    once, twice = lines(used(**{field: amount})), lines(used(**{field: 2 * amount}))

    assert sorted(name for name in once if once[name] != twice[name]) == BILLED_BY[field]
    for name in BILLED_BY[field]:
        assert twice[name] == pytest.approx(2 * once[name])


@given(less=AMOUNTS, more=AMOUNTS)
def test_more_to_the_internet_is_never_cheaper_and_never_dearer_than_the_first_tier(less, more):
    less, more = sorted((less, more))
    low, high = (sum(lines(used(internet_gb=gb)).values()) for gb in (less, more))

    assert -1e-6 <= high - low <= (more - less) * 0.09 + 1e-6


@given(zones=st.integers(2, 5), per_zone=st.booleans())
def test_a_zone_or_a_way_out_more_is_never_cheaper(zones, per_zone):
    def bill(count: int, *, each: bool) -> float:
        eks = eks_of(BASE)
        egress = eks.network.egress.model_copy(
            update={"gateways": "per_zone" if each else "single"}
        )
        network = eks.network.model_copy(update={"egress": egress})
        names = tuple(f"us-east-1{letter}" for letter in "abcdef"[:count])
        changed = eks.model_copy(update={"network": network, "zones": names})
        return sum(lines(BASE.model_copy(update={"target": changed})).values())

    assert bill(zones, each=per_zone) <= bill(zones + 1, each=per_zone)
    assert bill(zones, each=False) < bill(zones, each=True)
