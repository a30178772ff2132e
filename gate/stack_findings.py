"""What is noticed about a stack as a whole: the ages of its facts, a shadow's limits, its growth."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Final

from gate import facts
from gate.aws_findings import aws_findings
from gate.aws_nodes import system_nodes
from gate.case import ModelCase, full_cost_until
from gate.case_findings import case_findings
from gate.cold_start import cold_start
from gate.costs import cost_lines
from gate.economics.payback import Payback
from gate.economics.units import HOURS_PER_MONTH
from gate.findings import Finding, advisory, blocking, of_age
from gate.verdict import Verdict
from stacks.errors import Place
from stacks.stack import Shadow, Stack

SHADOW_MAX_DAYS: Final = 30
"""A shadow measures for about a week; a month holds a repeat."""


def stack_findings(
    stack: Stack, root: Place, cases: tuple[ModelCase, ...], shared_usd: float, as_of: date
) -> Iterator[Finding]:
    """Yield everything that was noticed about the stack and its models."""
    for group in ("people", "infrastructure"):
        here = root.at(f"operations.{group}")
        yield from _cost_findings(getattr(stack.operations, group), here, as_of=as_of)
    for case in cases:
        own = case.place
        yield from _cost_findings(case.model.costs, own.at("costs"), as_of=as_of)
        hosted = case.model.hosted.operations
        yield from _cost_findings(hosted, own.at("hosted.operations"), as_of=as_of)
        cold = cold_start(case.model, stack.target)
        yield from case_findings(case, cold, as_of=as_of)
    yield from aws_findings(stack, [case.nodes for case in cases], root, as_of)
    yield from _approvals(stack, root, as_of=as_of)
    if stack.shadow is not None:
        system = system_nodes(stack, root, as_of=as_of)
        over_usd = system.over_usd_per_hour * HOURS_PER_MONTH if system else 0.0
        full = partial(full_cost_until, cases, shared_usd + over_usd)
        yield from _shadow_findings(stack.shadow, root.at("shadow"), full, as_of)


def _shadow_findings(
    shadow: Shadow, here: Place, cost_until: Callable[[float], float], as_of: date
) -> Iterator[Finding]:
    """Yield what is wrong with a shadow's end and cap; `cost_until` tells its USD in so many hours."""
    ends = shadow.ends
    days = (ends - as_of).days
    if days < 0 or days > SHADOW_MAX_DAYS:
        yield blocking(
            here.at("ends"),
            found=f"{ends}, {'passed' if days < 0 else f'{days} days away'}",
            allowed=f"{as_of} and up to {SHADOW_MAX_DAYS} days after",
            remedy="take the shadow down and declare what it measured, or give it a nearer end",
        )
    most = cost_until(max(0, days + 1) * 24)
    if most > shadow.spending_cap_usd:
        yield blocking(
            here.at("spending_cap_usd"),
            found=f"{shadow.spending_cap_usd:,.0f}",
            allowed=f"from {most:,.0f}, what it can cost until {ends}",
            remedy="raise the cap, end it earlier, or measure on fewer nodes",
        )


def growth_findings(root: Place, result: Payback, verdict: Verdict) -> Iterator[Finding]:
    """Yield what the declared growth runs into."""
    if result.full_in_month is not None and result.full_in_month > 1:
        yield advisory(
            root.at("models"),
            found=f"growth that fills the pools in month {result.full_in_month}",
            allowed="pools that hold the volume over gate.horizon_months",
            remedy="raise pool.replicas.max, or plan a new decision by then",
        )
    if result.losing_months and verdict is Verdict.WINS:
        first, last = result.losing_months[0], result.losing_months[-1]
        yield advisory(
            root.at("gate.horizon_months"),
            found=f"{len(result.losing_months)} months in which self-hosting is not cheaper ({first} to {last})",
            allowed="cheaper in each month of the horizon",
            remedy="see the loss windows; a volume between replica steps can lose again",
        )


def _approvals(stack: Stack, root: Place, *, as_of: date) -> Iterator[Finding]:
    """Yield approvals that nobody can have given yet."""
    for index, constraint in enumerate(stack.constraints):
        if constraint.approved_on > as_of:
            yield blocking(
                root.at(f"constraints[{index}].approved_on"),
                found=f"{constraint.approved_on}, a day in the future",
                allowed=f"up to {as_of}",
                remedy="write down the day on which it was approved",
            )


def _cost_findings(lines: object, place: Place, *, as_of: date) -> Iterator[Finding]:
    """Yield what the ages of the facts in a group of cost lines call for."""
    limit = facts.max_age_days("infrastructure_price")
    for name, line in cost_lines(lines):
        if line.fact is not None:
            checked = facts.operations_price(line.fact, as_of=as_of).source.checked
            here = place.at(f"{name}.fact")
            yield from of_age(here, checked=checked, as_of=as_of, max_age_days=limit)
