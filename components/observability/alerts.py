"""What someone is told of, and when. Thresholds and their reasons stand here. Pure."""

from components.observability.model_alerts import model_alerts
from components.observability.rules import Alert, Group
from components.observability.signals import POD_HASHES, ModelSignals, Selector

ERROR_SHARE = 0.05
"""Where the inference extension of the gateway API wakes someone too."""
QUEUE_SHARE = 0.8
"""Of the collector's queue; beyond it spans are about to be dropped."""
LOST_SPANS = (
    "otelcol_exporter_send_failed_spans",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_receiver_refused_spans",
)
"""Refused by Langfuse, by a queue that is full, for want of memory: the gateway sends no span twice."""
PENDING_S = 900
"""A GPU node takes up to ten minutes; longer means that there is none to be had."""
XID_SHOWN = "1d"
"""The exporter reports a GPU's last Xid until it restarts; after a day it is no news any more."""


def alerts(
    models: tuple[ModelSignals, ...], pick: Selector, *, gpus: bool = False
) -> tuple[Group, ...]:
    """Return the alerts of a stack, in groups by what must be scraped for them.

    `gpus` is whether the stack's own Prometheus scrapes the DCGM exporter.
    """
    own = [*_gateway(pick), *_engines(pick), *_traces(pick), *([_xid(pick)] if gpus else [])]
    for model in models:
        own += model_alerts(model, pick)
    return (
        Group(name="breakeven-alerts", rules=tuple(own)),
        Group(name="breakeven-keda", rules=(_scaler(pick),), interval_s=30, needs="keda"),
        Group(
            name="breakeven-nodes",
            rules=(_pending(models, pick),),
            interval_s=30,
            needs="kube-state-metrics",
        ),
    )


def _gateway(pick: Selector) -> list[Alert]:
    allowed = pick("envoy_cluster_ratelimit_failure_mode_allowed")
    return [
        Alert(
            name="GatewayDown",
            expr=f"absent({pick('up', job='gateway')} == 1)",
            for_s=60,
            severity="critical",
            summary="No gateway answers: nobody is served.",
            anchor="gateway-down",
        ),
        Alert(
            name="ErrorShareHigh",
            expr=f"{pick('breakeven:error_share')} > {ERROR_SHARE:g}",
            for_s=300,
            severity="critical",
            summary="{{ $value | humanizePercentage }} of the requests fail with 5xx.",
            anchor="error-share-high",
        ),
        Alert(
            name="LimiterDown",
            expr=f"sum(rate({allowed}[5m])) > 0",
            for_s=120,
            severity="warning",
            summary="Requests pass unlimited: the rate-limit service or its Redis does not answer.",
            anchor="limiter-down",
        ),
    ]


def _engines(pick: Selector) -> list[Alert]:
    up = pick("up", job="vllm")
    return [
        Alert(
            name="EngineDown",
            # One that starts was never up; one that was deleted is no target any more.
            expr=f"{up} == 0 and max_over_time({up}[1h]) == 1",
            for_s=60,
            severity="warning",
            summary="{{ $labels.pod }} of {{ $labels.model }} served and does not any more.",
            anchor="engine-down",
        ),
        Alert(
            name="KvCacheFull",
            expr=f"max by (model) (avg_over_time({pick('vllm:kv_cache_usage_perc')}[5m])) > 0.9",
            for_s=300,
            severity="warning",
            summary="The KV cache of {{ $labels.model }} is over 90 %: requests get preempted.",
            anchor="kv-cache-full",
        ),
    ]


def _traces(pick: Selector) -> list[Alert]:
    size = f"max by (pod) ({pick('otelcol_exporter_queue_size')})"
    capacity = f"max by (pod) ({pick('otelcol_exporter_queue_capacity')})"
    lost = " + ".join(f"(sum(rate({pick(metric)}[5m])) or vector(0))" for metric in LOST_SPANS)
    return [
        Alert(
            name="TracesBackUp",
            expr=f"{size} / {capacity} > {QUEUE_SHARE:g}",
            for_s=300,
            severity="warning",
            summary="Langfuse takes traces too slowly; the queue is nearly full.",
            anchor="traces-back-up",
        ),
        Alert(
            name="TracesLost",
            expr=f"{lost} > 0",
            for_s=300,
            severity="warning",
            summary="{{ $value | humanize }} spans a second are lost; requests are served as ever.",
            anchor="traces-lost",
        ),
    ]


def _xid(pick: Selector) -> Alert:
    # Of the GPU, not of its pod: a new pod of the same GPU has the same error.
    by = "max by (node, gpu, err_code, err_msg)"
    last = pick("DCGM_FI_DEV_XID_ERRORS")
    return Alert(
        name="XidError",
        expr=f"{by} ({last}) > 0 unless {by} ({last} offset {XID_SHOWN}) > 0",
        for_s=0,
        severity="warning",
        summary="GPU {{ $labels.gpu }} of {{ $labels.node }} reports Xid {{ $labels.err_code }}: "
        "{{ $labels.err_msg }}.",
        anchor="xid-error",
    )


def _scaler(pick: Selector) -> Alert:
    """Return the alert on a scaler that cannot read, in which state KEDA holds its fallback replicas.

    KEDA 2.20 has no metric for the fallback, and while it holds counts no errors any more (its
    pkg/fallback). What it asks Prometheus in vain it counts all the time. Its own metrics must be
    scraped (operator, port 8080).
    """
    counters = (
        ("scaledObject", "keda_scaled_object_errors_total", ""),
        ("scaled_resource", "keda_scaler_http_requests_total", ',status_code!~"2.."'),
        ("scaledResource", "keda_scaler_empty_upstream_responses_total", ""),
    )
    return Alert(
        name="ScalerFailing",
        expr=" or ".join(_rises(pick, *counter) for counter in counters),
        for_s=120,
        severity="warning",
        summary="The autoscaler cannot read its signal; replicas stay at the fallback.",
        anchor="scaler-failing",
    )


def _rises(pick: Selector, by: str, metric: str, more: str) -> str:
    """Return that a counter of KEDA's rises; scraped without honorLabels its namespace is the exported."""
    spaces = (f'{name}="{pick.namespace}"{more}' for name in ("namespace", "exported_namespace"))
    found = " or ".join(f"increase({metric}{{{each}}}[5m])" for each in spaces)
    return f"sum by ({by}) ({found}) > 0"


def _pending(models: tuple[ModelSignals, ...], pick: Selector) -> Alert:
    names = "|".join(model.name for model in models)
    # No router or other part matches.
    pods = pick("kube_pod_status_phase", phase="Pending", pod=f"~({names}){POD_HASHES}")
    return Alert(
        name="GpuPending",
        expr=f"sum by (pod) ({pods}) > 0",
        for_s=PENDING_S,
        severity="warning",
        summary="{{ $labels.pod }} waits for a node.",
        anchor="gpu-pending",
    )
