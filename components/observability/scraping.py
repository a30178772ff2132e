"""What is scraped, from which pods, how often: for a Prometheus of one's own and for an operator's. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from components.eks import gpu_daemons
from components.labels import APP, INSTANCE
from components.observability.rules import Group, rule_spec
from components.observability.signals import POD_HASHES

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
    reports_from: str = ""
    """Namespace of pods that report on the stack's and are none of them; empty for its own."""


JOBS: Final = (
    Job(component="gateway", port="metrics", path="/stats/prometheus", interval_s=FAST_S),
    Job(component="router", port="metrics", interval_s=FAST_S, per_model=True),
    Job(component="vllm", port="http", per_model=True),
    Job(component="gateway-limits", port="metrics"),
    Job(component="otel-collector", port="metrics"),
    Job(component="prometheus", port="http"),
)
GPUS: Final = Job(
    component=gpu_daemons.EXPORTER, port="metrics", reports_from=gpu_daemons.NAMESPACE
)
"""Only where the cluster is made here."""


def scrape_file(namespace: str, rule_files: Sequence[str] = (), *, gpus: bool = False) -> str:
    """Return prometheus.yml; pods are found by their labels, in one namespace, and GPUs in theirs."""
    jobs = (*JOBS, GPUS) if gpus else JOBS
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": f"{SLOW_S}s", "evaluation_interval": f"{SLOW_S}s"},
            "rule_files": list(rule_files),
            "scrape_configs": [_scrape(job, namespace) for job in jobs],
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
        "kubernetes_sd_configs": [
            {"role": "pod", "namespaces": {"names": [job.reports_from or namespace]}}
        ],
        "relabel_configs": [
            _keep([_meta(APP), "__meta_kubernetes_pod_container_port_name"], job),
            # A pod that has ended keeps its address for a while.
            {
                "source_labels": ["__meta_kubernetes_pod_phase"],
                "regex": "Failed|Succeeded",
                "action": "drop",
            },
            *(_of_others(namespace) if job.reports_from else _of_itself(job)),
        ],
        **(_NAMED_BY_ITSELF if job.reports_from else {}),
    }


def _of_itself(job: Job) -> list[dict[str, object]]:
    model: dict[str, object] = {"source_labels": [_meta(INSTANCE)], "target_label": "model"}
    return [
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        *([model] * job.per_model),
    ]


def _of_others(namespace: str) -> list[dict[str, object]]:
    """Return where a GPU is, and whose: a cluster that is made here has those of its stack."""
    return [
        {"target_label": "namespace", "replacement": namespace},
        {"source_labels": ["__meta_kubernetes_pod_node_name"], "target_label": "node"},
    ]


_NAMED_BY_ITSELF: Final[Mapping[str, object]] = {
    # Namespace and pod of a series are those of the pod that has the GPU; one without keeps the above.
    "honor_labels": True,
    "metric_relabel_configs": [
        {"source_labels": ["pod"], "regex": f"(.+){POD_HASHES}", "target_label": "model"}
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
