"""One model of a stack, as numbers: what it runs on, serves, uses and costs."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

from gate.costs import HOSTED, NODES, CostItem, OwnCosts, own_costs
from gate.economics.bills import Bills, Need, Pool
from gate.economics.units import HOURS_PER_MONTH, SECONDS_PER_MONTH, whole
from gate.hosted import HostedRate, hosted_rate
from gate.nodes import NodePlan, plan_nodes
from gate.throughput import Throughput, throughput
from gate.usage import Origin, Usage, at_ceiling, usage
from stacks.errors import Place
from stacks.pool import Autoscaled
from stacks.purchase import Committed
from stacks.stack import ServedModel
from stacks.target import Target

UTILIZATION_TOLERANCE = 0.1
"""A declared utilization may differ so much from the one that volume and replicas imply."""


class ModelCase(NamedTuple):
    """Everything the decision about one model is made of."""

    model: ServedModel
    place: Place
    nodes: NodePlan
    served: Throughput
    used: Usage
    rate: HostedRate
    costs: OwnCosts
    bills: Bills
    """The bills of this model alone; a unit of volume is its declared month."""

    @property
    def node_item(self) -> CostItem:
        """Return the nodes as a line of the bill, commitments included."""
        nodes, mean = self.nodes, self.bills.pools[0].nodes(1.0)
        price, committed = nodes.price, nodes.committed
        basis = f"{mean:.2f} x {nodes.node} at {price.usd_per_hour:g} USD/h, {price.label}, {price.checked}"
        if nodes.overhead_fraction:
            basis += f"; {nodes.overhead_fraction:.1%} more for interruptions"
        if committed and isinstance(self.model.pool.purchase, Committed):
            count = self.model.pool.purchase.committed_nodes
            basis += f"; {count} of them at {committed.usd_per_hour:g} USD/h, {committed.label}"
        amount = mean * nodes.node_usd_per_month + nodes.commitment_usd_per_month
        return CostItem(group=NODES, name=self.model.name, usd_per_month=amount, basis=basis)

    @property
    def hosted_item(self) -> CostItem:
        """Return the tokens as a line of the hosted bill."""
        tariff, rate = self.rate.tariff, self.bills.hosted_usd / self.tokens_per_month * 1e6
        basis = (
            f"{self.tokens_per_month / 1e9:,.4g} B tokens x {rate:.4g} USD/Mtok: {self.rate.name}, "
            f"input {tariff.input_usd_per_mtok:g}, cached {tariff.cached_input_usd_per_mtok:g}, "
            f"output {tariff.output_usd_per_mtok:g}, {tariff.checked}"
        )
        return CostItem(
            group=HOSTED, name="tokens", usd_per_month=self.bills.hosted_usd, basis=basis
        )

    @property
    def replicas_at_volume(self) -> int:
        """Return the replicas that run when nothing scales them: the peak's, or an autoscaler's floor."""
        pool = self.model.pool
        if isinstance(pool.scaling, Autoscaled):
            return max(1, pool.replicas.min)
        peak = self.bills.pools[0].peak_nodes(1.0) * self.nodes.replicas_per_node
        return min(peak, pool.replicas.max)

    @property
    def tokens_per_month(self) -> float:
        """Return the declared volume."""
        return self.model.workload.tokens_per_month

    @property
    def implied_utilization(self) -> float | None:
        """Return what volume and replicas imply, where a stack declares all four of them."""
        return _implied_utilization(self.model, self.used)


def model_case(
    model: ServedModel,
    place: Place,
    *,
    target: Target,
    shadow: bool,
    engineer_usd_per_hour: float,
    folder: Path,
    as_of: date,
) -> ModelCase:
    """Return the case of one model.

    Raises:
        InputError: a name is unknown or a file cannot be read.
    """
    nodes = plan_nodes(model.pool, place.at("pool"), target=target, as_of=as_of)
    served = throughput(model, nodes, place)
    share = model.workload.input_share
    rate = hosted_rate(model.hosted, place.at("hosted"), input_share=share, as_of=as_of)
    costs = own_costs(model, nodes, place, engineer_usd_per_hour=engineer_usd_per_hour, as_of=as_of)
    used = _used(model, place, nodes, served.tokens_per_second, folder=folder, shadow=shadow)
    return ModelCase(
        model=model,
        place=place,
        nodes=nodes,
        served=served,
        used=used,
        rate=rate,
        costs=costs,
        bills=_bills(model, nodes, used, rate, costs, shadow=shadow),
    )


def _used(
    model: ServedModel,
    place: Place,
    nodes: NodePlan,
    tokens_per_second: float,
    *,
    folder: Path,
    shadow: bool,
) -> Usage:
    per_node = nodes.replicas_per_node
    if shadow:
        return at_ceiling(tokens_per_second=tokens_per_second, replicas_per_node=per_node)
    return usage(
        model.workload,
        model.pool,
        place,
        tokens_per_second=tokens_per_second,
        replicas_per_node=per_node,
        folder=folder,
    )


def _implied_utilization(model: ServedModel, used: Usage) -> float | None:
    replicas = model.pool.replicas
    if used.origin not in (Origin.EVIDENCE, Origin.ASSUMPTION) or replicas.min != replicas.max:
        return None
    possible = replicas.min * used.saturated_tokens_per_second * SECONDS_PER_MONTH
    return model.workload.tokens_per_month / possible


def agree(declared: float, implied: float) -> bool:
    """Return whether a utilization is the implied one, but for the noise of its measurement."""
    return abs(implied - declared) <= UTILIZATION_TOLERANCE * implied


def _needs(model: ServedModel, nodes: NodePlan, used: Usage) -> tuple[Need, ...]:
    """Return the nodes for the declared month; where all is declared, those that are declared."""
    implied = _implied_utilization(model, used)
    if implied is not None and agree(used.utilization, implied):
        return (Need(model.pool.replicas.min / nodes.replicas_per_node, 1),)
    tokens = model.workload.tokens_per_month
    return tuple(Need(need.nodes_per_unit * tokens, need.intervals) for need in used.needs)


def _bills(
    model: ServedModel,
    nodes: NodePlan,
    used: Usage,
    rate: HostedRate,
    costs: OwnCosts,
    *,
    shadow: bool,
) -> Bills:
    pool = nodes.pool(_needs(model, nodes, used))
    # A shadow's cap is there to measure cheaply; it says nothing about the deployment that follows.
    pool = pool._replace(max_nodes=None) if shadow else pool
    mtok = model.workload.tokens_per_month / 1e6
    return Bills(
        hosted_usd=(rate.usd_per_mtok + costs.hosted_marginal_usd_per_mtok) * mtok,
        marginal_usd=costs.marginal_usd_per_mtok * mtok,
        fixed_usd=costs.fixed_usd,
        hosted_fixed_usd=costs.hosted_fixed_usd,
        node_fixed_usd=costs.node_fixed_usd,
        pools=(pool,),
    )


def whole_bills(cases: tuple[ModelCase, ...], *, shared_usd: float) -> Bills:
    """Return the bills of the stack; a unit of volume is the declared month of all its models."""
    bills = [case.bills for case in cases]
    pools: tuple[Pool, ...] = tuple(pool for each in bills for pool in each.pools)
    return Bills(
        hosted_usd=sum(each.hosted_usd for each in bills),
        marginal_usd=sum(each.marginal_usd for each in bills),
        fixed_usd=shared_usd + sum(each.fixed_usd for each in bills),
        node_fixed_usd=sum(each.node_fixed_usd for each in bills),
        hosted_fixed_usd=sum(each.hosted_fixed_usd for each in bills),
        pools=pools,
    )


def _full_nodes_usd(nodes: NodePlan) -> float:
    """Return USD a month of a full pool; where more may run for a while, or is reserved, of all of it."""
    at_ceiling = nodes.ceiling_usd_per_hour * HOURS_PER_MONTH
    return max(nodes.node_usd_per_month * whole(nodes.max_nodes), at_ceiling)


def full_cost_until(cases: tuple[ModelCase, ...], shared_usd: float, hours: float) -> float:
    """Return what the stack can cost at most in so many hours: all nodes, all tokens, all that is fixed."""
    months = hours / HOURS_PER_MONTH
    nodes = sum(_full_nodes_usd(case.nodes) for case in cases)
    own = sum(case.costs.fixed_usd + case.bills.marginal_usd for case in cases)
    return months * (nodes + own + shared_usd)
