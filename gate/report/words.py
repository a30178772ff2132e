"""How figures and verdicts are written, wherever they appear."""

from collections.abc import Sequence

from gate.case import ModelCase
from gate.decision import Decision, Outcome
from gate.economics.flips import Flip, Quantity
from gate.verdict import NEVER_BREAKS_EVEN, Verdict

MEANING = {
    Verdict.INDETERMINATE: "it cannot be judged; see the blocking findings",
    Verdict.MANDATED: "refused on cost, and let through by a hard constraint",
    Verdict.INFINITE: "no volume makes self-hosting cheaper at this utilization",
    Verdict.BEYOND_CAP: "a break-even exists, but above what the stack's maximum can serve",
    Verdict.BELOW_BREAK_EVEN: "a break-even exists; the declared volume is not on its winning side",
    Verdict.WINS: "self-hosting is cheaper at the declared volume",
    Verdict.FINITE: "a break-even exists; no volume was given",
}

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def tokens(amount: float | None) -> str:
    """Return a number of tokens with four digits: 25.11 B."""
    if amount is None:
        return "none"
    for size, suffix in _SUFFIXES:
        if abs(amount) >= size:
            return f"{amount / size:.4g} {suffix}"
    return f"{amount:.4g}"


def usd(amount: float) -> str:
    """Return an amount to the cent; a rounded zero has no sign."""
    return f"{round(amount, 2) + 0.0:,.2f}"


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal."""
    return f"{share:.1%}"


def flip_rows(decision: Decision) -> list[tuple[str, str]]:
    """Return what would have to change for another verdict, each alone, and to which value.

    Where a model is refused in a stack that breaks even, it is that model's verdict; what cannot be
    judged has none to change.
    """
    if decision.verdict is Verdict.INDETERMINATE:
        return []
    if decision.verdict is Verdict.INFINITE and decision.whole.verdict not in NEVER_BREAKS_EVEN:
        return [
            (f"{label} of {model.name}", value)
            for model, case in zip(decision.models, decision.cases, strict=True)
            if model.verdict is Verdict.INFINITE
            for label, value in _rows(model, (case,))
        ]
    return _rows(decision.whole, decision.cases)


def _rows(outcome: Outcome, cases: Sequence[ModelCase]) -> list[tuple[str, str]]:
    rows = []
    for flip in outcome.flips:
        rows.append((_LABELS[flip.quantity], _flip_value(flip, outcome, cases)))
        if flip.quantity is Quantity.THROUGHPUT and len(cases) == 1:
            rows.append(("utilization", _utilization(flip, cases[0])))
    return rows


_LABELS = {
    Quantity.HOSTED_PRICE: "hosted price",
    Quantity.NODE_PRICE: "node price",
    Quantity.THROUGHPUT: "throughput",
    Quantity.VOLUME: "volume",
    Quantity.MAX_NODES: "replica cap",
}


def _exact(value: float) -> str:
    """Return a flip distance with 12 digits: put back in, it flips within one part in 10^9."""
    return f"{value:,.12g}"


def _flip_value(flip: Flip, outcome: Outcome, cases: Sequence[ModelCase]) -> str:
    """Return the value where the verdict changes; for several models a factor on all of them."""
    if flip.quantity is Quantity.VOLUME:
        now = outcome.tokens_per_month
        return f"{_exact(now * flip.factor)} tokens/month (now {tokens(now)})"
    if len(cases) > 1:
        return f"x {_exact(flip.factor)}, all models alike"
    case = cases[0]
    now, unit = {
        Quantity.HOSTED_PRICE: (case.bills.hosted_usd / case.tokens_per_month * 1e6, "USD/Mtok"),
        Quantity.NODE_PRICE: (case.nodes.price.usd_per_hour, "USD a node-hour"),
        Quantity.THROUGHPUT: (case.served.tokens_per_second, "tokens/s a replica"),
        Quantity.MAX_NODES: (float(case.model.pool.replicas.max), "replicas"),
    }[flip.quantity]
    value, ideal = now * flip.factor, case.served.ideal_tokens_per_second
    too_fast = flip.quantity is Quantity.THROUGHPUT and value > ideal
    limit = f"; the roofline is {ideal:,.0f}" if too_fast else ""
    return f"{_exact(value)} {unit} (now {now:,.6g}{limit})"


def _utilization(flip: Flip, case: ModelCase) -> str:
    """Return a throughput flip told as a utilization: both move u = U T q alike."""
    now = case.used.utilization
    value = now * flip.factor
    if value > 1:
        return f"not even 100 % would do (now {percent(now)})"
    return f"{_exact(value * 100)} % (now {percent(now)})"
