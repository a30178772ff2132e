"""The circulated break-even function: right about infinity, wrong about the volume."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.economics.bills import Bills, Pool
from gate.economics.break_even import break_even
from gate.economics.load import needs_at_utilization
from gate.verdict import Verdict


def circulated(gpu_hourly: float, tps: float, util: float, hosted_per_mtok: float) -> float:
    """Return infinity or "the break-even" in millions of tokens, as the article has it."""
    capacity = tps * util * 3600 * 730 / 1e6
    if gpu_hourly * 730 / capacity >= hosted_per_mtok:
        return float("inf")
    return capacity


def bills(gpu_hourly: float, tps: float, util: float, hosted_per_mtok: float) -> Bills:
    needs = needs_at_utilization(util, node_tokens_per_second=tps)
    pool = Pool(node_usd=gpu_hourly * 730, min_nodes=1, max_nodes=None, needs=needs)
    return Bills(hosted_usd=hosted_per_mtok / 1e6, marginal_usd=0.0, fixed_usd=0.0, pools=(pool,))


@given(
    st.integers(1, 2000).map(lambda cents: Fraction(cents, 100)),
    st.integers(1, 300).map(lambda hundreds: Fraction(hundreds * 100)),
    st.integers(1, 100).map(lambda percent: Fraction(percent, 100)),
    st.integers(1, 3000).map(lambda cents: Fraction(cents, 100)),
)
def test_it_is_infinite_exactly_where_the_gate_says_infinite(gpu_hourly, tps, util, hosted):
    usd_per_mtok = gpu_hourly * 10**6 / (tps * util * 3600)
    endless = usd_per_mtok >= hosted

    outcome = break_even(bills(*map(float, (gpu_hourly, tps, util, hosted))))

    assert (outcome.verdict is Verdict.INFINITE) == endless


@pytest.mark.parametrize(
    ("gpu_hourly", "tps", "util", "hosted"),
    [
        (3.6, 1000, 0.5, 2.0),
        (3.6, 1000, 0.1, 10.0),
        (7.2, 2000, 0.25, 4.0),
        (0.9, 500, 0.5, 1.0),
        (3.6, 1000, 1.0, 1.0),
        (2.52, 700, 0.25, 4.0),
    ],
)
def test_a_tie_is_infinite_and_a_cent_more_is_not(gpu_hourly, tps, util, hosted):
    tie, a_cent_more = (
        break_even(bills(gpu_hourly, tps, util, price)).verdict for price in (hosted, hosted + 0.01)
    )

    assert (tie, a_cent_more) == (Verdict.INFINITE, Verdict.FINITE)
    assert circulated(gpu_hourly, tps, util, hosted + 0.01) < float("inf")


def test_where_it_is_finite_it_returns_what_the_gpu_can_serve_and_not_where_the_bills_cross():
    # 2 USD/h, 2,000 tokens/s at 50 %, 2 USD/Mtok hosted: a node serves 1,000 x 2,628,000 s = 2,628
    # Mtok a month and costs 1,460 USD, which buys 730 Mtok hosted.
    outcome = break_even(bills(2.0, 2000, 0.5, 2.0))

    assert outcome.first == pytest.approx(730e6)
    assert circulated(2.0, 2000, 0.5, 2.0) == pytest.approx(2628), "capacity, 3.6 times too much"
