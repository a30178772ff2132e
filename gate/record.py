"""The decision record: every figure as plain data, for JSON, stack outputs and the auditor.

Volumes are tokens a month, money is USD a month unless the name says otherwise. What does not exist
is None. Figures carry twelve significant digits: a flip factor is exact to one part in 10^9, and none
shows rounding noise in the output diff of a preview.
"""

from collections.abc import Mapping
from typing import Any

from gate.aws_costs import aws_prices
from gate.case import ModelCase
from gate.ceiling import ceiling_usd_per_hour, quotas
from gate.cold_start import cold_start
from gate.constraints import ConstraintStatus
from gate.costs import AWS, CostItem, total
from gate.decision import MODEL_VERSION, Decision, Outcome
from gate.economics.units import HOURS_PER_MONTH, MTOK
from gate.inputs_hash import declaration_hash
from stacks.errors import Place
from stacks.target import Target

Json = dict[str, Any]

DIGITS = 12


def record(decision: Decision) -> Json:
    """Return every figure of the decision, as JSON values; this is what a stack exports."""
    content = {
        **_identity(decision),
        "purpose": decision.stack.purpose,
        "premium_usd_per_month": decision.whole.premium_usd,
        "set_up_usd": decision.set_up_usd,
        "payback_month": decision.payback.month,
        "pools_full_in_month": decision.payback.full_in_month,
        "whole": _outcome(decision.whole),
        "models": {
            case.model.name: _outcome(outcome) | _model(case) | _pool(case, decision.stack.target)
            for case, outcome in zip(decision.cases, decision.models, strict=True)
        },
        "shared_costs_usd_per_month": _amounts(decision.shared),
        "aws_usd_per_month": total(item for item in decision.shared if item.group == AWS),
        "ceiling_usd_per_hour": ceiling_usd_per_hour(decision),
        "service_quotas_vcpus": quotas(decision),
        "price_dates": _price_dates(decision),
        "constraints": [_constraint(each) for each in decision.constraints],
        "findings": [f"{each.level.value}: {each.problem}" for each in decision.findings],
    }
    rounded: Json = _rounded(content)
    return rounded


def summary(decision: Decision) -> Json:
    """Return what the next update has to know of this decision once it was allowed."""
    whole = decision.whole
    content = _identity(decision) | {
        "self_hosted_usd_per_month": whole.self_hosted_usd,
        "hosted_usd_per_month": whole.hosted_usd,
    }
    rounded: Json = _rounded(content)
    return rounded


def with_basis(decision: Decision) -> Json:
    """Return the record and, beside each cost, how it comes about; for `check --format json`."""
    cases = decision.cases
    own = {case.model.name: case for case in cases}
    return record(decision) | {
        "cost_basis": {
            "shared": _bases(decision.shared),
            **{name: _bases((case.node_item, *case.costs.items)) for name, case in own.items()},
        },
        "hosted_cost_basis": {
            name: _bases((case.hosted_item, *case.costs.hosted_items)) for name, case in own.items()
        },
    }


def _identity(decision: Decision) -> Json:
    return {
        "verdict": decision.verdict.value,
        "allowed": decision.allowed,
        "as_of": decision.as_of.isoformat(),
        "model_version": MODEL_VERSION,
        "inputs_hash": decision.inputs_hash,
        "declaration_hash": declaration_hash(decision.stack, decision.inputs_hash),
    }


