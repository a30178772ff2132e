"""How much of the hardware the load uses, and how that is known."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from gate.economics.bills import Need
from gate.economics.load import (
    LoadProfile,
    needs_at_utilization,
    needs_of_autoscaled_pool,
    needs_of_fixed_pool,
    profile,
    weekly_business_hours,
    weekly_diurnal,
)
from gate.economics.units import SECONDS_PER_MONTH
from gate.evidence import read_evidence
from gate.findings import Finding, advisory, blocking, of_age
from stacks import pool as pools
from stacks import workload as declared
from stacks.errors import Place

EVIDENCE_MAX_AGE_DAYS: Final = 90
"""A quarter: load moves with the product."""
EVIDENCE_MIN_DAYS: Final = 5
"""About a week: less misses the weekend, or all of the rest."""


class Origin(StrEnum):
    """How the utilization is known, best first."""

    EVIDENCE = "measured"
    TRACE = "load trace"
    SHAPE = "declared shape"
    ASSUMPTION = "ASSUMED, not measured"
    CEILING = "ceiling of the benchmark (a shadow measures the rest)"


class Usage(NamedTuple):
    """What the load makes of a pool."""

    origin: Origin
    detail: str
    needs: tuple[Need, ...]
    """Nodes for a token a month."""
    utilization: float
    """Tokens served over tokens possible once nodes are full: 1/(bP), 1/h, or as measured."""
    saturated_tokens_per_second: float
    """What `utilization` is relative to, for one replica."""
    peak_to_mean: float | None = None
    burst_factor: float | None = None
    inputs: str = ""
    """What the file said, for the hash of the decision's inputs."""
    evidence: declared.Evidence | None = None


def usage(
    workload: declared.Workload,
    pool: pools.Pool,
    place: Place,
    *,
    tokens_per_second: float,
    replicas_per_node: int,
    folder: Path,
) -> Usage:
    """Return how the load uses a pool whose replicas serve `tokens_per_second` at saturation.

    Raises:
        InputError: a file cannot be read, or the shape is too coarse for an autoscaled pool.
    """
    load = workload.load
    match load:
        case declared.MeasuredUtilization():
            return _measured(read_evidence(folder / load.evidence), replicas_per_node)
        case declared.AssumedUtilization():
            return _flat(
                Origin.ASSUMPTION,
                "nobody measured it",
                load.utilization,
                tokens_per_second=tokens_per_second,
                replicas_per_node=replicas_per_node,
            )
    shape, origin, detail, inputs = _profile(load, place, folder)
    node_rate = tokens_per_second * replicas_per_node
    needs = _needs(shape, pool.scaling, place, load, node_rate)
    mean = sum(n.nodes_per_unit * n.intervals for n in needs) / sum(n.intervals for n in needs)
    return Usage(
        origin=origin,
        detail=detail,
        inputs=inputs,
        needs=needs,
        utilization=1 / (mean * SECONDS_PER_MONTH * node_rate),
        peak_to_mean=shape.peak_to_mean,
        burst_factor=shape.burst_factor,
        saturated_tokens_per_second=tokens_per_second,
    )


def at_ceiling(*, tokens_per_second: float, replicas_per_node: int) -> Usage:
    """Return the usage a shadow is judged at: the best its benchmark supports."""
    return _flat(
        Origin.CEILING,
        "utilization 1 of the throughput at the SLO",
        1.0,
        tokens_per_second=tokens_per_second,
        replicas_per_node=replicas_per_node,
    )


def _measured(evidence: declared.Evidence, replicas_per_node: int) -> Usage:
    served = evidence.tokens_served / (evidence.replica_hours * 3600)
    days = (evidence.window_end - evidence.window_start).days
    flat = _flat(
        Origin.EVIDENCE,
        f"{evidence.kind}, {days} days to {evidence.window_end}",
        served / evidence.saturated_tokens_per_second,
        tokens_per_second=evidence.saturated_tokens_per_second,
        replicas_per_node=replicas_per_node,
    )
    return flat._replace(inputs=evidence.model_dump_json(), evidence=evidence)


