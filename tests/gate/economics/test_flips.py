"""The verdict changes exactly at every printed flip distance, and one part in 10^9 before it does not."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gate.economics.bills import Bills, Need
from gate.economics.break_even import break_even
from gate.economics.flips import Flip, Quantity, flips, verdict_at
from gate.economics.pieces import TooFineError
from gate.economics.units import TIE
from gate.verdict import NEVER_BREAKS_EVEN, Verdict
from tests.gate.economics.exact import ANY_RATIOS, ExactStack, exact_stacks

PART = 1e-9


def with_quantity(bills: Bills, quantity: Quantity, factor: float) -> Bills:
    """Return the bills once `quantity` alone is multiplied."""
    if quantity is Quantity.HOSTED_PRICE:
        return replace(bills, hosted_usd=bills.hosted_usd * factor)
    (pool,) = bills.pools
    if quantity is Quantity.NODE_PRICE:
        pool = replace(pool, node_usd=pool.node_usd * factor)
        return replace(bills, pools=(pool,), node_fixed_usd=bills.node_fixed_usd * factor)
    if quantity is Quantity.THROUGHPUT:
        needs = tuple(Need(n.nodes_per_unit / factor, n.intervals) for n in pool.needs)
        return replace(bills, pools=(replace(pool, needs=needs),))
    assert quantity is Quantity.MAX_NODES
    assert pool.max_nodes is not None
    return replace(bills, pools=(replace(pool, max_nodes=pool.max_nodes * factor),))


def verdict(bills: Bills, volume: float | None) -> Verdict:
    """Return what the gate says; a volume that the pool cannot hold cannot be judged."""
    try:
        outcome = break_even(bills)
    except TooFineError:  # finite, at a volume too large to be walked to
        return Verdict.FINITE if volume is None else Verdict.BELOW_BREAK_EVEN
    full = outcome.capacity is not None and volume is not None and volume > outcome.capacity * (1 + TIE)
    if outcome.verdict not in NEVER_BREAKS_EVEN and full:
        return Verdict.INDETERMINATE
    return verdict_at(bills, outcome, volume)


def verdict_after(bills: Bills, volume: float | None, flip: Flip, factor: float) -> Verdict:
    if flip.quantity is Quantity.VOLUME:
        assert volume is not None
        return verdict(bills, volume * factor)
    return verdict(with_quantity(bills, flip.quantity, factor), volume)


def sides(bills: Bills, volume: float | None, flip: Flip, *, better: bool) -> tuple[Verdict, ...]:
    """Return the verdicts one part in 10^9 before the value and beyond it."""
    if flip.quantity is Quantity.VOLUME:
        up = flip.factor > 1
    else:
        up = better is not (flip.quantity is Quantity.NODE_PRICE)
    before, beyond = (1 - PART, 1 + PART) if up else (1 + PART, 1 - PART)
    return tuple(verdict_after(bills, volume, flip, flip.factor * side) for side in (before, beyond))


@settings(max_examples=300)
@given(exact_stacks(most_levels=4, capped=None, ratios=ANY_RATIOS))
def test_a_refusal_ends_exactly_at_each_of_its_flip_distances(stack: ExactStack):
    bills = stack.bills()
    outcome = break_even(bills)
    assume(outcome.verdict in NEVER_BREAKS_EVEN)

    for flip in flips(bills, outcome, volume=None):
        if flip.quantity is Quantity.MAX_NODES:
            continue  # whole nodes: see the next law
        before, beyond = sides(bills, None, flip, better=True)
        assert before in NEVER_BREAKS_EVEN, f"{flip} is not needed: {before} before it"
        assert beyond is Verdict.FINITE, f"{flip} is not enough: {beyond} beyond it"


@settings(max_examples=300)
@given(exact_stacks(most_levels=4, capped=None), st.integers(1, 60))
def test_a_verdict_at_a_volume_changes_exactly_at_each_of_its_flip_distances(
    stack: ExactStack, twentieths: int
):
    bills = stack.bills()
    outcome = break_even(bills)
    assume(outcome.verdict is Verdict.FINITE)
    assert outcome.first is not None
    volume = outcome.first * twentieths / 20
    assume(outcome.capacity is None or volume <= outcome.capacity)
    now = verdict(bills, volume)

    for flip in flips(bills, outcome, volume=volume):
        loses = now is Verdict.BELOW_BREAK_EVEN
        before, beyond = sides(bills, volume, flip, better=loses)
        assert before is now, f"{flip} is not needed: {before} before it"
        assert (beyond is Verdict.WINS) == loses, f"{flip} is not enough: {beyond} beyond it"
