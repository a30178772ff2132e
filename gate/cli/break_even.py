"""`break-even`: the model on plain numbers, without a stack."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from gate.cli.break_even_flags import add_break_even
from gate.economics.bills import Bills, Need, Pool
from gate.economics.break_even import BreakEven, break_even
from gate.economics.flips import verdict_at
from gate.economics.load import (
    LoadProfile,
    needs_at_utilization,
    needs_of_autoscaled_pool,
    needs_of_fixed_pool,
)
from gate.economics.pieces import TooFineError
from gate.economics.units import HOURS_PER_MONTH, MTOK, SECONDS_PER_MONTH, TIE, whole
from gate.verdict import Verdict, exit_code
from stacks.errors import InputError, Place

if TYPE_CHECKING:
    from gate.cli.break_even_flags import Commands
    from gate.traces import Trace


def add_commands(commands: "Commands") -> None:
    """Add `break-even`."""
    add_break_even(commands, run)


def run(arguments: argparse.Namespace) -> int:
    """Print where the bills cross; return the exit code."""
    _refuse_contradictions(arguments)
    trace = _trace(arguments)
    load = trace.profile(arguments.burst_factor) if trace else None
    bills = _bills(arguments, load)
    try:
        outcome = break_even(bills)
    except TooFineError as error:
        raise _wrong(
            flag="--hosted-usd-per-mtok",
            found=f"a price so near the self-hosted one that {error}",
            allowed="prices further apart than their rounding",
            remedy="take it for infinite, or give --max-replicas",
        ) from None
    verdict = _judge(arguments, bills, outcome)
    result = {
        **_figures(arguments, bills, outcome),
        "peak_to_mean": load.peak_to_mean if load else None,
        "burst_factor": load.burst_factor if load else None,
        "missing_hours": trace.missing_hours if trace else None,
    }
    result = {"verdict": verdict.value, **result}
    shown = json.dumps(result, indent=2, allow_nan=False)
    print(shown if arguments.format == "json" else _text(result))
    return exit_code(verdict)


def _wrong(*, flag: str, found: str, allowed: str, remedy: str) -> InputError:
    return Place("command line", flag).error(found=found, allowed=allowed, remedy=remedy)


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    """Raise InputError where flags do not go together."""
    timed = arguments.lead_minutes is not None and arguments.hold_minutes is not None
    given = arguments.lead_minutes is not None or arguments.hold_minutes is not None
    if arguments.autoscaled and not (arguments.load_trace and timed):
        raise _wrong(
            flag="--autoscaled",
            found="no --load-trace, --lead-minutes and --hold-minutes",
            allowed="all four together",
            remedy="a pool can only follow a load that is known hour by hour",
        )
    if given and not arguments.autoscaled:
        raise _wrong(
            flag="--lead-minutes, --hold-minutes",
            found="no --autoscaled",
            allowed="both with --autoscaled",
            remedy="add it",
        )
    if arguments.burst_factor is not None and arguments.utilization is not None:
        raise _wrong(
            flag="--burst-factor",
            found="--utilization",
            allowed="--burst-factor with --load-trace",
            remedy="a measured utilization holds the bursts already",
        )
    if arguments.max_replicas is not None and arguments.max_replicas < arguments.min_replicas:
        raise _wrong(
            flag="--max-replicas",
            found=str(arguments.max_replicas),
            allowed=f"from --min-replicas ({arguments.min_replicas})",
            remedy="raise the cap or lower the floor",
        )


def _trace(arguments: argparse.Namespace) -> "Trace | None":
    if arguments.load_trace is None:
        return None
    from gate.traces import MissingHours, read_trace  # noqa: PLC0415 - only with a trace

    missing = MissingHours(arguments.missing_hours)
    return read_trace(arguments.load_trace, missing_hours=missing)


def _bills(arguments: argparse.Namespace, load: LoadProfile | None) -> Bills:
    per_node = arguments.replicas_per_node
    maximum = arguments.max_replicas
    pool = Pool(
        node_usd=arguments.replica_hourly_usd * HOURS_PER_MONTH,
        min_nodes=whole(arguments.min_replicas / per_node),
        max_nodes=None if maximum is None else whole(maximum / per_node),
        needs=_needs(arguments, load, arguments.tokens_per_second * per_node),
    )
    return Bills(
        hosted_usd=arguments.hosted_usd_per_mtok / MTOK,
        marginal_usd=arguments.marginal_usd_per_mtok / MTOK,
        fixed_usd=arguments.fixed_monthly_usd,
        pools=(pool,),
    )


def _needs(
    arguments: argparse.Namespace, load: LoadProfile | None, node_tokens_per_second: float
) -> tuple[Need, ...]:
    if load is None:
        return needs_at_utilization(
            arguments.utilization, node_tokens_per_second=node_tokens_per_second
        )
    if not arguments.autoscaled:
        return needs_of_fixed_pool(load, node_tokens_per_second=node_tokens_per_second)
    return needs_of_autoscaled_pool(
        load,
        node_tokens_per_second=node_tokens_per_second,
        lead_minutes=arguments.lead_minutes,
        hold_minutes=arguments.hold_minutes,
    )


def _judge(arguments: argparse.Namespace, bills: Bills, outcome: BreakEven) -> Verdict:
    """Return the verdict at the volume, if one was given.

    Raises:
        InputError: the pool cannot serve the volume, so there is nothing to compare.
    """
    volume, capacity = arguments.monthly_tokens, outcome.capacity
    if outcome.verdict is Verdict.FINITE and volume and capacity and volume > capacity * (1 + TIE):
        raise _wrong(
            flag="--monthly-tokens",
            found=f"{volume:.6g}",
            allowed=f"up to the capacity of {capacity:.6g}",
            remedy="raise --max-replicas or lower the volume",
        )
    return verdict_at(bills, outcome, volume)


def _figures(arguments: argparse.Namespace, bills: Bills, outcome: BreakEven) -> dict[str, Any]:
    finite = outcome.verdict is Verdict.FINITE
    pool = bills.pools[0]
    saturated = SECONDS_PER_MONTH * arguments.tokens_per_second * arguments.replicas_per_node
    replicas = outcome.peak_nodes[0] * arguments.replicas_per_node if outcome.peak_nodes else None
    return {
        "break_even_tokens_per_month": outcome.first if finite else None,
        "safe_break_even_tokens_per_month": outcome.safe,
        "replicas_at_break_even": replicas if finite else None,
        "replicas_needed_to_break_even": None if finite else replicas,
        "capacity_tokens_per_month": outcome.capacity,
        "self_hosted_floor_usd_per_mtok": bills.floor_usd * MTOK,
        "loss_windows": [list(window) for window in outcome.loss_windows],
        "loss_window_count": outcome.loss_window_count,
        "utilization": 1 / (pool.mean_need * saturated),
    }


_ROWS = (
    ("verdict", "verdict", ""),
    ("break-even volume (V*)", "break_even_tokens_per_month", "tokens/month"),
    ("never loses again from (V_safe)", "safe_break_even_tokens_per_month", "tokens/month"),
    ("replicas at the break-even", "replicas_at_break_even", ""),
    ("replicas it would need", "replicas_needed_to_break_even", ""),
    ("capacity", "capacity_tokens_per_month", "tokens/month"),
    ("self-hosted floor (c/u + v)", "self_hosted_floor_usd_per_mtok", "USD/Mtok"),
    ("sustained utilization", "utilization", ""),
    ("peak to mean", "peak_to_mean", ""),
    ("burst factor", "burst_factor", ""),
    ("hours without data, left to the rest", "missing_hours", ""),
    ("loss windows above V*", "loss_window_count", ""),
)


def _text(result: dict[str, Any]) -> str:
    """Return the result as a table; what does not exist is a dash."""
    lines = []
    for label, key, unit in _ROWS:
        value = result[key]
        shown = (
            f"{value:,.6g}" if isinstance(value, float) else "-" if value is None else str(value)
        )
        lines.append(f"{label:<38}{shown} {unit}".rstrip())
    windows = [f"  {low:,.6g} to {high:,.6g}" for low, high in result["loss_windows"]]
    return "\n".join(lines + windows)
