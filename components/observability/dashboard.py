"""One Grafana dashboard: traffic, latency, saturation, errors, tokens, and what they cost. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

from components.observability.panels import Panel, Row, placed
from components.observability.signals import ModelSignals, Selector

NAME: Final = "breakeven-dashboard"
LABELS: Final = {"grafana_dashboard": "1"}
"""By which Grafana's sidecar finds it."""
QUANTILES: Final = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))


def dashboard(
    models: Sequence[ModelSignals], pick: Selector, *, gpus: bool = False
) -> dict[str, Any]:
    """Return the dashboard of a stack as Grafana has it; `gpus` is whether they are scraped."""
    return {
        "uid": f"breakeven-{pick.namespace}"[:40],
        "title": f"breakeven {pick.namespace}",
        "schemaVersion": 39,
        "tags": ["breakeven"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        },
        "panels": list(placed(rows(models, pick, gpus=gpus))),
    }


def dashboard_file(models: Sequence[ModelSignals], pick: Selector, *, gpus: bool = False) -> str:
    """Return it as the text of a ConfigMap's file."""
    return json.dumps(dashboard(models, pick, gpus=gpus), indent=1)


def rows(models: Sequence[ModelSignals], pick: Selector, *, gpus: bool = False) -> tuple[Row, ...]:
    """Return what is shown, top to bottom: what users feel first, what it costs last."""
    return (
        _traffic(pick),
        _latency(models, pick),
        _saturation(pick),
        *([_gpus(pick)] if gpus else []),
        _errors(pick),
        _tokens(pick),
        _cost(pick),
    )


def _traffic(pick: Selector) -> Row:
    gateway = pick("envoy_http_downstream_rq_xx", envoy_http_conn_manager_prefix="gateway")
    by_class = f"sum by (envoy_response_code_class) (rate({gateway}[1m]))"
    return Row(
        title="Traffic",
        panels=(
            _panel("Requests a second", "reqps", ("{{envoy_response_code_class}}xx", by_class)),
            _panel("In flight", "short", ("{{model}}", pick("breakeven:requests_active"))),
            _panel("Held at the gateway", "short", ("{{model}}", pick("breakeven:requests_held"))),
        ),
    )


def _latency(models: Sequence[ModelSignals], pick: Selector) -> Row:
    def spread(title: str, metric: str, *more: tuple[str, str]) -> Panel:
        lines = ((f"{{{{model}}}} {n}", pick.quantile(metric, q, "model")) for q, n in QUANTILES)
        return _panel(title, "s", *lines, *more)

    slo = ((f"{model.name} SLO", f"vector({model.ttft_p99_s:g})") for model in models)
    return Row(
        title="Latency, at the engines",
        panels=(
            spread("Time to first token", "vllm:time_to_first_token_seconds", *slo),
            spread("Between tokens", "vllm:inter_token_latency_seconds"),
            spread("Whole request", "vllm:e2e_request_latency_seconds"),
        ),
    )


def _saturation(pick: Selector) -> Row:
    def each(metric: str, how: str = "sum") -> str:
        return f"{how} by (model) ({pick(metric)})"

    queued = pick.quantile("vllm:request_queue_time_seconds", 0.99, "model")
    hits = f"sum by (model) (rate({pick('vllm:prefix_cache_hits_total')}[5m]))"
    asked = f"sum by (model) (rate({pick('vllm:prefix_cache_queries_total')}[5m]))"
    each_replica = pick("vllm_router_processed_requests_total")
    routed = f"sum by (model, worker) (rate({each_replica}[5m]))"
    return Row(
        title="Saturation",
        panels=(
            _panel(
                "Running and waiting",
                "short",
                ("{{model}} running", each("vllm:num_requests_running")),
                ("{{model}} waiting", each("vllm:num_requests_waiting")),
            ),
            _panel(
                "KV cache", "percentunit", ("{{model}}", each("vllm:kv_cache_usage_perc", "max"))
            ),
            _panel("Time in the queue, p99", "s", ("{{model}}", queued)),
            _panel("Prefix cache hits", "percentunit", ("{{model}}", f"{hits} / {asked}")),
            _panel(
                "Replicas",
                "short",
                ("{{model}} up", pick("breakeven:replicas_up")),
                ("{{model}} paid", pick("breakeven:replicas_paid")),
            ),
            # Not the routers' gauge of healthy ones: of a replica that is gone it keeps the last word.
            _panel("Requests a second, by replica", "reqps", ("{{model}} {{worker}}", routed)),
        ),
    )


