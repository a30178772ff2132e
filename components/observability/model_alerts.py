"""The alerts of one model: is it there, is it quick, is it worth its price. Pure."""

from dataclasses import replace

from components.observability.rules import Alert
from components.observability.signals import (
    ModelSignals,
    Selector,
    hosted_prefix,
    model_prefix,
    router_clusters,
    spend_limit,
)

ERROR_BUDGET = 0.01
"""What a p99 leaves: one first token in a hundred may come late."""
BURNS = (("1h", "5m", 14.4, "critical"), ("6h", "30m", 6.0, "warning"))
"""Long and short window, burn rate: 2 % of a month's budget in an hour, 5 % in six (SRE workbook)."""
QUEUED = 10
"""Requests that wait in the engines; fewer are one batch's worth."""
CHANGES_AN_HOUR = 6
"""Replicas may come and go three times an hour; each start costs minutes of a GPU."""
HOSTED_SHARE = 0.2
"""Of the requests, for a quarter of an hour: more is capacity that is missing, no peak."""
IDLE = "30m"


def model_alerts(model: ModelSignals, pick: Selector) -> list[Alert]:
    """Return the alerts of one model."""
    rules = [
        _no_replica(model, pick),
        _slow_start(model, pick),
        _cut_off(model, pick),
        *_burn(model, pick),
        _queue(model, pick),
        _thrash(model, pick),
        _idle(model, pick),
        _dear(model, pick),
    ]
    rules += [_blind(model, pick)] if model.autoscaled else []
    rules += _hosted(model, pick) if model.falls_back else []
    return [replace(rule, labels={"model": model.name, **rule.labels}) for rule in rules]


def _no_replica(model: ModelSignals, pick: Selector) -> Alert:
    """Return the alert on a model that nobody serves: at once, or at zero when a wake-up is late."""
    up = f"{pick('up', job='vllm', model=model.name)} == 1"
    wanted = f"{pick.active(model_prefix(model.name))} > 0"
    late = f"{wanted} unless on () count({up})"
    return Alert(
        name="NoReplica",
        expr=late if model.replicas_min == 0 else f"absent({up})",
        for_s=60 if model.replicas_min else model.wake_up_budget_s,
        severity="critical",
        summary=f"No replica of {model.name} serves.",
        anchor="no-replica",
    )


def _slow_start(model: ModelSignals, pick: Selector) -> Alert:
    up = pick("up", job="vllm", model=model.name)
    return Alert(
        name="ColdStartOverBudget",
        expr=f"{up} == 0 unless max_over_time({up}[1d]) == 1",
        for_s=model.start_budget_s,
        severity="warning",
        summary="{{ $labels.pod }} starts for longer than twice the measured cold start.",
        anchor="cold-start-over-budget",
    )


def _cut_off(model: ModelSignals, pick: Selector) -> Alert:
    """Return the alert on requests whose connection the other end closed before the answer was whole.

    The engine's own count of aborts does not say it: one that is killed, as at the end of a drain that
    took too long (vLLM 0.33.0), counts none. A client that leaves closes from this end.
    """
    broken = pick(
        "envoy_cluster_upstream_cx_destroy_remote_with_active_rq",
        envoy_cluster_name=f"~{router_clusters(model.name)}",
    )
    return Alert(
        name="RequestsCutOff",
        expr=f"sum(increase({broken}[10m])) > 0",
        for_s=0,
        severity="warning",
        summary=f'{{{{ $value | printf "%.0f" }}}} requests for {model.name} were cut off: a drain '
        "took too long, or what answered died.",
        anchor="requests-cut-off",
    )


def _blind(model: ModelSignals, pick: Selector) -> Alert:
    """Return the alert on a gauge that is missing: the autoscaler reads nothing else of the load."""
    return Alert(
        name="ScalerFailing",
        expr=f"absent({pick.active_by_pod(model_prefix(model.name))})",
        for_s=120,
        severity="warning",
        summary=f"The gateway's requests for {model.name} are not in Prometheus; its replicas stay "
        "as they are.",
        anchor="scaler-failing",
    )


