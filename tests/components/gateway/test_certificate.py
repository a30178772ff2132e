"""The certificate is asked of the issuer that is declared, into the Secret that the gateway mounts."""

from typing import Any

import pytest

from components.gateway.certificate import certificate
from components.gateway.workloads import gateway_workload
from components.images import locked_images
from stacks.stack import Stack
from tests.components.gateway.plans import a_plan
from tests.factories import Changes, a_stack

ISSUED = {"gateway.tls": {"kind": "issuer", "name": "public", "host": "llm.example.com"}}
OWN = {"gateway.tls": {"kind": "secret", "name": "web-tls"}}


def made(changes: Changes):
    gateway = Stack.model_validate(a_stack(changes)).gateway
    return certificate(gateway, namespace="serving-x", labels={"a": "b"})


def test_an_issuer_is_asked_for_the_declared_host():
    assert made(ISSUED) == {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "gateway-tls", "namespace": "serving-x", "labels": {"a": "b"}},
        "spec": {
            "secretName": "gateway-tls",
            "dnsNames": ["llm.example.com"],
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "public"},
            "privateKey": {"rotationPolicy": "Always"},
        },
    }


def test_an_issuer_of_the_namespace_is_one():
    found = made({"gateway.tls": ISSUED["gateway.tls"] | {"issuer_kind": "Issuer"}})
    assert found
    assert found["spec"]["issuerRef"]["kind"] == "Issuer"


@pytest.mark.parametrize("changes", [{}, OWN])
def test_without_an_issuer_nothing_is_asked_for(changes: Changes):
    assert made(changes) is None


def test_the_gateway_mounts_what_is_issued():
    pod: Any = gateway_workload(a_plan(ISSUED), locked_images(), "{}").pod
    found = made(ISSUED)
    assert found
    (mounted,) = [v["secret"] for v in pod["volumes"] if v["name"] == "certificate"]
    assert mounted["secret_name"] == found["spec"]["secretName"]
