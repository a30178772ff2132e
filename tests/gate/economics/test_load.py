"""Laws of the load: what a pool must hold ready, and what that costs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.economics.bills import Pool
from gate.economics.load import (
    LoadProfile,
    needs_at_utilization,
    needs_of_autoscaled_pool,
    needs_of_fixed_pool,
    profile,
    running_maximum,
    weekly_business_hours,
    weekly_diurnal,
)

TOKENS_PER_SECOND = 1000.0
FULL_NODE = 2_628_000_000.0
"""Tokens a month at 1,000 a second: 730 h x 3,600 s."""

LOADS = st.lists(st.integers(0, 20), min_size=1, max_size=30).filter(any)
MINUTES = st.integers(0, 300)


def a_pool(needs, *, floor: int = 0) -> Pool:
    return Pool(node_usd=100.0, min_nodes=floor, max_nodes=None, needs=needs)


def fixed(load: LoadProfile, *, floor: int = 0) -> Pool:
    return a_pool(needs_of_fixed_pool(load, node_tokens_per_second=TOKENS_PER_SECOND), floor=floor)


def autoscaled(load: LoadProfile, *, lead: float, hold: float, floor: int = 0) -> Pool:
    needs = needs_of_autoscaled_pool(
        load, node_tokens_per_second=TOKENS_PER_SECOND, lead_minutes=lead, hold_minutes=hold
    )
    return a_pool(needs, floor=floor)


def hourly(loads, *, burst: float = 1.0) -> LoadProfile:
    return profile(loads, interval_minutes=60, burst_factor=burst)


@given(LOADS, st.integers(0, 40), st.integers(0, 40))
def test_the_running_maximum_looks_back_and_ahead_around_the_end(loads, before, after):
    size = len(loads)
    naive = [
        max(loads[(at + offset) % size] for offset in range(-before, after + 1))
        for at in range(size)
    ]

    assert running_maximum(loads, before=before, after=after) == naive


@given(LOADS, st.randoms(use_true_random=False), st.integers(1, 50))
def test_a_trace_and_its_permutation_cost_the_same_on_a_fixed_pool(loads, random, tenths):
    shuffled = random.sample(loads, len(loads))

    one, other = fixed(hourly(loads)), fixed(hourly(shuffled))

    assert one == other
    assert one.nodes(FULL_NODE * tenths / 10) == other.nodes(FULL_NODE * tenths / 10)


@given(LOADS, MINUTES, MINUTES, st.integers(1, 100), st.integers(0, 4))
def test_following_the_load_never_costs_more_than_a_pool_sized_for_its_peak(
    loads, lead, hold, tenths, floor
):
    load, volume = hourly(loads, burst=1.5), FULL_NODE * tenths / 10

    follows = autoscaled(load, lead=lead, hold=hold, floor=floor).nodes(volume)

    assert follows <= fixed(load, floor=floor).nodes(volume)


@given(LOADS, MINUTES, MINUTES, st.integers(1, 200), st.integers(1, 100))
def test_a_longer_lead_or_hold_never_costs_less(loads, lead, hold, longer, tenths):
    load, volume = hourly(loads), FULL_NODE * tenths / 10

    short = autoscaled(load, lead=lead, hold=hold).nodes(volume)

    assert autoscaled(load, lead=lead + longer, hold=hold).nodes(volume) >= short
    assert autoscaled(load, lead=lead, hold=hold + longer).nodes(volume) >= short


@given(LOADS)
def test_a_lead_of_the_whole_period_is_a_pool_sized_for_its_peak(loads):
    load = hourly(loads)

    always = autoscaled(load, lead=60 * len(loads), hold=0)

    assert always.mean_need == pytest.approx(fixed(load).peak_need, rel=1e-12)


def test_capacity_is_there_before_the_load_and_stays_after_it():
    load = hourly([0, 0, 0, 6, 0, 0])

    needs = needs_of_autoscaled_pool(
        load, node_tokens_per_second=TOKENS_PER_SECOND, lead_minutes=61, hold_minutes=1
    )

    # 61 minutes are two hours ahead, 1 minute is one hour after: hours 1 to 4 need the peak of hour 3.
    assert [(need.nodes_per_unit * FULL_NODE, need.intervals) for need in needs] == [
        (0.0, 2),
        (pytest.approx(6.0), 4),
    ]


def test_a_node_of_a_fixed_pool_sustains_its_throughput_over_burst_and_peak():
    pool = fixed(hourly([1, 1, 4], burst=1.25))

    # Peak 2 times the mean, 1.25 times that in its busiest minute: 2,628 M / 2.5 = 1,051.2 M a node.
    assert 1 / pool.peak_need == pytest.approx(1_051_200_000)


def test_a_node_at_a_measured_utilization_sustains_that_share():
    pool = a_pool(needs_at_utilization(0.25, node_tokens_per_second=TOKENS_PER_SECOND))

    assert 1 / pool.peak_need == pytest.approx(657_000_000)


@given(st.integers(1, 64), st.integers(1, 8))
def test_replicas_that_share_nodes_cost_whole_nodes(replicas, replicas_per_node):
    load = hourly([1])
    needs = needs_of_fixed_pool(load, node_tokens_per_second=TOKENS_PER_SECOND * replicas_per_node)

    bought = a_pool(needs).nodes(FULL_NODE * replicas)

    assert bought == math.ceil(replicas / replicas_per_node)


def test_a_volume_that_exactly_fills_a_node_does_not_buy_another():
    for nodes in range(1, 2000):
        assert fixed(hourly([0.1, 0.2, 0.3])).peak_nodes(FULL_NODE * nodes / 1.5) == nodes


def test_a_floor_is_paid_in_hours_without_load():
    pool = autoscaled(hourly([0, 0, 0, 4]), lead=0, hold=0, floor=2)

    # Three hours at the floor of 2, one hour at 4 x 1.5 = 6 full nodes.
    assert pool.nodes(FULL_NODE * 1.5) == (2 + 2 + 2 + 6) / 4


def test_a_working_day_peaks_at_three_in_the_afternoon():
    week = weekly_diurnal(peak_to_mean=1.6, weekend_factor=0.5)

    assert len(week) == 168
    assert week[15] == pytest.approx(1.6)
    assert week[3] == pytest.approx(0.4)
    assert sum(week[:24]) == pytest.approx(24), "1.6 is relative to the working day's own mean"
    assert week[5 * 24 : 6 * 24] == pytest.approx([hour / 2 for hour in week[:24]])


def test_business_hours_end_before_their_last_hour():
    week = weekly_business_hours(
        first_hour=9, last_hour=18, off_hours_fraction=0.1, weekend_factor=0.2
    )

    assert [hour for hour in range(24) if week[hour] == 1] == list(range(9, 18))
    assert week[8] == week[18] == 0.1
    assert week[5 * 24 + 12] == pytest.approx(0.2)
    # 5 x (9 + 15 x 0.1) + 2 x 0.2 x (9 + 15 x 0.1) = 5.4 x 10.5 = 56.7 full hours of 168.
    assert hourly(week).peak_to_mean == pytest.approx(168 / 56.7)