def _rounded(value: Any) -> Any:
    """Return the value with its figures at `DIGITS` significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _outcome(outcome: Outcome) -> Json:
    crossing, unit = outcome.break_even, outcome.tokens_per_month
    tokens = {
        "break_even_tokens_per_month": crossing.first,
        "safe_break_even_tokens_per_month": crossing.safe,
        "capacity_tokens_per_month": crossing.capacity,
    }
    capacity = crossing.capacity
    return {
        "verdict": outcome.verdict.value,
        "tokens_per_month": unit,
        "self_hosted_usd_per_month": outcome.self_hosted_usd,
        "hosted_usd_per_month": outcome.hosted_usd,
        "self_hosted_usd_per_mtok": outcome.self_hosted_usd / unit * MTOK,
        "hosted_usd_per_mtok": outcome.hosted_usd / unit * MTOK,
        "self_hosted_floor_usd_per_mtok": outcome.bills.floor_usd / unit * MTOK,
        **{name: None if value is None else value * unit for name, value in tokens.items()},
        "headroom": None if capacity is None else capacity - 1,
        "nodes_at_break_even": list(crossing.peak_nodes),
        "loss_windows": [[low * unit, high * unit] for low, high in crossing.loss_windows],
        "loss_window_count": crossing.loss_window_count,
        "flip_factors": _flips(outcome),
    }


def _flips(outcome: Outcome) -> dict[str, list[float]]:
    """Return by quantity the factors at which the verdict changes; a volume has one on each side."""
    factors: dict[str, list[float]] = {}
    for flip in outcome.flips:
        factors.setdefault(flip.quantity.value, []).append(flip.factor)
    return factors


def _model(case: ModelCase) -> Json:
    pool = case.bills.pools[0]
    per_month = case.tokens_per_month / case.used.saturated_tokens_per_second
    return {
        "comparator": case.rate.name,
        "hosted_list_usd_per_mtok": case.rate.usd_per_mtok,
        "node": case.nodes.node,
        "node_usd_per_hour": case.nodes.price.usd_per_hour,
        "replicas_per_node": case.nodes.replicas_per_node,
        "mean_nodes": pool.nodes(1.0),
        "peak_nodes": pool.peak_nodes(1.0),
        "tokens_per_second": case.served.tokens_per_second,
        "throughput_of_ideal": case.served.of_ideal,
        "utilization": case.used.utilization,
        "utilization_origin": case.used.origin.value,
        "utilization_at_volume": per_month
        / (pool.nodes(1.0) * case.nodes.replicas_per_node * HOURS_PER_MONTH * 3600),
        "peak_to_mean": case.used.peak_to_mean,
        "burst_factor": case.used.burst_factor,
        "costs_usd_per_month": _amounts((case.node_item, *case.costs.items)),
        "hosted_costs_usd_per_month": _amounts((case.hosted_item, *case.costs.hosted_items)),
    }


def _pool(case: ModelCase, target: Target) -> Json:
    """Return what may be bought for a model at most, and how long a replica of it takes to come."""
    cold = cold_start(case.model, target)
    return {
        "ceiling_usd_per_hour": case.nodes.ceiling_usd_per_hour,
        "groups": [
            {
                "kind": group.kind,
                "min": group.min_nodes,
                "max": group.max_nodes,
                "over": group.over_nodes,
            }
            for group in case.nodes.groups
        ],
        "cold_start_seconds": {
            "node": cold.node_s,
            "image": cold.image_s,
            "weights": cold.weights_s,
            "engine": cold.engine_s,
            "all": cold.whole_s,
        },
    }


def _amounts(items: tuple[CostItem, ...]) -> Json:
    return {f"{item.group}: {item.name}": item.usd_per_month for item in items}


def _bases(items: tuple[CostItem, ...]) -> Json:
    return {f"{item.group}: {item.name}": item.basis for item in items}


def _price_dates(decision: Decision) -> dict[str, str]:
    dates = {}
    for case in decision.cases:
        dates[case.rate.name] = case.rate.tariff.checked.isoformat()
        for price in case.nodes.prices:
            dates[f"{case.nodes.node}, {price.label}"] = price.checked.isoformat()
    plans, root = [case.nodes for case in decision.cases], Place(decision.file)
    for _, billed in aws_prices(decision.stack, plans, root, decision.as_of):
        dates[billed.key] = billed.source.checked.isoformat()
    return dates


def _constraint(status: ConstraintStatus) -> Json:
    constraint = status.constraint
    return {
        "category": constraint.category,
        "models": list(constraint.models),
        "stands": status.stands,
        "reasons": list(status.reasons),
        "premium_usd_per_month": status.premium_usd_per_month,
        "evidence": constraint.evidence,
        "approver": constraint.approver,
        "approved_on": constraint.approved_on.isoformat(),
        "expires": constraint.expires.isoformat(),
        "ticket": constraint.ticket,
    }
