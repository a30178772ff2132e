"""How figures and verdicts are written, wherever they appear."""

from gate.decision import Decision
from gate.economics.flips import Flip, Quantity
from gate.verdict import Verdict

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
    """Return what would have to change for another verdict, each alone, and to which value."""
    outcome = decision.whole
    rows = []
    for flip in outcome.flips:
        rows.append((_LABELS[flip.quantity], _flip_value(flip, decision)))
        if flip.quantity is Quantity.THROUGHPUT and len(decision.cases) == 1:
            rows.append(("utilization", _utilization(flip, decision)))
    return rows


_LABELS = {
    Quantity.HOSTED_PRICE: "hosted price",
    Quantity.NODE_PRICE: "node price",
    Quantity.THROUGHPUT: "throughput",
    Quantity.VOLUME: "volume",
    Quantity.MAX_NODES: "replica cap",
}


def _flip_value(flip: Flip, decision: Decision) -> str:
    """Return the value where the verdict changes; for several models a factor on all of them."""
    if flip.quantity is Quantity.VOLUME:
        now = decision.whole.tokens_per_month
        return f"{tokens(now * flip.factor)} tokens/month (now {tokens(now)})"
    if len(decision.cases) > 1:
        return f"x {flip.factor:.6g}, all models alike"
    case = decision.cases[0]
    now, unit = {
        Quantity.HOSTED_PRICE: (case.bills.hosted_usd / case.tokens_per_month * 1e6, "USD/Mtok"),
        Quantity.NODE_PRICE: (case.nodes.price.usd_per_hour, "USD a node-hour"),
        Quantity.THROUGHPUT: (case.served.tokens_per_second, "tokens/s a replica"),
        Quantity.MAX_NODES: (float(case.model.pool.replicas.max), "replicas"),
    }[flip.quantity]
    return f"{now * flip.factor:,.6g} {unit} (now {now:,.6g})"


def _utilization(flip: Flip, decision: Decision) -> str:
    """Return a throughput flip told as a utilization: both move u = U T q alike."""
    now = decision.cases[0].used.utilization
    value = now * flip.factor
    if value > 1:
        return f"not even 100 % would do (now {percent(now)})"
    return f"{percent(value)} (now {percent(now)})"
