"""Pods are replaced when something that they read only at their start changes."""

from collections.abc import Iterator
from typing import Any

import pytest

from components.gateway.workloads import counters_workload, gateway_workload, limits_workload
from components.images import locked_images
from components.router import router_workload
from components.workload import Part, Workload, digest
from tests.components.engine.models import a_model
from tests.components.gateway.plans import a_plan
from tests.components.observability.declared import EXISTING, parts
from tests.components.outputs import resolved
from tests.components.registered import registered_by

IMAGES = locked_images()
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"


def hashed(files: dict[str, str], secrets: dict[str, str]) -> Any:
    return resolved(lambda: digest(files, secrets))


@pytest.mark.parametrize(
    ("files", "secrets"),
    [
        ({"a": "2"}, {"s/key": "x"}),
        ({"b": "1"}, {"s/key": "x"}),
        ({"a": "1"}, {"s/key": "y"}),
        ({"a": "1"}, {"s/other": "x"}),
        ({"a": "1"}, {}),
        ({}, {"a": "1", "s/key": "x"}),
    ],
)
def test_another_file_or_secret_is_another_digest(files, secrets):
    base = hashed({"a": "1"}, {"s/key": "x"})

    assert hashed({"a": "1"}, {"s/key": "x"}) == base
    assert hashed(files, secrets) != base


def workloads() -> Iterator[Workload]:
    """Yield every workload there is, but for the engines."""
    yield gateway_workload(a_plan(), IMAGES, "{}")
    yield counters_workload(IMAGES, "p")
    yield limits_workload(a_plan(), IMAGES, "p")
    yield router_workload(a_model(), namespace="n", images=IMAGES, engine_key="k")
    yield from (*parts().workloads, *parts().trial, *parts(EXISTING).workloads)


WORKLOADS = [*workloads()]


def read_elsewhere(work: Workload) -> set[str]:
    """Return the entries of Secrets of others that the pod's environment names."""
    pod: Any = work.pod
    references = [
        variable["value_from"]["secret_key_ref"]
        for container in pod["containers"]
        for variable in container.get("env", ())
        if "value_from" in variable
    ]
    return {f"{of['name']}/{of['key']}" for of in references if of["name"] != work.name}


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
def test_what_the_environment_reads_of_others_counts(work: Workload):
    assert read_elsewhere(work) <= set(work.reads)


def test_there_are_such_workloads():
    assert {work.name for work in WORKLOADS if read_elsewhere(work)} == {
        *("gateway-limits", "support-chat-router"),
        *("langfuse-web", "langfuse-worker"),
        *("langfuse-postgres", "langfuse-clickhouse", "langfuse-cache"),
    }


def test_what_nothing_stands_in_for_is_never_moved_to_another_node():
    def register() -> None:
        for work in {work.name: work for work in workloads()}.values():
            Part(work, "serving-test", {})

    deployments = [each for each in registered_by(register) if each.kind == "Deployment"]
    staying = {
        each.name
        for each in deployments
        for pod in each.pods()
        if pod["metadata"]["annotations"].get(SAFE_TO_EVICT) == "false"
    }

    assert staying == {
        *("prometheus", "gateway-counters"),
        *("langfuse-postgres", "langfuse-clickhouse", "langfuse-cache", "langfuse-blobs"),
    }


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
def test_only_a_single_pod_stays_and_each_that_claims_a_volume_does(work: Workload):
    assert work.replicas == 1 or not work.stays
    assert work.stays or not work.storage_gib


def test_the_limits_are_told_the_password_that_redis_has():
    assert limits_workload(a_plan(), IMAGES, "p").reads == {"gateway-counters/password": "p"}
