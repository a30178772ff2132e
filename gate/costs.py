"""What self-hosting costs beside the nodes, and using the API beside its tokens: one item a line."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from typing import NamedTuple

from gate import facts
from gate.economics.units import HOURS_PER_MONTH
from gate.hosted import Tariff, list_tariff
from gate.lookup import answering
from gate.nodes import NodePlan
from stacks import costs as declared
from stacks.errors import Place
from stacks.stack import ServedModel

NODES = "nodes"
PEOPLE = "people"
INFRASTRUCTURE = "infrastructure"
AWS = "aws"
MODEL_UPDATES = "model updates"
ESCALATION = "escalation"
OTHER = "other"
HOSTED = "hosted"


class CostItem(NamedTuple):
    """One line of a bill, USD a month at the declared volume."""

    group: str
    name: str
    usd_per_month: float
    basis: str
    """How the amount comes about, or why it is zero."""


class OwnCosts(NamedTuple):
    """What one model alone causes beside the nodes that serve it."""

    items: tuple[CostItem, ...]
    fixed_usd: float
    """USD a month whatever the volume and the price of a node."""
    node_fixed_usd: float
    """USD a month whatever the volume, in nodes: the second fleet of a roll-out, commitments."""
    marginal_usd_per_mtok: float
    """v: USD for a million tokens more."""
    hosted_marginal_usd_per_mtok: float
    """What the comparator would cost more for a million tokens: its share of escalations."""
    hosted_items: tuple[CostItem, ...]

    @property
    def hosted_fixed_usd(self) -> float:
        """Return USD a month of the hosted side whatever the volume."""
        return sum(item.usd_per_month for item in self.hosted_items)


def cost_item(
    group: str,
    name: str,
    line: declared.CostLine,
    place: Place,
    *,
    engineer_usd_per_hour: float,
    as_of: date,
) -> CostItem:
    """Return a declared line as an amount.

    Raises:
        InputError: the line names a fact that the gate does not have.
    """
    if line.hours_per_month is not None:
        amount = line.hours_per_month * engineer_usd_per_hour
        basis = f"{line.hours_per_month:g} h x {engineer_usd_per_hour:g} USD"
    elif line.fact is not None and line.quantity is not None:
        with answering(place.at("fact")):
            price = facts.operations_price(line.fact, as_of=as_of)
        return fact_item(group, name, line.quantity, price)
    elif line.usd_per_month is not None:
        amount, basis = line.usd_per_month, line.source or ""
    else:
        amount, basis = 0.0, line.zero_because or ""
    return CostItem(group=group, name=name, usd_per_month=amount, basis=basis)


def fact_item(
    group: str, name: str, quantity: float, price: facts.OperationsPrice, of_what: str = ""
) -> CostItem:
    """Return a quantity a month times a dated price; `of_what` says how the quantity comes about."""
    basis = f"{quantity:g} x {price.value:g} {price.unit} ({price.source.checked})"
    return CostItem(
        group=group,
        name=name,
        usd_per_month=quantity * price.value,
        basis=f"{of_what}: {basis}" if of_what else basis,
    )


def shared_items(
    operations: declared.Operations, place: Place, *, as_of: date
) -> tuple[CostItem, ...]:
    """Return what the models of a stack share, a line each; what is computed from target is elsewhere."""
    lines = [
        (PEOPLE, operations.people, place.at("people")),
        (INFRASTRUCTURE, operations.infrastructure, place.at("infrastructure")),
    ]
    return tuple(
        cost_item(
            group,
            name,
            line,
            here.at(name),
            engineer_usd_per_hour=operations.engineer_usd_per_hour,
            as_of=as_of,
        )
        for group, lines_of_group, here in lines
        for name, line in cost_lines(lines_of_group)
        if not line.from_target
    )


def cost_lines(lines: object) -> Iterator[tuple[str, declared.CostLine]]:
    """Yield the cost lines of a declared group, by name."""
    for name, line in vars(lines).items():
        if isinstance(line, declared.CostLine):
            yield name, line


def own_costs(
    model: ServedModel,
    nodes: NodePlan,
    place: Place,
    *,
    engineer_usd_per_hour: float,
    as_of: date,
) -> OwnCosts:
    """Return what one model alone causes.

    Raises:
        InputError: a fact or the frontier model is unknown.
    """
    costs, here = model.costs, place.at("costs")
    item = partial(cost_item, engineer_usd_per_hour=engineer_usd_per_hour, as_of=as_of)
    work, fleet = _updates(costs.model_updates, nodes, engineer_usd_per_hour)
    other = item(OTHER, "other", costs.other, here.at("other"))
    frontier = _frontier(model, here.at("escalation"), as_of)
    rates = list(_rates(costs, frontier))
    mtok = model.workload.tokens_per_month / 1e6
    moving = [line._replace(usd_per_month=line.usd_per_month * mtok) for line in rates]
    operations = place.at("hosted.operations")
    return OwnCosts(
        items=(work, fleet, *moving, other),
        fixed_usd=work.usd_per_month + other.usd_per_month,
        node_fixed_usd=fleet.usd_per_month + nodes.commitment_usd_per_month,
        marginal_usd_per_mtok=total(rates),
        hosted_marginal_usd_per_mtok=costs.escalation.hosted_fraction * frontier,
        hosted_items=tuple(
            item(HOSTED, name, line, operations.at(name))
            for name, line in cost_lines(model.hosted.operations)
        ),
    )


def _rates(costs: declared.OwnCosts, frontier: float) -> Iterator[CostItem]:
    """Yield what grows with the tokens, each as the amount for a million of them."""
    sent_on = costs.escalation.self_hosted_fraction * frontier
    why = _escalation_basis(costs.escalation, frontier)
    yield CostItem(group=ESCALATION, name="to the frontier model", usd_per_month=sent_on, basis=why)
    for name, line in {"egress": costs.egress, "trace_storage": costs.trace_storage}.items():
        rate = line.usd_per_mtok or 0.0
        yield CostItem(group=INFRASTRUCTURE, name=name, usd_per_month=rate, basis=_basis(line))


def _updates(
    updates: declared.ModelUpdates, nodes: NodePlan, engineer_usd_per_hour: float
) -> tuple[CostItem, CostItem]:
    """Return the treadmill: what people and evaluation cost, and the second fleet."""
    each = updates.hours_each * engineer_usd_per_hour + updates.evaluation_usd_each
    fleet_nodes = max(1, nodes.min_nodes)
    fleet = (
        fleet_nodes * updates.second_fleet_hours_each / HOURS_PER_MONTH * nodes.node_usd_per_month
    )
    a_month = updates.per_year / 12
    why = updates.zero_because or ""
    work = (
        f"{updates.per_year}/year x ({updates.hours_each:g} h x {engineer_usd_per_hour:g} USD"
        f" + {updates.evaluation_usd_each:g} USD)"
    )
    beside = (
        f"{updates.per_year}/year x {updates.second_fleet_hours_each:g} h x {fleet_nodes} nodes"
    )
    return (
        CostItem(group=MODEL_UPDATES, name="work", usd_per_month=a_month * each, basis=why or work),
        CostItem(
            group=MODEL_UPDATES,
            name="second_fleet",
            usd_per_month=a_month * fleet,
            basis=why or beside,
        ),
    )


def _frontier(model: ServedModel, place: Place, as_of: date) -> float:
    """Return USD per million tokens of this mix at the frontier model; 0 where nothing is escalated."""
    escalation = model.costs.escalation
    if escalation.provider is None or escalation.model is None:
        return 0.0
    tariff: Tariff = list_tariff(escalation.provider, escalation.model, place, as_of=as_of)
    return tariff.blend(input_share=model.workload.input_share, cached_input_fraction=0.0)


def _escalation_basis(escalation: declared.Escalation, frontier: float) -> str:
    if escalation.zero_because:
        return escalation.zero_because
    share = f"{escalation.self_hosted_fraction:.1%} of the tokens"
    return f"{share} at {frontier:.4g} USD/Mtok, {escalation.provider} {escalation.model}"


def _basis(line: declared.PerMtok) -> str:
    if line.usd_per_mtok is None:
        return line.zero_because or ""
    return f"{line.usd_per_mtok:g} USD/Mtok, {line.source}"


def total(items: Iterable[CostItem]) -> float:
    """Return the sum of the lines, USD a month."""
    return sum(item.usd_per_month for item in items)
