"""Payback, by hand: a node costs 100 USD a month and holds 1,000 units; a hosted unit costs 1 USD."""

from gate.economics.bills import Bills, Need, Pool
from gate.economics.payback import Payback, Stream, payback


def a_stream(
    *,
    volume: float = 500.0,
    growth: float = 0.0,
    fixed: float = 0.0,
    max_nodes: float | None = None,
) -> Stream:
    pool = Pool(node_usd=100.0, min_nodes=1, max_nodes=max_nodes, needs=(Need(0.001, 1),))
    bills = Bills(hosted_usd=1.0, marginal_usd=0.0, fixed_usd=fixed, pools=(pool,))
    return Stream(bills=bills, volume=volume, growth_per_month=growth)


def paid(*streams: Stream, shared: float = 0.0, set_up: float, horizon: int = 24) -> Payback:
    return payback(streams, shared_usd=shared, set_up_usd=set_up, horizon_months=horizon)


def test_a_set_up_cost_is_paid_back_by_what_is_saved_each_month():
    # 500 hosted - 100 for the node saves 400 a month: 1,200 in three months.
    assert paid(a_stream(), set_up=1200).month == 3
    assert paid(a_stream(), set_up=1201).month == 4


def test_a_set_up_cost_that_is_met_exactly_is_paid_back_in_that_month_whatever_the_rounding():
    # 100.1 hosted - 100 saves 0.1 a month, which no float holds: ten times 0.1 is 1.
    assert paid(a_stream(volume=100.1), set_up=1).month == 10


def test_without_a_set_up_cost_a_stack_that_saves_is_paid_back_at_once():
    assert paid(a_stream(), set_up=0).month == 1


def test_what_is_never_cheaper_is_never_paid_back():
    result = paid(a_stream(volume=100), set_up=1, horizon=3)

    assert result == Payback(month=None, losing_months=(1, 2, 3), full_in_month=None), (
        "equal bills save nothing: 100 hosted - 100 for the node"
    )


def test_a_payback_beyond_the_horizon_is_none():
    assert paid(a_stream(), set_up=1200, horizon=2).month is None


def test_growth_turns_a_stack_that_loses_first():
    # Volumes 80, 160, 320: the months cost 100 against 80, 160, 320, so they lose 20, save 60 and 220.
    result = paid(a_stream(volume=80, growth=1.0), set_up=250, horizon=3)

    assert result == Payback(month=3, losing_months=(1,), full_in_month=None)


def test_growth_buys_the_nodes_it_needs():
    # 900 units fit one node and save 800; 1,080 need two: 1,080 - 200 = 880, together 1,680.
    growing = a_stream(volume=900, growth=0.2)

    assert paid(growing, set_up=1680).month == 2
    assert paid(growing, set_up=1681).month == 3


def test_growth_beyond_the_cap_ends_the_calculation_there():
    # 600, 1,200, 2,400 units: the third month needs three nodes of two.
    result = paid(a_stream(volume=600, growth=1.0, max_nodes=2), set_up=0)

    assert result.full_in_month == 3
    assert result.month == 1


def test_shared_costs_are_paid_once_for_all_models():
    # Two models save 400 each, 300 are shared: 500 a month; one of them alone would save 100.
    assert paid(a_stream(), a_stream(), shared=300, set_up=1000).month == 2
    assert paid(a_stream(), shared=300, set_up=1000).month == 10


def test_each_model_grows_at_its_own_rate():
    # Month 2: 500 + 1,000 hosted against 100 + 100; months save 400 + 400 and 400 + 900.
    both = (a_stream(), a_stream(growth=1.0))

    assert paid(*both, set_up=2100).month == 2
    assert paid(*both, set_up=2101).month == 3
