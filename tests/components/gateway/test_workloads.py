from typing import Any

import pytest

from components.gateway.overload import memory_gib
from components.gateway.workloads import (
    gateway_workload,
    limits_workload,
    redis_text,
)
from components.images import locked_images
from components.workload import service_spec
from tests.components.gateway.plans import a_plan

TLS = {"gateway.tls": {"kind": "secret", "name": "web-tls"}}


def _gateway(changes=None):
    return gateway_workload(a_plan(changes), locked_images(), "{}")


def test_a_pod_that_stops_waits_until_its_last_request_has_ended():
    # 15 s until nobody sends new ones + the longest request of 120 s + 15 s spare.
    pod = _gateway().pod
    assert pod["termination_grace_period_seconds"] == 150
    hook = pod["containers"][0]["lifecycle"]["pre_stop"]
    assert hook == {"http_get": {"path": "/drain", "port": "lifecycle"}}


def test_the_service_has_no_way_to_the_drain():
    assert dict(_gateway().ports) == {"http": 8080}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "ClusterIP"),
        ({**TLS, "gateway.exposure": "load_balancer"}, "LoadBalancer"),
    ],
)
def test_outside_of_eks_no_port_of_a_node_leads_to_it(changes, kind):
    service: Any = service_spec(_gateway(changes))
    assert service["type"] == kind
    assert "external_traffic_policy" not in service
    assert all("node_port" not in port for port in service["ports"])


def test_keys_are_in_a_secret_and_never_in_a_config_map():
    assert set(_gateway().secrets) == {"envoy.yaml"}
    assert not _gateway().files


def test_with_a_certificate_it_speaks_tls_only():
    workload = _gateway(TLS)
    assert dict(workload.ports) == {"https": 8443}
    assert "certificate.yaml" in workload.files
    assert len(workload.pod["volumes"]) == 3


def test_memory_holds_every_body_twice():
    # (200 + 20) requests a pod x 4 MiB x 2 = 1.72 GiB, and 0.5 for itself, in quarters.
    assert memory_gib(a_plan()) == 2.25


def test_two_pods_count_the_limits():
    workload = limits_workload(a_plan(), locked_images(), "p")
    assert workload.replicas == 2
    assert set(workload.files) == {"limits.yaml"}


def test_a_days_spend_is_the_last_counter_to_go():
    assert "maxmemory-policy volatile-ttl" in redis_text("p")
