"""What is registered for each way of observing a stack."""

from typing import Any

import pytest

from components.images import locked_images
from components.observability.parts import observability_images
from components.workload import Workload
from tests.components.observability.declared import EXISTING, NONE, OPERATOR, a_declared, parts

STORES = ["langfuse-postgres", "langfuse-clickhouse", "langfuse-cache", "langfuse-blobs"]
CASES: list[Any] = [
    (
        {},
        ["otel-collector", "prometheus", "langfuse-web", "langfuse-worker"],
        STORES,
    ),
    (EXISTING, ["otel-collector", "prometheus"], []),
    (NONE, ["prometheus"], []),
    (NONE | OPERATOR, [], []),
]


@pytest.mark.parametrize(("changes", "workloads", "trial"), CASES)
def test_only_what_is_declared_is_deployed(changes, workloads, trial):
    found = parts(changes)

    assert [work.name for work in found.workloads] == workloads
    assert [work.name for work in found.trial] == trial


@pytest.mark.parametrize(("changes", "workloads", "trial"), CASES)
def test_the_images_that_are_needed_are_those_that_are_used(changes, workloads, trial):
    found = parts(changes)
    used = {c["image"] for work in _all(found) for c in _containers(work)}
    if found.price_job:
        used.add(locked_images()["langfuse-web"])

    assert used == {locked_images()[n] for n in observability_images(a_declared(changes))}, (
        f"{workloads}, {trial}"
    )


def test_every_pod_meets_pod_security_restricted():
    for work in _all(parts()):
        pod: Any = work.pod
        assert pod["security_context"]["run_as_non_root"]
        assert pod["security_context"]["run_as_user"] > 0
        for container in _containers(work):
            context = container["security_context"]
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert not context["allow_privilege_escalation"]


def test_every_root_is_read_only_but_langfuses_own():
    writable = {
        work.name
        for work in _all(parts())
        for container in _containers(work)
        if not container["security_context"]["read_only_root_filesystem"]
    }

    assert writable == {"langfuse-web", "langfuse-worker"}


def test_every_port_of_a_service_is_one_of_its_containers():
    for work in _all(parts()):
        ports = {p["name"]: p["container_port"] for c in _containers(work) for p in c["ports"]}
        assert dict(work.ports) == ports


def test_every_mount_has_its_volume():
    for work in _all(parts()):
        pod: Any = work.pod
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {m["name"] for c in _containers(work) for m in c.get("volume_mounts", [])}
        assert volumes == mounts, work.name


def test_a_store_keeps_its_data_on_a_volume_that_two_pods_never_share():
    for work in parts().trial:
        assert work.storage_gib == 20
        assert work.strategy["type"] == "Recreate"
        assert work.replicas == 1


def test_an_operator_gets_monitors_and_all_rules():
    manifests = parts(OPERATOR).manifests

    assert [manifest["kind"] for manifest in manifests] == [*["PodMonitor"] * 5, "PrometheusRule"]
    assert {m["metadata"]["labels"]["release"] for m in manifests} == {"kube-prometheus-stack"}
    names = [group["name"] for group in manifests[-1]["spec"]["groups"]]
    assert names == [
        *("breakeven-recordings", "breakeven-alerts", "breakeven-keda", "breakeven-nodes")
    ]


def _all(found) -> list[Workload]:
    return [*found.workloads, *found.trial]


def _containers(work: Workload) -> list[Any]:
    pod: Any = work.pod
    return list(pod["containers"])
