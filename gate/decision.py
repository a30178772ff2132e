"""The decision about a stack: declared inputs and dated facts in, verdict and every figure out."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from gate.aws_costs import aws_items
from gate.aws_nodes import SystemNodes, system_nodes
from gate.case import ModelCase, model_case, whole_bills
from gate.constraints import ConstraintStatus, status
from gate.costs import CostItem, shared_items, total
from gate.economics.bills import Bills
from gate.economics.break_even import BreakEven, break_even
from gate.economics.flips import Flip, flips, verdict_at
from gate.economics.payback import Payback, Stream, payback
from gate.economics.pieces import TooFineError
from gate.findings import Finding, Level
from gate.inputs_hash import inputs_hash
from gate.stack_findings import growth_findings, stack_findings
from gate.verdict import Verdict, exit_code
from stacks.errors import InputError, Place, Problem
from stacks.stack import Stack

MODEL_VERSION: Final = "2"
"""Raised when the same inputs may lead to another verdict; in the record of each decision."""


class Outcome(NamedTuple):
    """Where the bills of a model, or of the whole stack, cross, and which side the volume is on."""

    name: str
    verdict: Verdict
    bills: Bills
    """A unit of volume is the declared month."""
    break_even: BreakEven
    flips: tuple[Flip, ...]
    tokens_per_month: float

    @property
    def self_hosted_usd(self) -> float:
        """Return S at the declared volume."""
        return self.bills.self_hosted(1.0)

    @property
    def hosted_usd(self) -> float:
        """Return H at the declared volume."""
        return self.bills.hosted(1.0)

    @property
    def premium_usd(self) -> float:
        """Return what self-hosting costs more a month; 0 where it does not."""
        return max(0.0, self.self_hosted_usd - self.hosted_usd)


class Decision(NamedTuple):
    """What the gate says of a stack."""

    verdict: Verdict
    file: str
    as_of: date
    stack: Stack
    cases: tuple[ModelCase, ...]
    models: tuple[Outcome, ...]
    """Each model on what it alone causes."""
    whole: Outcome
    """The stack, with what its models share."""
    shared: tuple[CostItem, ...]
    """What is declared of it, then what target eks makes."""
    payback: Payback
    set_up_usd: float
    findings: tuple[Finding, ...]
    constraints: tuple[ConstraintStatus, ...]
    inputs_hash: str

    @property
    def exit_code(self) -> int:
        """Return 0 where deploying is allowed, 1 where it is refused, 2 where it cannot be judged."""
        return exit_code(self.verdict, refuse_below_break_even=self.refuses_below)

    @property
    def allowed(self) -> bool:
        """Return whether the stack may be deployed."""
        return self.exit_code == 0

    @property
    def blocking(self) -> list[Problem]:
        """Return what makes judging impossible; without any there is a verdict."""
        return [each.problem for each in self.findings if each.level is Level.BLOCKING]

    @property
    def system_nodes(self) -> SystemNodes | None:
        """Return the nodes of everything but the engines; None where the target makes none."""
        return system_nodes(self.stack, Place(self.file), as_of=self.as_of)

    @property
    def refuses_below(self) -> bool:
        """Return whether the stack wants `below_break_even` refused."""
        return _refuses_below(self.stack)


def decide(stack: Stack, *, file: str, folder: Path, as_of: date) -> Decision:
    """Return the decision about a stack, as of a day; `folder` is where the files it names lie.

    Raises:
        InputError: a name is unknown or a file cannot be read; all of them at once.
    """
    root = Place(file, "")
    declared = shared_items(stack.operations, root.at("operations"), as_of=as_of)
    cases = tuple(_cases(stack, root, folder, as_of))
    shared = (*declared, *aws_items(stack, [case.nodes for case in cases], root, as_of))
    models = tuple(_outcome(c.model.name, c.bills, c.tokens_per_month, c.place) for c in cases)
    tokens = sum(case.tokens_per_month for case in cases)
    whole = _outcome("stack", whole_bills(cases, shared_usd=total(shared)), tokens, root)
    hashed = inputs_hash(stack, [case.used.inputs for case in cases])
    constraints = tuple(_statuses(stack, models, whole, hashed, as_of))
    findings = tuple(stack_findings(stack, root, cases, total(shared), as_of))
    paid, set_up_usd = _payback(stack, cases, total(shared))
    return Decision(
        verdict=_verdict(stack, models, whole, constraints, findings),
        file=file,
        as_of=as_of,
        stack=stack,
        cases=cases,
        models=models,
        whole=whole,
        shared=shared,
        payback=paid,
        set_up_usd=set_up_usd,
        findings=(*findings, *growth_findings(root, paid, whole.verdict)),
        constraints=constraints,
        inputs_hash=hashed,
    )


def _cases(stack: Stack, root: Place, folder: Path, as_of: date) -> Iterator[ModelCase]:
    problems: list[Problem] = []
    for index, model in enumerate(stack.models):
        try:
            yield model_case(
                model,
                root.at(f"models[{index}]"),
                target=stack.target,
                shadow=stack.shadow is not None,
                engineer_usd_per_hour=stack.operations.engineer_usd_per_hour,
                folder=folder,
                as_of=as_of,
            )
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)


def _outcome(name: str, bills: Bills, tokens: float, place: Place) -> Outcome:
    try:
        result = break_even(bills)
        moves = flips(bills, result, volume=1.0)
    except TooFineError as error:
        raise place.error(
            found=f"bills that {error}",
            allowed="pools small enough to be judged exactly",
            remedy="lower pool.replicas.max",
        ) from None
    return Outcome(
        name=name,
        verdict=verdict_at(bills, result, 1.0),
        bills=bills,
        break_even=result,
        flips=moves,
        tokens_per_month=tokens,
    )


def premium_of(names: Iterable[str], models: Iterable[Outcome], whole: Outcome) -> float:
    """Return what self-hosting the named models costs more a month than their comparators.

    The costs that the models share count as far as what the other models save does not pay for them;
    for all models together it is the whole stack's premium.
    """
    named, everyone = set(names), list(models)
    losses = {model.name: model.self_hosted_usd - model.hosted_usd for model in everyone}
    shared = whole.self_hosted_usd - sum(model.self_hosted_usd for model in everyone)
    carried = sum(max(0.0, -loss) for name, loss in losses.items() if name not in named)
    own = sum(loss for name, loss in losses.items() if name in named)
    return max(0.0, own + max(0.0, shared - carried))


def _statuses(
    stack: Stack, models: tuple[Outcome, ...], whole: Outcome, hashed: str, as_of: date
) -> Iterator[ConstraintStatus]:
    for constraint in stack.constraints:
        premium = premium_of(constraint.models, models, whole)
        yield status(constraint, inputs_hash=hashed, premium_usd_per_month=premium, as_of=as_of)


def _verdict(
    stack: Stack,
    models: tuple[Outcome, ...],
    whole: Outcome,
    constraints: tuple[ConstraintStatus, ...],
    findings: tuple[Finding, ...],
) -> Verdict:
    """Return the verdict, in the precedence of docs/model.md#verdicts."""
    if any(each.level is Level.BLOCKING for each in findings):
        return Verdict.INDETERMINATE
    named = {name for each in constraints if each.stands for name in each.constraint.models}
    infinite = {model.name for model in models if model.verdict is Verdict.INFINITE}
    if infinite - named:
        return Verdict.INFINITE
    below = _refuses_below(stack)
    # A shadow exists to measure: only if even its ceiling never breaks even is there no point in it.
    if stack.shadow is None and exit_code(whole.verdict, refuse_below_break_even=below):
        losing = {m.name for m in models if exit_code(m.verdict, refuse_below_break_even=below)}
        return Verdict.MANDATED if named and losing <= named else whole.verdict
    return Verdict.MANDATED if infinite else whole.verdict


def _refuses_below(stack: Stack) -> bool:
    """Return whether `below_break_even` is refused; a shadow is refused for `infinite` alone."""
    return stack.gate.on_below_break_even == "refuse" and stack.shadow is None


def _payback(
    stack: Stack, cases: tuple[ModelCase, ...], shared_usd: float
) -> tuple[Payback, float]:
    set_up = stack.operations.set_up
    set_up_usd = set_up.usd + set_up.hours * stack.operations.engineer_usd_per_hour
    streams = [
        Stream(
            bills=case.bills,
            volume=1.0,
            growth_per_month=case.model.workload.growth_per_month,
        )
        for case in cases
    ]
    result = payback(
        streams,
        shared_usd=shared_usd,
        set_up_usd=set_up_usd,
        horizon_months=stack.gate.horizon_months,
    )
    return result, set_up_usd
