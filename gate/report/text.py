"""The decision table: plain text, 80 columns, no colour, the same in a terminal and in a CI log."""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from gate.ceiling import Most, ceiling, ceiling_usd_per_hour, quotas
from gate.constraints import ConstraintStatus
from gate.costs import (
    AWS,
    ESCALATION,
    HOSTED,
    INFRASTRUCTURE,
    MODEL_UPDATES,
    NODES,
    OTHER,
    PEOPLE,
    CostItem,
    total,
)
from gate.decision import Decision, Outcome
from gate.findings import Finding, Level
from gate.report.words import MEANING, flip_rows, percent, tokens, usd
from gate.verdict import NEVER_BREAKS_EVEN

WIDTH = 80
_LABEL = 34
_AMOUNT = 13


def text(decision: Decision) -> str:
    """Return the whole decision."""
    sections = [
        _head(decision),
        _bill("self-hosted, USD/month", _self_hosted(decision), decision.whole.self_hosted_usd),
        _bill("hosted, USD/month", _hosted(decision), decision.whole.hosted_usd),
        _figures(decision),
        *([_models(decision)] if len(decision.models) > 1 else []),
        _flips(decision),
        _constraints(decision.constraints),
        _noticed(decision),
    ]
    return "\n\n".join("\n".join(section) for section in map(list, sections) if section)


def _head(decision: Decision) -> Iterator[str]:
    yield f"break-even decision of {decision.file}, as of {decision.as_of}"
    verdict = f"VERDICT: {decision.verdict.value} - {MEANING[decision.verdict]}"
    yield from textwrap.wrap(verdict, WIDTH, subsequent_indent=" " * 9)
    yield f"         deploying is {'allowed' if decision.allowed else 'REFUSED'}"
    if shadow := decision.stack.shadow:
        yield f"         a shadow: ends {shadow.ends}, may cost {usd(shadow.spending_cap_usd)} USD until then"
    yield from _findings(decision.findings, Level.BLOCKING)


Line = tuple[str, CostItem]
"""A cost under the heading it is shown below."""


def _self_hosted(decision: Decision) -> Iterator[Line]:
    for case in decision.cases:
        yield case.node_item.group, case.node_item
    for item in decision.shared:
        yield item.group, item
    yield from _own(decision, [case.costs.items for case in decision.cases])


def _hosted(decision: Decision) -> Iterator[Line]:
    items = [(case.hosted_item, *case.costs.hosted_items) for case in decision.cases]
    yield from _own(decision, items)


def _own(decision: Decision, items: Iterable[tuple[CostItem, ...]]) -> Iterator[Line]:
    """Yield what each model alone causes, under its name where there are several."""
    for case, of_model in zip(decision.cases, items, strict=True):
        for item in of_model:
            named = f"{item.group} of {case.model.name}"
            yield named if len(decision.cases) > 1 else item.group, item


def _bill(title: str, lines: Iterable[Line], amount: float) -> Iterator[str]:
    """Yield a bill, a line a cost under its heading."""
    yield title
    ordered = sorted(lines, key=lambda line: _GROUPS.index(line[1].group))
    for heading, below in groupby(ordered, key=lambda line: line[0]):
        items = [item for _, item in below]
        yield f"  {heading}"
        for item in items:
            yield from _cost(item)
        if items[0].group == AWS:
            yield _sum("    in all", total(items))
    yield _sum("  total", amount)


def _sum(label: str, amount: float) -> str:
    return f"{label:<{_LABEL}}{usd(amount).rjust(_AMOUNT)}"


_GROUPS = (NODES, PEOPLE, INFRASTRUCTURE, AWS, MODEL_UPDATES, ESCALATION, OTHER, HOSTED)


def _cost(item: CostItem) -> Iterator[str]:
    label = f"    {item.name.replace('_', ' ')}"
    room = WIDTH - _LABEL - _AMOUNT - 2
    first, *more = textwrap.wrap(item.basis, room, break_on_hyphens=False) or [""]
    yield f"{label:<{_LABEL}}{usd(item.usd_per_month).rjust(_AMOUNT)}  {first}".rstrip()
    for line in more:
        yield " " * (_LABEL + _AMOUNT + 2) + line


def _figures(decision: Decision) -> Iterator[str]:
    whole, crossing = decision.whole, decision.whole.break_even
    unit = whole.tokens_per_month
    yield "where the bills cross"
    for case in decision.cases:
        used = case.used
        peak = f", peak/mean {used.peak_to_mean:.3g}" if used.peak_to_mean else ""
        burst = f", burst x {used.burst_factor:.3g}" if used.burst_factor else ""
        known = f"{percent(used.utilization)}{peak}{burst} - {used.origin.value}: {used.detail}"
        yield from _row(f"utilization of {case.model.name}", known)
        yield from _row(
            "  throughput",
            f"{case.served.tokens_per_second:,.0f} tokens/s a replica,"
            f" {case.served.of_ideal:.2f} of the roofline",
        )
    yield from _row("self-hosted", _per_mtok(whole.self_hosted_usd, unit))
    yield from _row("  of that, full nodes (c/u + v)", _per_mtok(whole.bills.floor_usd, unit))
    yield from _row("hosted", _per_mtok(whole.hosted_usd, unit))
    within = crossing.first is not None and whole.verdict not in NEVER_BREAKS_EVEN
    yield from _row(
        "break-even V*", tokens(crossing.first * unit) if within and crossing.first else "none"
    )
    yield from _row("never loses from V_safe", tokens(crossing.safe and crossing.safe * unit))
    yield from _row("loss windows above V*", _windows(whole))
    yield from _row("declared volume", tokens(unit))
    yield from _capacity(whole)
    yield from _ceiling(decision)
    yield from _row("set-up cost", f"{usd(decision.set_up_usd)} USD, {_payback(decision)}")