def _flat(
    origin: Origin,
    detail: str,
    utilization: float,
    *,
    tokens_per_second: float,
    replicas_per_node: int,
) -> Usage:
    """Return the usage of a pool that is known by its utilization alone."""
    rate = tokens_per_second * replicas_per_node
    return Usage(
        origin=origin,
        detail=detail,
        needs=needs_at_utilization(utilization, node_tokens_per_second=rate),
        utilization=utilization,
        saturated_tokens_per_second=tokens_per_second,
    )


def _profile(
    load: declared.Load, place: Place, folder: Path
) -> tuple[LoadProfile, Origin, str, str]:
    """Return the shape, its origin, a word on it, and what a file said."""
    match load:
        case declared.Trace():
            from gate.traces import MissingHours, read_trace  # noqa: PLC0415 - only with a trace

            trace = read_trace(folder / load.file, missing_hours=MissingHours(load.missing_hours))
            shape = trace.profile(load.burst_factor)
            detail = f"{len(trace.tokens)} intervals of {trace.interval_minutes} min, {load.file}"
            return shape, Origin.TRACE, detail, repr(trace)
        case declared.Diurnal():
            hours = weekly_diurnal(
                peak_to_mean=load.peak_to_mean, weekend_factor=load.weekend_factor
            )
        case declared.BusinessHours():
            hours = weekly_business_hours(
                first_hour=load.first_hour,
                last_hour=load.last_hour,
                off_hours_fraction=load.off_hours_fraction,
                weekend_factor=load.weekend_factor,
            )
        case declared.PeakToMean():
            # Only the peak is known; a fixed pool asks for nothing more.
            shape = LoadProfile(
                relative=(load.ratio,), interval_minutes=60, burst_factor=load.burst_factor
            )
            return shape, Origin.SHAPE, f"peak {load.ratio:g} times the mean", ""
        case declared.Constant():
            hours = [1.0]
        case _:
            raise place.error(found=load.kind, allowed="a load shape", remedy="see docs/model.md")
    shape = profile(hours, interval_minutes=60, burst_factor=load.burst_factor)
    return shape, Origin.SHAPE, load.kind.replace("_", " "), ""


def _needs(
    shape: LoadProfile,
    scaling: pools.Scaling,
    place: Place,
    load: declared.Load,
    node_tokens_per_second: float,
) -> tuple[Need, ...]:
    if isinstance(scaling, pools.FixedPool):
        return needs_of_fixed_pool(shape, node_tokens_per_second=node_tokens_per_second)
    if isinstance(load, declared.PeakToMean):
        raise place.at("workload.load").error(
            found="only a peak, for an autoscaled pool",
            allowed="trace, diurnal, business_hours, constant, or a utilization",
            remedy="say when the load comes, or set pool.scaling.kind: fixed",
        )
    return needs_of_autoscaled_pool(
        shape,
        node_tokens_per_second=node_tokens_per_second,
        lead_minutes=scaling.lead_minutes,
        hold_minutes=scaling.hold_minutes,
    )


def usage_findings(used: Usage, place: Place, *, as_of: date) -> Iterator[Finding]:
    """Yield what the origin of the utilization calls for."""
    if used.origin is Origin.ASSUMPTION:
        yield advisory(
            place.at("load"),
            found=f"a utilization of {used.utilization:.0%} that is a guess",
            allowed="a measurement, a load trace or a shape",
            remedy="run a stack with purpose: shadow for a week and declare what it measured",
        )
    evidence = used.evidence
    if evidence is None:
        return
    here = place.at("load.evidence")
    yield from of_age(
        here, checked=evidence.window_end, as_of=as_of, max_age_days=EVIDENCE_MAX_AGE_DAYS
    )
    days = (evidence.window_end - evidence.window_start).days
    if days < EVIDENCE_MIN_DAYS:
        yield advisory(
            here,
            found=f"a window of {days} days",
            allowed=f"{EVIDENCE_MIN_DAYS} days or more, about a week",
            remedy="measure across a weekend",
        )
    if used.utilization > 1:
        yield blocking(
            here,
            found=f"{used.utilization:.2f} of saturation",
            allowed="up to 1",
            remedy="check tokens_served, replica_hours and saturated_tokens_per_second",
        )
