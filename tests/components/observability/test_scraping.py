"""Each kind of pod is found by its labels, under the same job for both Prometheuses."""

import re
from typing import Any

import pytest
import yaml

from components.observability.scraping import JOBS, pod_monitors, scrape_file
from stacks.reading import parse_stack
from tests.components.aws.registered import declared
from tests.components.observability.declared import NAMESPACE, NONE, a_declared, parts, parts_of


def scrapes(text: str) -> dict[str, Any]:
    return {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}


SCRAPES = scrapes(scrape_file(NAMESPACE))
GPUS = scrapes(scrape_file(NAMESPACE, gpus=True))["dcgm-exporter"]


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


def test_gpus_are_asked_for_in_their_namespace_and_belong_to_the_stacks():
    (found,) = GPUS["kubernetes_sd_configs"]
    targets = {rule["target_label"]: rule for rule in GPUS["relabel_configs"] if len(rule) == 2}

    assert found["namespaces"] == {"names": ["gpu-add-ons"]}
    assert targets["namespace"]["replacement"] == NAMESPACE
    # What the exporter says of the pod that has a GPU is not overwritten by what is said of its own.
    assert GPUS["honor_labels"] is True
    assert set(targets) == {"namespace", "node"}


@pytest.mark.parametrize(
    ("pod", "model"),
    [("support-chat-7d4b9c6f5-x2x7k", "support-chat"), ("", None), ("training", None)],
)
def test_a_gpu_has_the_model_of_its_pod(pod: str, model: str | None):
    (rule,) = GPUS["metric_relabel_configs"]
    found = re.fullmatch(rule["regex"], pod)

    assert (rule["source_labels"], rule["target_label"]) == (["pod"], "model")
    assert (found[1] if found else None) == model


@pytest.mark.parametrize(
    ("stack", "scraped"),
    [(a_declared(), False), (parse_stack(declared("staging", NONE), file="stack.yaml"), True)],
    ids=["render", "eks"],
)
def test_gpus_are_scraped_and_shown_where_the_cluster_is_made_here(stack, scraped):
    made = parts_of(stack)
    (work,) = [work for work in made.workloads if work.name == "prometheus"]
    texts = {
        "scraped": work.files["prometheus.yml"],
        "told": work.files["rules.yml"],
        "shown": made.dashboard,
    }

    assert {name for name, text in texts.items() if "dcgm" in text.lower()} == (
        set(texts) if scraped else set()
    )


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
