"""The certificate that cert-manager issues for the gateway, and renews."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.gateway.plan import ISSUED_TLS_SECRET
from stacks.gateway import Gateway, TlsIssuer

GROUP = "cert-manager.io"


def certificate(
    gateway: Gateway, *, namespace: str, labels: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the Certificate; None where no issuer is declared."""
    tls = gateway.tls
    if not isinstance(tls, TlsIssuer):
        return None
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Certificate",
        "metadata": {
            "name": ISSUED_TLS_SECRET,
            "namespace": namespace,
            "labels": dict(labels),
        },
        "spec": {
            "secretName": ISSUED_TLS_SECRET,
            "dnsNames": [tls.host],
            "issuerRef": {"group": GROUP, "kind": tls.issuer_kind, "name": tls.name},
            # A new key at each renewal: an old one that leaked is worth nothing afterwards.
            "privateKey": {"rotationPolicy": "Always"},
        },
    }


def certificates(
    gateway: Gateway, namespace: str, labels: Mapping[str, str], opts: ResourceOptions
) -> list[pulumi.Resource]:
    """Return what was registered: the gateway's pods do not start before its Secret is there."""
    made = certificate(gateway, namespace=namespace, labels=labels)
    if made is None:
        return []
    return [
        k8s.apiextensions.CustomResource(
            ISSUED_TLS_SECRET,
            api_version=made["apiVersion"],
            kind=made["kind"],
            metadata=made["metadata"],
            spec=made["spec"],
            opts=opts,
        )
    ]
