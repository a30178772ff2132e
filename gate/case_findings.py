"""What is noticed about one model: ages, contradictions, and what cannot be."""

from collections.abc import Iterator
from datetime import date

from gate import facts
from gate.case import UTILIZATION_TOLERANCE, ModelCase, agree
from gate.cold_start import ColdStart, weights_findings
from gate.economics.units import TIE
from gate.findings import Finding, advisory, blocking, of_age
from gate.hosted import hosted_findings, list_tariff
from gate.nodes import price_findings
from gate.throughput_findings import throughput_findings
from gate.usage import usage_findings
from stacks.pool import Autoscaled


def case_findings(case: ModelCase, cold: ColdStart, *, as_of: date) -> Iterator[Finding]:
    """Yield everything that was noticed about a model."""
    model, place, nodes = case.model, case.place, case.nodes
    share = model.workload.input_share
    yield from price_findings(model.pool.purchase, nodes, place.at("pool"), as_of=as_of)
    yield from hosted_findings(
        model.hosted, case.rate, place.at("hosted"), input_share=share, as_of=as_of
    )
    yield from throughput_findings(model, case.served, nodes, place, as_of=as_of)
    yield from _escalation_findings(case, as_of=as_of)
    yield from usage_findings(case.used, place.at("workload"), as_of=as_of)
    yield from _volume_fits(case)
    yield from _utilization_agrees(case)
    yield from _lead_covers_cold_start(case, cold)
    yield from _last_node_is_full(case)
    yield from weights_findings(model, nodes, case.served.weight_gib, place)
    yield from _windows_are_priced(case)


def _escalation_findings(case: ModelCase, *, as_of: date) -> Iterator[Finding]:
    """Yield what the age of the frontier model's price calls for."""
    escalation, here = case.model.costs.escalation, case.place.at("costs.escalation")
    if escalation.provider is not None and escalation.model is not None:
        tariff = list_tariff(escalation.provider, escalation.model, here, as_of=as_of)
        limit = facts.max_age_days("hosted_price")
        checked = tariff.checked
        yield from of_age(here.at("model"), checked=checked, as_of=as_of, max_age_days=limit)


def _volume_fits(case: ModelCase) -> Iterator[Finding]:
    capacity = case.bills.capacity
    if case.implied_utilization is not None:
        return  # the number of replicas is declared, and the utilization is what has to fit
    if capacity is not None and capacity * (1 + TIE) < 1:
        yield blocking(
            case.place.at("workload.tokens_per_month"),
            found=f"{case.tokens_per_month:.4g}",
            allowed=f"up to {capacity * case.tokens_per_month:.4g}, what replicas.max "
            f"({case.model.pool.replicas.max}) can serve at this load",
            remedy="raise pool.replicas.max or lower the volume",
        )


def _utilization_agrees(case: ModelCase) -> Iterator[Finding]:
    """Yield a contradiction between a declared utilization and what volume and replicas imply."""
    replicas, used, implied = case.model.pool.replicas, case.used, case.implied_utilization
    if implied is None or agree(used.utilization, implied):
        return
    rate = used.saturated_tokens_per_second
    yield blocking(
        case.place.at("workload.load"),
        found=f"a utilization of {used.utilization:.3f}; {case.tokens_per_month:.4g} tokens a month"
        f" on {replicas.min} replicas of {rate:,.0f} tokens/s are {implied:.3f}",
        allowed=f"within {UTILIZATION_TOLERANCE:.0%} of each other",
        remedy="correct the volume, the replicas, the throughput or the utilization",
    )


def _lead_covers_cold_start(case: ModelCase, cold: ColdStart) -> Iterator[Finding]:
    scaling, minutes = case.model.pool.scaling, cold.whole_s / 60
    if isinstance(scaling, Autoscaled) and scaling.lead_minutes * 60 < cold.whole_s:
        node = f"a node's {cold.node_s:g} s (target.gpu_nodes.start_seconds), then "
        yield blocking(
            case.place.at("pool.scaling.lead_minutes"),
            found=f"{scaling.lead_minutes:g} min",
            allowed=f"from the cold start of {minutes:.3g} min ({node if cold.node_s else ''}"
            "serving.cold_start_seconds)",
            remedy="order capacity at least a cold start ahead",
        )


def _last_node_is_full(case: ModelCase) -> Iterator[Finding]:
    spare = case.model.pool.replicas.max % case.nodes.replicas_per_node
    if spare:
        yield advisory(
            case.place.at("pool.replicas.max"),
            found=f"{case.model.pool.replicas.max}, with room for "
            f"{case.nodes.replicas_per_node - spare} more on the last node",
            allowed=f"a multiple of {case.nodes.replicas_per_node} uses what is paid",
            remedy="raise the cap, or use a smaller node",
        )


def _windows_are_priced(case: ModelCase) -> Iterator[Finding]:
    """Yield the windows that keep more replicas up than the floor, which is all the gate prices."""
    scaling, floor = case.model.serving.scaling, case.model.pool.replicas.min
    for index, window in enumerate(scaling.windows if scaling else ()):
        if window.replicas > floor:
            yield advisory(
                case.place.at(f"serving.scaling.windows[{index}].replicas"),
                found=f"a window that keeps {window.replicas} replicas, which this decision does not "
                "price",
                allowed=f"up to the floor of {floor} (pool.replicas.min)",
                remedy="model it in the load, or raise the floor",
            )
