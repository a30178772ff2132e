"""The metrics that rules and panels may use, and how a model's series are picked out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SCRAPED: Final = frozenset(
    {
        "up",
        # Envoy 1.40: cluster.<name>.*, http.<prefix>.* as /stats/prometheus writes them.
        "envoy_cluster_ratelimit_failure_mode_allowed",
        "envoy_cluster_upstream_cx_destroy_remote_with_active_rq",
        "envoy_http_downstream_rq_active",
        "envoy_http_downstream_rq_xx",
        # The rate-limit service's own Prometheus sink (its default_mapper.yaml).
        "ratelimit_service_rate_limit_near_limit",
        # vLLM 0.33.0.
        "vllm:e2e_request_latency_seconds_bucket",
        "vllm:generation_tokens_total",
        "vllm:inter_token_latency_seconds_bucket",
        "vllm:kv_cache_usage_perc",
        "vllm:num_preemptions_total",
        "vllm:num_requests_running",
        "vllm:num_requests_waiting",
        "vllm:prefix_cache_hits_total",
        "vllm:prefix_cache_queries_total",
        "vllm:prompt_tokens_total",
        "vllm:request_queue_time_seconds_bucket",
        "vllm:request_success_total",
        "vllm:time_to_first_token_seconds_bucket",
        "vllm:time_to_first_token_seconds_count",
        # vllm-router 0.1.17.
        "vllm_router_processed_requests_total",
        "vllm_router_retries_exhausted_total",
        # The collector 0.158.0 about itself.
        "otelcol_exporter_enqueue_failed_spans",
        "otelcol_exporter_queue_capacity",
        "otelcol_exporter_queue_size",
        "otelcol_exporter_send_failed_spans",
        "otelcol_receiver_refused_spans",
    }
)
"""What the stack's own pods report."""

GPUS: Final = frozenset(
    {
        # DCGM exporter 4.5.3, default-counters.csv.
        "DCGM_FI_DEV_FB_USED",
        "DCGM_FI_DEV_GPU_UTIL",
        "DCGM_FI_DEV_XID_ERRORS",
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    }
)
"""What the DCGM exporter of a cluster that is made here reports; elsewhere GPUs are the cluster's matter."""

FOREIGN: Final = {
    "keda_scaled_object_errors_total": "keda",
    "keda_scaler_empty_upstream_responses_total": "keda",
    "keda_scaler_http_requests_total": "keda",
    "kube_pod_status_phase": "kube-state-metrics",
}
"""What only a cluster's Prometheus has, by where it comes from."""

POD_HASHES: Final = "-[a-z0-9]+-[a-z0-9]{5}"
"""What a Deployment's pods have after its name: hash of the template, five letters."""

TTFT_EDGES_S: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0),
    *(2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
"""Bucket edges of vLLM's time to first token; a threshold between two of them cannot be counted."""


@dataclass(frozen=True, kw_only=True)
class ModelSignals:
    """What the rules must know of one model."""

    name: str
    ttft_p99_s: float
    """Declared SLO."""
    node_start_s: float
    """Measured; 0 where the cluster makes no nodes of its own."""
    cold_start_s: float
    """From the pod's start on, measured."""
    replicas_min: int
    autoscaled: bool
    """Whether KEDA follows the load."""
    falls_back: bool
    """Whether a hosted model may answer for it."""
    usd_per_replica_hour: float
    """What a replica costs while it exists, its share of what is fixed included."""
    hosted_usd_per_mtok: float
    """What the comparator would bill, at the declared mix of input and output."""
    break_even_mtok_per_month: float | None
    """Volume from which the own replicas are cheaper; None where there is none."""

    @property
    def ttft_edge_s(self) -> float:
        """The lowest bucket edge at or above the SLO: 2.0 s is counted at 2.5 s."""
        return next((edge for edge in TTFT_EDGES_S if edge >= self.ttft_p99_s), TTFT_EDGES_S[-1])

    @property
    def start_budget_s(self) -> int:
        """Twice the measured cold start: what the startup probe allows as well."""
        return round(2 * self.cold_start_s)

    @property
    def wake_up_budget_s(self) -> int:
        """Twice what a first replica takes, with the node that it waits for."""
        return round(2 * (self.node_start_s + self.cold_start_s))


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Picks the series of one stack; in a shared Prometheus there may be several."""

    namespace: str

    def __call__(self, metric: str, **labels: str) -> str:
        """Return an instant selector; a value that begins with ~ is a regular expression."""
        return f"{metric}{{{','.join(self._matchers(labels))}}}"

    def active_by_pod(self, prefix: str) -> str:
        """Return the requests in flight at one of the gateway's connection managers, pod by pod."""
        return self("envoy_http_downstream_rq_active", envoy_http_conn_manager_prefix=prefix)

    def active(self, prefix: str) -> str:
        """Return the requests in flight at one of the gateway's connection managers."""
        return f"sum({self.active_by_pod(prefix)})"

    def tokens_per_second(self, model: str, window: str) -> str:
        """Return the tokens a second of a model, input and output together."""
        read = self("vllm:prompt_tokens_total", model=model)
        written = self("vllm:generation_tokens_total", model=model)
        return f"(sum(rate({read}[{window}])) + sum(rate({written}[{window}])))"

    def quantile(self, metric: str, quantile: float, by: str = "") -> str:
        """Return a quantile of a histogram over all replicas, in its unit."""
        labels = ", ".join(filter(None, ("le", by)))
        rate = f"sum by ({labels}) (rate({self(f'{metric}_bucket')}[5m]))"
        return f"histogram_quantile({quantile:g}, {rate})"

    def _matchers(self, labels: dict[str, str]) -> Iterator[str]:
        yield f'namespace="{self.namespace}"'
        for name, value in labels.items():
            operator = "=~" if value.startswith("~") else "="
            yield f'{name}{operator}"{value.removeprefix("~")}"'


def edge_label(edge_s: float) -> str:
    """Return a bucket's `le` as vLLM and Prometheus 3 write it: 1.0, 2.5, 0.001."""
    return repr(float(edge_s))


def model_prefix(model: str) -> str:
    """Return the stat prefix of a model's connection manager: held requests count there too."""
    return f"model_{model}"


def router_clusters(model: str) -> str:
    """Return a regular expression of the gateway's clusters in which a model's router is.

    With a hosted fallback two; in the second of them the hosted model is too.
    """
    return f"(own|hybrid)_{model}"


def spend_limit(model: str) -> str:
    """Return the rate-limit service's name (`key1`) of a hosted model's daily cap."""
    return f"spend_{model}"


def hosted_prefix(model: str) -> str:
    """Return the stat prefix of the connection manager that leads to a model's hosted fallback."""
    return f"hosted_{model}"