def _gpus(pick: Selector) -> Row:
    """Return the row of the DCGM exporter; an idle GPU has no model."""
    tensor = f"avg by (model) ({pick('DCGM_FI_PROF_PIPE_TENSOR_ACTIVE')})"
    any_kernel = f"avg by (model) ({pick('DCGM_FI_DEV_GPU_UTIL')}) / 100"
    return Row(
        title="GPUs",
        panels=(
            # A driver that does not let the exporter profile has no tensor cores to show.
            _panel(
                "Utilization",
                "percentunit",
                ("{{model}} any kernel", any_kernel),
                ("{{model}} tensor cores", tensor),
            ),
            _panel("Memory used", "mbytes", ("{{pod}} {{gpu}}", pick("DCGM_FI_DEV_FB_USED"))),
            _panel(
                "Last Xid error",
                "short",
                ("{{node}} {{gpu}}: {{err_msg}}", f"{pick('DCGM_FI_DEV_XID_ERRORS')} > 0"),
            ),
        ),
    )


def _errors(pick: Selector) -> Row:
    ended = f"rate({pick('vllm:request_success_total')}[5m])"
    preempted = f"rate({pick('vllm:num_preemptions_total')}[5m])"
    refused = f"rate({pick('vllm_router_retries_exhausted_total')}[5m])"
    unlimited = f"rate({pick('envoy_cluster_ratelimit_failure_mode_allowed')}[5m])"
    return Row(
        title="Errors",
        panels=(
            _panel("Failed (5xx)", "percentunit", ("share", pick("breakeven:error_share"))),
            _panel(
                "How answers end",
                "reqps",
                ("{{model}} {{finished_reason}}", f"sum by (model, finished_reason) ({ended})"),
            ),
            _panel(
                "Preempted, refused, unlimited",
                "reqps",
                ("{{model}} preempted", f"sum by (model) ({preempted})"),
                ("{{model}} no worker", f"sum by (model) ({refused})"),
                ("limiter away", f"sum({unlimited})"),
            ),
        ),
    )


def _tokens(pick: Selector) -> Row:
    read = f"sum by (model) (rate({pick('vllm:prompt_tokens_total')}[5m]))"
    written = f"sum by (model) (rate({pick('vllm:generation_tokens_total')}[5m]))"
    month = f"avg_over_time({pick('breakeven:tokens_per_second')}[1d]) * 2628000 / 1e6"
    return Row(
        title="Tokens",
        panels=(
            _panel("Input a second", "short", ("{{model}}", read)),
            _panel("Output a second", "short", ("{{model}}", written)),
            _panel(
                "Millions a month, at the last day's pace",
                "short",
                ("{{model}}", month),
                ("{{model}} break-even", pick("breakeven:break_even_mtok_per_month")),
            ),
        ),
    )


def _cost(pick: Selector) -> Row:
    own = pick("breakeven:self_hosted_usd_per_mtok")
    return Row(
        title="Cost",
        panels=(
            _panel(
                "USD per million tokens",
                "currencyUSD",
                ("{{model}} self-hosted", own),
                ("{{model}} hosted", pick("breakeven:hosted_usd_per_mtok")),
            ),
            _panel(
                "USD per million tokens, last day",
                "currencyUSD",
                ("{{model}} self-hosted", f"avg_over_time({own}[1d])"),
                ("{{model}} hosted", pick("breakeven:hosted_usd_per_mtok")),
            ),
            _panel(
                "USD an hour",
                "currencyUSD",
                ("{{model}}", pick("breakeven:self_hosted_usd_per_hour")),
            ),
        ),
    )


def _panel(title: str, unit: str, *queries: tuple[str, str]) -> Panel:
    return Panel(title=title, unit=unit, queries=queries)
