"""What is scraped, from which pods, how often: for a Prometheus of one's own and for an operator's. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from components.labels import APP, INSTANCE
from components.observability.rules import Group, rule_spec

POD_LABEL: Final = "__meta_kubernetes_pod_label_"
FAST_S: Final = 5
"""Gateway and routers: the autoscaler looks every ten seconds."""
SLOW_S: Final = 15


@dataclass(frozen=True, kw_only=True)
class Job:
    """One kind of pod; the job has its component's name."""

    component: str
    port: str
    """Name of the container's port."""
    path: str = "/metrics"
    interval_s: int = SLOW_S
    per_model: bool = False
    """Its instance label is the model."""


JOBS: Final = (
    Job(component="gateway", port="metrics", path="/stats/prometheus", interval_s=FAST_S),
    Job(component="router", port="metrics", interval_s=FAST_S, per_model=True),
    Job(component="vllm", port="http", per_model=True),
    Job(component="gateway-limits", port="metrics"),
    Job(component="otel-collector", port="metrics"),
    Job(component="prometheus", port="http"),
)


def scrape_file(namespace: str, rule_files: Sequence[str] = ()) -> str:
    """Return prometheus.yml; pods are found by their labels, in one namespace."""
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": f"{SLOW_S}s", "evaluation_interval": f"{SLOW_S}s"},
            "rule_files": list(rule_files),
            "scrape_configs": [_scrape(job, namespace) for job in JOBS],
        },
        sort_keys=False,
        width=1000,
    )


def pod_monitors(namespace: str, labels: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return the same jobs as PodMonitors, with the labels by which the operator chooses them."""
    jobs = [job for job in JOBS if job.component != "prometheus"]
    return tuple(_pod_monitor(job, namespace, labels) for job in jobs)


def prometheus_rule(
    namespace: str, groups: Sequence[Group], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return every rule as a PrometheusRule: the operator's Prometheus sees KEDA and the nodes too."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "breakeven", "namespace": namespace, "labels": dict(labels)},
        "spec": rule_spec(groups),
    }


def _scrape(job: Job, namespace: str) -> dict[str, object]:
    return {
        "job_name": job.component,
        "metrics_path": job.path,
        "scrape_interval": f"{job.interval_s}s",
        "scrape_timeout": f"{job.interval_s}s",
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": [
            _keep([_meta(APP), "__meta_kubernetes_pod_container_port_name"], job),
            # A pod that has ended keeps its address for a while.
            {
                "source_labels": ["__meta_kubernetes_pod_phase"],
                "regex": "Failed|Succeeded",
                "action": "drop",
            },
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            *([{"source_labels": [_meta(INSTANCE)], "target_label": "model"}] * job.per_model),
        ],
    }


def _keep(sources: list[str], job: Job) -> dict[str, object]:
    return {"source_labels": sources, "regex": f"{job.component};{job.port}", "action": "keep"}


def _pod_monitor(job: Job, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    model = [{"sourceLabels": [_meta(INSTANCE)], "targetLabel": "model"}]
    endpoint = {
        "port": job.port,
        "path": job.path,
        "interval": f"{job.interval_s}s",
        "scrapeTimeout": f"{job.interval_s}s",
        "relabelings": model * job.per_model,
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {
            "name": f"breakeven-{job.component}",
            "namespace": namespace,
            "labels": dict(labels),
        },
        "spec": {
            "jobLabel": APP,
            "selector": {"matchLabels": {APP: job.component}},
            "podMetricsEndpoints": [endpoint],
        },
    }


def _meta(label: str) -> str:
    """Return Prometheus' name of a pod label: app.kubernetes.io/name has no dot and no slash left."""
    return POD_LABEL + label.translate(str.maketrans("./-", "___"))
