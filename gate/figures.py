"""What the parts that are deployed have to know of a decision, model by model."""

from typing import NamedTuple

from gate.costs import total
from gate.decision import Decision
from gate.economics.units import HOURS_PER_MONTH, MTOK
from gate.nodes import NodePlan
from gate.purchases import NodeGroup


class Nodes(NamedTuple):
    """The cloud's nodes of one model: all that may be bought."""

    instance_type: str
    gpu: str
    """As in the gate's facts, e.g. h100-sxm-80gb."""
    gpus_per_node: int
    vcpus: int
    memory_gib: float
    groups: tuple[NodeGroup, ...]


class Figures(NamedTuple):
    """One model of a decision; shared costs are divided by tokens."""

    replicas: int
    """Replicas that run when nothing scales them."""
    hosted_input_usd_per_mtok: float
    """Tariff of the comparator, which the hosted fallback is charged by."""
    hosted_output_usd_per_mtok: float
    usd_per_replica_hour: float
    """The model's bill, and its share of what is shared, over the hours its replicas are up."""
    self_hosted_usd_per_mtok: float
    hosted_usd_per_mtok: float
    break_even_mtok_per_month: float | None
    """None where there is no break-even."""
    nodes: Nodes | None
    """None where the nodes are one's own: they have no instance type."""


def figures(decision: Decision) -> dict[str, Figures]:
    """Return the figures of each model, by its name."""
    tokens = sum(case.tokens_per_month for case in decision.cases)
    shared = total(decision.shared)
    found = {}
    for case, outcome in zip(decision.cases, decision.models, strict=True):
        month = case.tokens_per_month
        own_usd = outcome.self_hosted_usd + shared * month / tokens
        replicas = case.bills.pools[0].nodes(1.0) * case.nodes.replicas_per_node
        crossing, tariff = outcome.break_even.first, case.rate.tariff
        found[case.model.name] = Figures(
            replicas=case.replicas_at_volume,
            hosted_input_usd_per_mtok=tariff.input_usd_per_mtok,
            hosted_output_usd_per_mtok=tariff.output_usd_per_mtok,
            usd_per_replica_hour=own_usd / (replicas * HOURS_PER_MONTH),
            self_hosted_usd_per_mtok=own_usd / month * MTOK,
            hosted_usd_per_mtok=outcome.hosted_usd / month * MTOK,
            break_even_mtok_per_month=None if crossing is None else crossing * month / MTOK,
            nodes=_nodes(case.nodes),
        )
    return found


def _nodes(plan: NodePlan) -> Nodes | None:
    if plan.instance is None:
        return None
    return Nodes(
        instance_type=plan.instance.name,
        gpu=plan.chip.name,
        gpus_per_node=plan.gpus_per_node,
        vcpus=plan.instance.vcpus,
        memory_gib=plan.instance.memory_gib,
        groups=plan.groups,
    )
