"""Published figures, recomputed; the tolerance of each is the rounding it was printed with.

Sources: silybench-data `derived/cost.json` (Qwen3-8B bf16 on one H100, vLLM 0.30), vllm-cost-meter
(Llama-3.1-8B fp8), deepseek-ai/open-infra-index day 6, damionas.com (vLLM on AKS), llmtco.com.
"""

import pytest

from gate.economics.bills import Bills, Need, Pool
from gate.economics.break_even import BreakEven, break_even
from gate.economics.load import needs_at_utilization, needs_of_fixed_pool, profile
from gate.verdict import Verdict

SECONDS = 730 * 3600
"""Of a month."""


def bills(
    *, hourly: float, per_second: float, hosted: float, utilization: float = 1.0, fixed: float = 0.0
) -> Bills:
    """Return the bills of an always-on pool; `hosted` is in USD per million tokens."""
    needs = needs_at_utilization(utilization, node_tokens_per_second=per_second)
    pool = Pool(node_usd=hourly * 730, min_nodes=1, max_nodes=None, needs=needs)
    return Bills(hosted_usd=hosted / 1e6, marginal_usd=0.0, fixed_usd=fixed, pools=(pool,))


def capped(uncapped: Bills, max_nodes: float) -> Bills:
    (pool,) = uncapped.pools
    return uncapped._replace(pools=(pool._replace(max_nodes=max_nodes),))


def silybench(*, hourly: float = 2.69, fixed: float = 0.0, utilization: float = 1.0) -> Bills:
    """2,048 tokens in and out: 5,629.363 tokens/s in all, 1.374356 requests/s; hosted at 0.20 USD/M."""
    return bills(
        hourly=hourly, per_second=5629.363, hosted=0.20, fixed=fixed, utilization=utilization
    )


def test_silybench_2048_costs_0_132737_usd_per_million_tokens():
    # 2.69 USD/h over 5,629.363 x 3,600 tokens.
    assert silybench().floor_usd * 1e6 == pytest.approx(0.132737, abs=5e-7)


def test_silybench_2048_costs_0_543689_usd_per_thousand_requests():
    tokens_of_a_thousand_requests = 1000 * 5629.363 / 1.374356

    assert silybench().floor_usd * tokens_of_a_thousand_requests == pytest.approx(
        0.543689, abs=5e-7
    )


def test_silybench_1024_128_costs_0_0275128_usd_per_million_tokens():
    prefill = bills(hourly=2.69, per_second=27_159.118, hosted=0.20)

    assert prefill.floor_usd * 1e6 == pytest.approx(0.0275128, abs=5e-8)


def test_silybench_without_fixed_costs_breaks_even_at_9_819_billion_tokens():
    # 2.69 x 730 = 1,963.70 USD buy 1,963.70 / 0.20 M tokens = 9,818.5 M hosted.
    outcome = break_even(silybench())

    assert outcome.first == pytest.approx(9.819e9, abs=0.5e6)
    assert outcome.peak_nodes == (1,)


def test_silybench_break_even_is_66_4_percent_of_what_the_circulated_function_returns():
    capacity = 5629.363 * SECONDS

    assert capacity == pytest.approx(14.79e9, abs=5e6)
    assert break_even(silybench()).first == pytest.approx(0.664 * capacity, abs=0.0005 * capacity)


def test_silybench_with_6000_usd_of_fixed_costs_breaks_even_at_98_73_billion_on_seven_replicas():
    # A full replica saves 0.20 x 14,793.97 - 1,963.70 = 995.09 USD: 6,000 need 6.03 of them, so 7;
    # (6,000 + 7 x 1,963.70) / 0.20 = 98,729.5 M.
    outcome = break_even(silybench(fixed=6000))

    assert outcome.first == pytest.approx(98.73e9, abs=5e6)
    assert outcome.peak_nodes == (7,)


