"""The verdict changes exactly at every printed flip distance, and one part in 10^9 before it does not."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gate.economics.bills import Bills, Need, Pool
from gate.economics.break_even import BreakEven, break_even
from gate.economics.flips import Flip, Quantity, flips, verdict_at
from gate.economics.pieces import TooFineError
from gate.economics.units import TIE
from gate.verdict import NEVER_BREAKS_EVEN, Verdict
from tests.gate.economics.exact import ANY, ExactStack, exact_stacks, merged

PART = 1e-9


def with_quantity(bills: Bills, quantity: Quantity, factor: float) -> Bills:
    """Return the bills once `quantity` alone is multiplied."""
    if quantity is Quantity.HOSTED_PRICE:
        return bills._replace(hosted_usd=bills.hosted_usd * factor)
    pools = tuple(pool_with(pool, quantity, factor) for pool in bills.pools)
    bills = bills._replace(pools=pools)
    if quantity is Quantity.NODE_PRICE:
        return bills._replace(node_fixed_usd=bills.node_fixed_usd * factor)
    return bills


def pool_with(pool: Pool, quantity: Quantity, factor: float) -> Pool:
    if quantity is Quantity.NODE_PRICE:
        return pool._replace(node_usd=pool.node_usd * factor)
    assert quantity is Quantity.THROUGHPUT
    needs = tuple(Need(n.nodes_per_unit / factor, n.intervals) for n in pool.needs)
    return pool._replace(needs=needs)


def verdict(bills: Bills, volume: float | None) -> Verdict:
    """Return what the gate says; a volume that the pool cannot hold cannot be judged."""
    try:
        outcome = break_even(bills)
    except TooFineError:  # a break-even that is too far to be walked to
        outcome = BreakEven(verdict=Verdict.FINITE, capacity=bills.capacity)
    full = (
        outcome.capacity is not None
        and volume is not None
        and volume > outcome.capacity * (1 + TIE)
    )
    if outcome.verdict not in NEVER_BREAKS_EVEN and full:
        return Verdict.INDETERMINATE
    return verdict_at(bills, outcome, volume)


def verdict_after(bills: Bills, volume: float | None, flip: Flip, factor: float) -> Verdict:
    if flip.quantity is Quantity.VOLUME:
        assert volume is not None
        return verdict(bills, volume * factor)
    return verdict(with_quantity(bills, flip.quantity, factor), volume)


def share_of_bill(bills: Bills, volume: float | None, flip: Flip) -> float:
    """Return how much of the bill is moved: one part in 10^9 of next to nothing is lost in rounding."""
    if volume is None:
        return flip.factor if flip.quantity is Quantity.NODE_PRICE else 1.0
    moved = {
        Quantity.HOSTED_PRICE: bills.hosted_usd * volume,
        Quantity.NODE_PRICE: bills.nodes_usd(volume),
    }
    bill = bills.self_hosted(volume)
    return moved.get(flip.quantity, bill) * flip.factor / bill


def sides(bills: Bills, volume: float | None, flip: Flip, *, better: bool) -> tuple[Verdict, ...]:
    """Return the verdicts one part in 10^9 before the value and beyond it."""
    if flip.quantity is Quantity.VOLUME:
        up = flip.factor > 1 - TIE  # at the end of what is won, the next token already loses
    else:
        up = better is not (flip.quantity is Quantity.NODE_PRICE)
    part = PART / min(1.0, 100 * share_of_bill(bills, volume, flip))
    before, beyond = (1 - part, 1 + part) if up else (1 + part, 1 - part)
    return tuple(
        verdict_after(bills, volume, flip, flip.factor * side) for side in (before, beyond)
    )


ALONE = st.tuples(exact_stacks(most_levels=4, capped=None, ratios=ANY))
SAVING_FIXED_COSTS = st.tuples(
    exact_stacks(most_levels=4, capped=True, ratios=ANY, most_hosted_fixed=12)
)
ONE_OF_TWO = exact_stacks(most_levels=2, capped=None, ratios=ANY).map(ExactStack.per_node)
TWO_MODELS = st.tuples(ONE_OF_TWO, ONE_OF_TWO)


@settings(max_examples=120)
@given(ALONE | SAVING_FIXED_COSTS | TWO_MODELS)
def test_a_refusal_ends_exactly_at_each_of_its_flip_distances(stacks: tuple[ExactStack, ...]):
    bills = merged(stacks)
    outcome = break_even(bills)
    assume(outcome.verdict in NEVER_BREAKS_EVEN)

    for flip in flips(bills, outcome, volume=None):
        if flip.quantity is Quantity.MAX_NODES:
            continue  # of whole nodes: see the next law but one
        before, beyond = sides(bills, None, flip, better=True)
        assert before in NEVER_BREAKS_EVEN, f"{flip} is not needed: {before} before it"
        assert beyond is Verdict.FINITE, f"{flip} is not enough: {beyond} beyond it"


@settings(max_examples=120)
@given(ALONE | SAVING_FIXED_COSTS | TWO_MODELS, st.integers(1, 60))
def test_a_verdict_at_a_volume_changes_exactly_at_each_of_its_flip_distances(
    stacks: tuple[ExactStack, ...], twentieths: int
):
    bills = merged(stacks)
    outcome = break_even(bills)
    assume(outcome.verdict is Verdict.FINITE)
    volume = (outcome.first or outcome.capacity or 1) * twentieths / 20
    assume(outcome.capacity is None or volume <= outcome.capacity)
    now = verdict(bills, volume)

    for flip in flips(bills, outcome, volume=volume):
        loses = now is Verdict.BELOW_BREAK_EVEN
        before, beyond = sides(bills, volume, flip, better=loses)
        assert (before is Verdict.WINS) != loses, f"{flip} is not needed: {before} before it"
        assert (beyond is Verdict.WINS) == loses, f"{flip} is not enough: {beyond} beyond it"


@given(exact_stacks(most_levels=4))
def test_a_refusal_beyond_the_cap_ends_with_the_printed_cap_and_not_a_node_before(
    stack: ExactStack,
):
    (needed,) = break_even(stack.bills()).peak_nodes
    assume(needed > max(1, stack.floor))
    bills = replace(stack, cap=Fraction(max(1, stack.floor))).bills()

    (cap,) = (
        flip.factor * max(1, stack.floor)
        for flip in flips(bills, break_even(bills), volume=None)
        if flip.quantity is Quantity.MAX_NODES
    )

    assert cap == needed
    assert break_even(replace(stack, cap=Fraction(cap)).bills()).verdict is Verdict.FINITE
    assert break_even(replace(stack, cap=Fraction(cap - 1)).bills()).verdict is Verdict.BEYOND_CAP
