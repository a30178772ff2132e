"""Each kind of pod is found by its labels, under the same job for both Prometheuses."""

import yaml

from components.observability.scraping import JOBS, pod_monitors, scrape_file
from tests.components.observability.declared import NAMESPACE, parts

SCRAPES = {job["job_name"]: job for job in yaml.safe_load(scrape_file(NAMESPACE))["scrape_configs"]}


def test_gateway_and_routers_are_looked_at_every_five_seconds():
    fast = {name for name, job in SCRAPES.items() if job["scrape_interval"] == "5s"}

    assert fast == {"gateway", "router"}


def test_the_gateways_metrics_stand_where_envoy_writes_them():
    assert SCRAPES["gateway"]["metrics_path"] == "/stats/prometheus"


def test_only_pods_of_the_namespace_are_looked_for():
    for job in SCRAPES.values():
        (found,) = job["kubernetes_sd_configs"]
        assert found == {"role": "pod", "namespaces": {"names": [NAMESPACE]}}


def test_routers_and_engines_say_which_model_they_serve():
    named = {
        name
        for name, job in SCRAPES.items()
        if any(rule.get("target_label") == "model" for rule in job["relabel_configs"])
    }

    assert named == {"router", "vllm"}


def test_an_operator_scrapes_the_same_pods():
    monitors = {m["metadata"]["name"]: m["spec"] for m in pod_monitors(NAMESPACE, {})}

    for job in JOBS[:-1]:
        spec = monitors[f"breakeven-{job.component}"]
        (endpoint,) = spec["podMetricsEndpoints"]
        assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/name": job.component}}
        assert (endpoint["port"], endpoint["path"]) == (job.port, job.path)
        assert spec["jobLabel"] == "app.kubernetes.io/name"


def test_the_own_prometheus_may_look_at_pods_and_nothing_else():
    (work,) = [work for work in parts().workloads if work.name == "prometheus"]

    assert [rule["resources"] for rule in work.rules] == [["pods"]]
    assert work.pod["automount_service_account_token"] is True