def test_silybench_with_6000_usd_of_fixed_costs_never_loses_again_from_118_4_billion():
    # 6,000 + 1,963.70 need 8.003 full replicas, so 9: (6,000 + 9 x 1,963.70) / 0.20 = 118,366.5 M.
    outcome = break_even(silybench(fixed=6000))

    assert outcome.safe == pytest.approx(118.4e9, abs=5e7)
    # It loses again above 7 and above 8 full replicas, of 14,793.966 M each.
    assert [low / 14_793.966e6 for low, _ in outcome.loss_windows] == pytest.approx([7, 8])


def test_silybench_with_6000_usd_of_fixed_costs_is_out_of_reach_of_four_replicas():
    outcome = break_even(capped(silybench(fixed=6000), 4))

    assert outcome.verdict is Verdict.BEYOND_CAP
    assert outcome.peak_nodes == (7,), "the refusal names the cap that would do"
    assert break_even(capped(silybench(fixed=6000), 6)).verdict is Verdict.BEYOND_CAP
    assert break_even(capped(silybench(fixed=6000), 7)).verdict is Verdict.FINITE


def utilization_to_break_even(hourly: float, per_second: float, hosted: float) -> float:
    """Return the share of its tokens that a node has to sell: above 1, none is enough."""
    return bills(hourly=hourly, per_second=per_second, hosted=hosted).floor_usd * 1e6 / hosted


@pytest.mark.parametrize(
    ("hourly", "per_second", "hosted", "published"),
    [
        (2.69, 5629.363, 0.20, 0.664),
        (4.29, 5629.363, 0.20, 1.058),
        (2.69, 27_159.118, 0.20, 0.138),
        # 1,024 in at 0.117 and 128 out at 0.455 USD/M.
        (2.69, 27_159.118, (1024 * 0.117 + 128 * 0.455) / 1152, 0.178),
    ],
)
def test_the_published_utilization_to_break_even_is_where_infinite_ends(
    hourly: float, per_second: float, hosted: float, published: float
):
    bar = utilization_to_break_even(hourly, per_second, hosted)

    assert bar == pytest.approx(published, abs=0.0005)
    for utilization in (published - 0.001, published + 0.001):
        verdict = break_even(
            bills(hourly=hourly, per_second=per_second, hosted=hosted, utilization=utilization)
        ).verdict
        assert (verdict is Verdict.INFINITE) == (utilization < bar)


@pytest.mark.parametrize("hourly", [4.29, 6.88, 10.9791])
def test_silybench_on_a_dearer_node_is_infinite_even_when_fully_used(hourly: float):
    assert break_even(silybench(hourly=hourly)).verdict is Verdict.INFINITE


def test_silybench_at_10_98_usd_an_hour_costs_2_219_usd_per_thousand_requests():
    floor = silybench(hourly=10.9791).floor_usd

    assert floor * 1000 * 5629.363 / 1.374356 == pytest.approx(2.219, abs=0.0005)


def spiky_fixed_pool(*, hosted: float = 0.20, hourly: float = 6.88) -> BreakEven:
    """Llama-3.1-8B fp8 on a p5.4xlarge: 22,789 tokens/s; a production load with a peak of 3.62."""
    load = profile([3.62, 0.38, 0, 0], interval_minutes=60)
    needs = needs_of_fixed_pool(load, node_tokens_per_second=22_789)
    pool = Pool(node_usd=hourly * 730, min_nodes=1, max_nodes=None, needs=needs)
    return break_even(
        Bills(hosted_usd=hosted / 1e6, marginal_usd=0.0, fixed_usd=0.0, pools=(pool,))
    )


def test_the_worked_flip_is_infinite_on_a_pool_sized_for_its_peak_and_finite_from_0_304_usd():
    # 6.88 x 3.62 / (22,789 x 3,600) = 0.30358 USD/M, printed as 0.304.
    assert spiky_fixed_pool(hosted=0.20).verdict is Verdict.INFINITE
    assert spiky_fixed_pool(hosted=0.3035).verdict is Verdict.INFINITE
    assert spiky_fixed_pool(hosted=0.304).verdict is Verdict.FINITE


