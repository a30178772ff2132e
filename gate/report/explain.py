"""Every formula of docs/model.md with the numbers of one stack put in."""

from collections.abc import Iterator

from gate.case import ModelCase
from gate.cold_start import ColdStart, cold_start
from gate.costs import AWS
from gate.decision import Decision
from gate.economics.units import SECONDS_PER_MONTH
from gate.nodes import NodePlan
from gate.report.words import tokens, usd
from stacks.pool import Autoscaled


def explain(decision: Decision) -> str:
    """Return the formulas, model by model, then for the whole stack."""
    lines = [f"{decision.file}, as of {decision.as_of}; formulas: docs/model.md", ""]
    for case in decision.cases:
        told = (*_model(case), *_cold_start(cold_start(case.model, decision.stack.target)))
        lines += [f"{case.model.name}", *(f"  {line}" for line in told), ""]
    return "\n".join([*lines, "stack", *(f"  {line}" for line in _whole(decision))])


def _model(case: ModelCase) -> Iterator[str]:
    yield from _hosted(case)
    yield from _node(case)
    yield from _load(case)
    bills, unit = case.bills, case.tokens_per_month
    floor, price = bills.floor_usd / unit * 1e6, bills.hosted_usd / unit * 1e6
    sign = "<" if floor < price else ">="
    yield f"infinite?   c/u + v = {floor:.6g} {sign} p = {price:.6g} USD/Mtok"


def _hosted(case: ModelCase) -> Iterator[str]:
    hosted, rate, share = case.model.hosted, case.rate, case.model.workload.input_share
    tariff, cached = rate.tariff, case.model.hosted.cached_input_fraction
    yield (
        f"p           = [{share:.4f} ({cached:g} x {tariff.cached_input_usd_per_mtok:g}"
        f" + {1 - cached:g} x {tariff.input_usd_per_mtok:g})"
        f" + {1 - share:.4f} x {tariff.output_usd_per_mtok:g}]"
        f" (1 - {hosted.batch_fraction:g} x {rate.batch_discount_fraction:g})"
        f" (1 + {hosted.retry_fraction:g})"
    )
    escalated = case.costs.hosted_marginal_usd_per_mtok
    added = f" + {escalated:.6g} escalated" if escalated else ""
    yield f"            = {rate.usd_per_mtok:.6g} USD/Mtok{added} at {rate.name}"
    yield f"v           = {case.costs.marginal_usd_per_mtok:.6g} USD/Mtok"


def _node(case: ModelCase) -> Iterator[str]:
    nodes = case.nodes
    overhead = f" x (1 + {nodes.overhead_fraction:g})" if nodes.overhead_fraction else ""
    yield (
        f"c           = {nodes.price.usd_per_hour:g} USD/h x 730 h{overhead}"
        f" = {usd(nodes.node_usd_per_month)} USD a node-month"
    )
    yield f"nodes       : {_packing(nodes)}"
    served = case.served
    yield f"q           = {served.tokens_per_second:,.6g} tokens/s a replica at the SLO"
    yield (
        f"roofline    : ideal {served.ideal_tokens_per_second:,.0f} tokens/s,"
        f" declared is {served.of_ideal:.2f} of it"
    )
    yield (
        f"memory      : {served.usable_gib:.1f} GiB usable - {served.weight_gib:.1f} GiB weights"
        f" hold the KV cache of {served.kv_tokens:,.0f} tokens; {case.model.workload.max_model_len:,} are asked"
    )


def _packing(nodes: NodePlan) -> str:
    if nodes.gpus_per_node == 0:
        return "no GPUs, 1 replica a node"
    return (
        f"{nodes.gpus_per_node} GPUs // {nodes.gpus_per_replica} a replica"
        f" = {nodes.replicas_per_node} replicas a node"
    )


def _load(case: ModelCase) -> Iterator[str]:
    used, scaling = case.used, case.model.pool.scaling
    rate = used.saturated_tokens_per_second
    node_rate = rate * case.nodes.replicas_per_node
    if used.peak_to_mean is None:
        yield f"U           = {used.utilization:.6g} ({used.origin.value})"
    elif isinstance(scaling, Autoscaled):
        yield (
            f"h           = {1 / used.utilization:.6g} (mean of the maximum of b s over"
            f" -{scaling.hold_minutes:g} to +{scaling.lead_minutes:g} min); 1/h = {used.utilization:.4g}"
        )
    else:
        yield (
            f"U           = 1/(b P) = 1/({used.burst_factor:.4g} x {used.peak_to_mean:.4g})"
            f" = {used.utilization:.4g}"
        )
    unit = used.utilization * SECONDS_PER_MONTH * node_rate
    yield f"u           = U T q = {used.utilization:.4g} x 2,628,000 s x {node_rate:,.6g} = {tokens(unit)} tokens a node-month"


def _cold_start(cold: ColdStart) -> Iterator[str]:
    phases = {"image": cold.image_s, "weights": cold.weights_s, "engine": cold.engine_s}
    known = [f"{name} {s:g}" for name, s in phases.items() if s is not None]
    parts = [f"node {cold.node_s:g}"] if cold.node_s else []
    parts += known or [f"replica {cold.replica_s:g}"]
    yield f"cold start  = {' + '.join(parts)} = {cold.whole_s:g} s"


def _whole(decision: Decision) -> Iterator[str]:
    whole, bills = decision.whole, decision.whole.bills
    unit, nodes = whole.tokens_per_month, decision.whole.bills.pools
    yield (
        f"F           = {usd(bills.fixed_usd)} + {usd(bills.node_fixed_usd)} in nodes"
        f" - {usd(bills.hosted_fixed_usd)} hosted = {usd(bills.all_fixed_usd)} USD/month"
    )
    means = " + ".join(f"{p.nodes(1.0):.4g} x {usd(p.node_usd)}" for p in nodes)
    yield f"nodes       = {means} = {usd(bills.nodes_usd(1.0) - bills.node_fixed_usd)} USD/month at {tokens(unit)} tokens"
    yield f"S           = {usd(whole.self_hosted_usd)}   H = {usd(whole.hosted_usd)} USD/month"
    aws = [item.usd_per_month for item in decision.shared if item.group == AWS]
    if aws:
        yield f"aws         = {usd(sum(aws))} USD/month in {len(aws)} lines, within F"
    crossing = whole.break_even
    volumes = {"V*": crossing.first, "V_safe": crossing.safe, "capacity": crossing.capacity}
    for name, value in volumes.items():
        yield f"{name:<12}= {tokens(None if value is None else value * unit)} tokens/month"
    yield f"verdict     : {decision.verdict.value}"