def _burn(model: ModelSignals, pick: Selector) -> list[Alert]:
    def over(window: str, rate: float) -> str:
        share = pick(f"breakeven:ttft_slow_share:{window}", model=model.name)
        return f"{share} > {rate * ERROR_BUDGET:g}"

    return [
        Alert(
            name="TtftSloBurns",
            expr=f"{over(long, rate)} and {over(short, rate)}",
            for_s=120,
            severity="critical" if severity == "critical" else "warning",
            summary="{{ $value | humanizePercentage }} of the first tokens of "
            f"{model.name} come after {model.ttft_edge_s:g} s; 1 % may.",
            anchor="ttft-slo-burns",
            labels={"window": long},
        )
        for long, short, rate, severity in BURNS
    ]


def _queue(model: ModelSignals, pick: Selector) -> Alert:
    waiting = pick("breakeven:requests_waiting", model=model.name)
    return Alert(
        name="QueueGrows",
        expr=f"avg_over_time({waiting}[5m]) > {QUEUED} and deriv({waiting}[15m]) > 0",
        for_s=600,
        severity="warning",
        summary=f"Requests for {model.name} queue up faster than they are served.",
        anchor="queue-grows",
    )


def _thrash(model: ModelSignals, pick: Selector) -> Alert:
    paid = pick("breakeven:replicas_paid", model=model.name)
    return Alert(
        name="ScalingThrash",
        expr=f"changes({paid}[1h]) > {CHANGES_AN_HOUR}",
        for_s=0,
        severity="warning",
        summary=f"Replicas of {model.name} came and went {{{{ $value }}}} times in an hour.",
        anchor="scaling-thrash",
    )


def _idle(model: ModelSignals, pick: Selector) -> Alert:
    paid = pick("breakeven:replicas_paid", model=model.name)
    tokens = pick("breakeven:tokens_per_second", model=model.name)
    return Alert(
        name="IdleGpu",
        expr=f"min_over_time({paid}[{IDLE}]) > {model.replicas_min} "
        f"and max_over_time({tokens}[{IDLE}]) == 0",
        for_s=1800,
        severity="warning",
        summary=f"{{{{ $value }}}} replicas of {model.name} are paid for and serve nothing.",
        anchor="idle-gpu",
    )


def _dear(model: ModelSignals, pick: Selector) -> Alert:
    own = pick("breakeven:self_hosted_usd_per_mtok", model=model.name)
    return Alert(
        name="BelowBreakEven",
        expr=f"avg_over_time({own}[1d]) > {model.hosted_usd_per_mtok:.6g}",
        for_s=6 * 3600,
        severity="info",
        summary=f"A million tokens of {model.name} cost {{{{ $value | humanize }}}} USD; "
        f"hosted they cost {model.hosted_usd_per_mtok:g}.",
        anchor="below-break-even",
    )


def _hosted(model: ModelSignals, pick: Selector) -> list[Alert]:
    metric, manager = "envoy_http_downstream_rq_xx", "envoy_http_conn_manager_prefix"
    hosted = pick(metric, **{manager: hosted_prefix(model.name)})
    every = pick(metric, **{manager: model_prefix(model.name)})
    near = pick("ratelimit_service_rate_limit_near_limit", key1=spend_limit(model.name))
    return [
        Alert(
            name="HostedShareHigh",
            expr=f"sum(rate({hosted}[15m])) / (sum(rate({every}[15m])) > 0) > {HOSTED_SHARE:g}",
            for_s=900,
            severity="warning",
            summary=f"{{{{ $value | humanizePercentage }}}} of the requests for {model.name} "
            "are answered by the hosted model.",
            anchor="hosted-share-high",
        ),
        Alert(
            name="HostedSpendNearCap",
            expr=f"sum(increase({near}[10m])) > 0",
            for_s=0,
            severity="warning",
            summary=f"The hosted fallback of {model.name} has spent 80 % of today's cap.",
            anchor="hosted-spend-near-cap",
        ),
    ]