def test_one_day_of_deepseek_costs_0_1122_usd_per_million_tokens():
    # 226.75 nodes of 8 GPUs at 2 USD/h each serve 608 B in and 168 B out in 24 h.
    node_tokens_per_second = 776e9 / 86_400 / 226.75

    day = bills(hourly=16, per_second=node_tokens_per_second, hosted=0.7243)

    assert day.floor_usd * 1e6 == pytest.approx(0.1122, abs=5e-5)
    assert day.floor_usd * 776e9 == pytest.approx(87_072, abs=0.5)


def test_vllm_on_aks_breaks_even_at_1_87_billion_tokens_a_day_and_not_at_1_7_million():
    # 800 in at 0.15 and 400 out at 0.60 USD/M are 0.30 USD/M; 4 A100 cost 16,800 USD a month.
    per_mtok = (800 * 0.15 + 400 * 0.60) / 1200
    fast_enough = bills(hourly=16_800 / 730, per_second=25_000, hosted=per_mtok)

    outcome = break_even(fast_enough)

    assert per_mtok == pytest.approx(0.30)
    assert outcome.first == pytest.approx(56e9)
    assert outcome.first == pytest.approx(30 * 1.87e9, abs=30 * 5e6)


def test_vllm_on_aks_never_breaks_even_below_21_300_tokens_a_second():
    # 56 B tokens in 2,628,000 s are 21,309 a second: the capacity test that the article leaves out.
    slower, faster = (
        break_even(bills(hourly=16_800 / 730, per_second=speed, hosted=0.30)).verdict
        for speed in (21_300, 21_320)
    )

    assert (slower, faster) == (Verdict.INFINITE, Verdict.FINITE)


def test_hours_are_paid_whether_they_are_used_or_not():
    idle = silybench(utilization=0.1)

    assert idle.self_hosted(1.0) == pytest.approx(2.69 * 730), (
        "a node costs its 730 hours: hours x utilization would make idling free"
    )


@pytest.mark.parametrize(
    ("percent", "exact", "printed"), [(15, 100, 100), (30, 50, 52), (60, 25, 26), (90, 16.7, 17)]
)
def test_the_price_of_a_token_is_inverse_to_the_utilization(percent, exact, printed):
    first, now = (silybench(utilization=share).floor_usd for share in (0.15, percent / 100))

    relative = 100 * now / first
    assert relative == pytest.approx(exact, abs=0.05)
    assert relative <= printed <= relative + 2, "the guide's bars are rounded up"


def test_from_25_to_85_percent_utilization_a_token_costs_70_6_percent_less():
    before, after = (silybench(utilization=share).floor_usd for share in (0.25, 0.85))

    assert 1 - after / before == pytest.approx(0.706, abs=0.0005)


def test_where_a_token_is_dearer_but_fixed_costs_are_saved_only_small_volumes_win():
    # A node of 1,000 units costs 10; a unit costs 0.02 against 0.01 hosted, which has 100 fixed.
    # On k nodes it wins to (100 - 10 k) / 0.01: 5 nodes hold just that, and the sixth is too much.
    pool = Pool(node_usd=10.0, min_nodes=1, max_nodes=None, needs=(Need(0.001, 1),))
    dearer = Bills(
        hosted_usd=0.01, marginal_usd=0.02, fixed_usd=0.0, hosted_fixed_usd=100.0, pools=(pool,)
    )

    within_ten_nodes = break_even(capped(dearer, 10))

    assert break_even(dearer).first == within_ten_nodes.first == 0
    assert break_even(dearer).safe is None
    assert within_ten_nodes.safe is None
    assert within_ten_nodes.loss_windows[0] == pytest.approx((5000, 10_000))
