"""What is computed all the time: load, SLO, and what a million tokens really cost. Pure."""

from components.observability.rules import Group, Recording
from components.observability.signals import ModelSignals, Selector, edge_label, model_prefix

SLOW_WINDOWS = ("5m", "30m", "1h", "6h")
"""Pairs of a short and a long window for the burn alerts."""


def recordings(models: tuple[ModelSignals, ...], pick: Selector) -> Group:
    """Return the recording rules of a stack."""
    rules = [_error_share(pick)]
    for model in models:
        rules += _load(model, pick) + _slo(model, pick) + _cost(model, pick)
    return Group(name="breakeven-recordings", rules=tuple(rules))


def _error_share(pick: Selector) -> Recording:
    """Return the share of requests that failed on our side: 429 and other 4xx are the client's."""
    gateway = {"envoy_http_conn_manager_prefix": "gateway"}
    failed = pick("envoy_http_downstream_rq_xx", envoy_response_code_class="5", **gateway)
    every = pick("envoy_http_downstream_rq_xx", **gateway)
    return Recording(
        record="breakeven:error_share",
        expr=f"sum(rate({failed}[5m])) / (sum(rate({every}[5m])) > 0)",
        labels={"namespace": pick.namespace},
    )


def _load(model: ModelSignals, pick: Selector) -> list[Recording]:
    name = model.name
    own = _labels(model, pick)
    running = pick("vllm:num_requests_running", model=name)
    waiting = pick("vllm:num_requests_waiting", model=name)
    in_engines = f"(sum({running}) + sum({waiting}))"
    active = pick.active(model_prefix(name))
    return [
        Recording(record="breakeven:requests_active", expr=active, labels=own),
        Recording(
            record="breakeven:requests_held",
            expr=f"clamp_min({active} - ({in_engines} or vector(0)), 0)",
            labels=own,
        ),
        Recording(
            record="breakeven:requests_waiting", expr=f"sum({waiting}) or vector(0)", labels=own
        ),
        Recording(
            record="breakeven:tokens_per_second",
            expr=f"{pick.tokens_per_second(name, '5m')} or vector(0)",
            labels=own,
        ),
        Recording(
            record="breakeven:replicas_up",
            expr=f"sum({pick('up', job='vllm', model=name)}) or vector(0)",
            labels=own,
        ),
        Recording(
            # One that starts is paid for as well as one that serves.
            record="breakeven:replicas_paid",
            expr=f"count({pick('up', job='vllm', model=name)}) or vector(0)",
            labels=own,
        ),
    ]


def _slo(model: ModelSignals, pick: Selector) -> list[Recording]:
    """Return p99 and the share of first tokens that came after the SLO, over each window."""
    metric, edge = "vllm:time_to_first_token_seconds", edge_label(model.ttft_edge_s)
    within = pick(f"{metric}_bucket", model=model.name, le=edge)
    every = pick(f"{metric}_count", model=model.name)
    buckets = pick(f"{metric}_bucket", model=model.name)
    p99 = f"histogram_quantile(0.99, sum by (le) (rate({buckets}[5m])))"
    own = _labels(model, pick)
    return [
        Recording(record="breakeven:ttft_seconds:p99", expr=p99, labels=own),
        *(
            Recording(
                record=f"breakeven:ttft_slow_share:{window}",
                expr=f"1 - sum(rate({within}[{window}])) / (sum(rate({every}[{window}])) > 0)",
                labels=own,
            )
            for window in SLOW_WINDOWS
        ),
    ]


def _cost(model: ModelSignals, pick: Selector) -> list[Recording]:
    """Return USD an hour, and USD per million tokens over the last hour.

    Two replicas at 5 USD/h that served 20 million tokens: 2 x 5 / 20 = 0.5 USD. Without a token
    there is no such price.
    """
    own = _labels(model, pick)
    paid = pick("breakeven:replicas_paid", model=model.name)
    mtok_per_hour = f"{pick.tokens_per_second(model.name, '1h')} * 3600 / 1e6"
    usd = f"avg_over_time({paid}[1h]) * {model.usd_per_replica_hour:.6g}"
    rules = [
        Recording(
            record="breakeven:self_hosted_usd_per_hour",
            expr=f"{paid} * {model.usd_per_replica_hour:.6g}",
            labels=own,
        ),
        Recording(
            record="breakeven:self_hosted_usd_per_mtok",
            expr=f"sum({usd}) / ({mtok_per_hour} > 0)",
            labels=own,
        ),
        Recording(
            record="breakeven:hosted_usd_per_mtok",
            expr=f"vector({model.hosted_usd_per_mtok:.6g})",
            labels=own,
        ),
    ]
    if model.break_even_mtok_per_month is not None:
        volume = f"vector({model.break_even_mtok_per_month:.6g})"
        rules.append(
            Recording(record="breakeven:break_even_mtok_per_month", expr=volume, labels=own)
        )
    return rules


def _labels(model: ModelSignals, pick: Selector) -> dict[str, str]:
    return {"model": model.name, "namespace": pick.namespace}