_LISTED_WINDOWS = 4


def _windows(whole: Outcome) -> str:
    unit, crossing = whole.tokens_per_month, whole.break_even
    listed = crossing.loss_windows[:_LISTED_WINDOWS]
    shown = [f"{tokens(low * unit)} to {tokens(high * unit)}" for low, high in listed]
    more = crossing.loss_window_count - len(shown)
    return "; ".join([*shown, *([f"{more} more"] if more else [])]) or "none"


def _capacity(whole: Outcome) -> Iterator[str]:
    capacity = whole.break_even.capacity
    if capacity is None:
        yield from _row("capacity", "not limited in a shadow's judgement")
        return
    yield from _row("capacity at the cap", tokens(capacity * whole.tokens_per_month))
    yield from _row("headroom at this volume", percent(capacity - 1))


def _ceiling(decision: Decision) -> Iterator[str]:
    nodes = [_most(each) for each in ceiling(decision)]
    at_most = f"at most {usd(ceiling_usd_per_hour(decision))} USD an hour: {' + '.join(nodes)}"
    yield from _row("approved ceiling", at_most)
    needed = [f"{name}: {vcpus:,} vCPUs" for name, vcpus in quotas(decision).items()]
    if needed:
        yield from _row("service quotas to have", "; ".join(needed))


def _most(most: Most) -> str:
    beyond = f" ({most.over_nodes} more for minutes)" if most.over_nodes else ""
    return f"{most.nodes} x {most.name}, {most.kind.replace('_', ' ')}{beyond}"


def _payback(decision: Decision) -> str:
    month = decision.payback.month
    horizon = decision.stack.gate.horizon_months
    return f"paid back in month {month}" if month else f"not paid back in {horizon} months"


def _per_mtok(usd_per_month: float, unit: float) -> str:
    return f"{usd_per_month / unit * 1e6:.4f} USD/Mtok"


def _models(decision: Decision) -> Iterator[str]:
    yield "each model on what it alone causes"
    for outcome in decision.models:
        difference = outcome.hosted_usd - outcome.self_hosted_usd
        saved = f"saves {usd(difference)}" if difference > 0 else f"costs {usd(-difference)} more"
        yield from _row(outcome.name, f"{outcome.verdict.value}, {saved} USD/month")


def _flips(decision: Decision) -> list[str]:
    rows = flip_rows(decision)
    if not rows:
        return []
    lines = ["the verdict would change at (each alone)"]
    return lines + [line for label, value in rows for line in _row(label, value)]


def _constraints(statuses: Iterable[ConstraintStatus]) -> Iterator[str]:
    for status in statuses:
        constraint = status.constraint
        state = "stands" if status.stands else "does NOT stand: " + "; ".join(status.reasons)
        about = f"hard constraint: {constraint.category} of {', '.join(constraint.models)}"
        yield from textwrap.wrap(about, WIDTH, subsequent_indent="  ")
        yield from _row("state", state)
        yield from _row("statement", constraint.statement)
        yield from _row("evidence", constraint.evidence)
        yield from _row("approver", f"{constraint.approver}, {constraint.approved_on}")
        yield from _row("expires", f"{constraint.expires}")
        yield from _row("ticket", constraint.ticket)
        yield from _row("premium", f"{usd(status.premium_usd_per_month)} USD/month")
        if status.note:
            yield from _row("note", status.note)


def _noticed(decision: Decision) -> list[str]:
    lines = list(_findings(decision.findings, Level.ADVISORY))
    return ["findings", *lines] if lines else []


def _findings(findings: Iterable[Finding], level: Level) -> Iterator[str]:
    for finding in findings:
        if finding.level is not level:
            continue
        problem = finding.problem
        body = f"{level.value}: {problem.field}: found {problem.found}; allowed: {problem.allowed}; remedy: {problem.remedy}"
        yield from textwrap.wrap(body, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _row(label: str, value: str) -> list[str]:
    """Return a labelled value, wrapped under itself."""
    head = f"  {label:<{_LABEL - 2}}"
    gap = "" if head.endswith(" ") else " "
    return textwrap.wrap(
        value,
        WIDTH,
        initial_indent=head + gap,
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
    ) or [head.rstrip()]
