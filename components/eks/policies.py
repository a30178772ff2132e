"""Who may talk to whom in the namespaces that a new cluster gets: all is closed but what is here. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from components.autoscaling.scaled_object import PROMETHEUS_PORT
from components.aws.plan import AwsPlan
from components.eks import cluster_autoscaler, gpu_daemons
from components.labels import APP, namespace_name, selector
from components.network import ends
from components.network.policies import dns, policy
from stacks.aws.made import needed_charts, service_cidr

Manifest = dict[str, Any]

KEDA: Final = "keda"
KARPENTER: Final = "karpenter"
HTTPS: Final = 443
KEDA_METRICS_PORT: Final = 6443
"""Of the metrics adapter, which the API server asks for the HPA."""
POD_IDENTITY_PORT: Final = 80


def cluster_policies(plan: AwsPlan) -> Iterator[Manifest]:
    """Yield the policies of every namespace that is made here."""
    charts = needed_charts(plan.eks, plan.stack)
    yield from _gpu_add_ons(plan)
    scaler = KARPENTER if KARPENTER in charts else cluster_autoscaler.NAME
    yield from _closed(scaler, egress=[dns(), *_api_server(plan), *_aws(plan)])
    if KEDA in charts:
        yield from _keda(plan)


def _closed(namespace: str, **rules: list[Manifest]) -> Iterator[Manifest]:
    """Yield two: everything is closed, and what all pods of the namespace may do beside."""
    yield policy("deny-all", namespace, {}, {"ingress": [], "egress": []})
    if rules:
        yield policy("all", namespace, {}, rules)


def _gpu_add_ons(plan: AwsPlan) -> Iterator[Manifest]:
    """Yield those of the GPU daemons: they talk to the kubelet, by its sockets; Prometheus may ask."""
    yield from _closed(gpu_daemons.NAMESPACE)
    chosen = selector(gpu_daemons.EXPORTER, gpu_daemons.EXPORTER)
    asked = {"from": _prometheus(plan), **_ports(gpu_daemons.EXPORTER_PORT)}
    yield policy(
        gpu_daemons.EXPORTER, gpu_daemons.NAMESPACE, {"matchLabels": chosen}, {"ingress": [asked]}
    )


def _keda(plan: AwsPlan) -> Iterator[Manifest]:
    asked_by_api = {
        "from": ends.blocks(plan.eks.network.cidr),
        **_ports(KEDA_METRICS_PORT),
    }
    among: list[Manifest] = [{"podSelector": {}}]
    yield from _closed(
        KEDA,
        ingress=[{"from": among}, asked_by_api],
        egress=[
            {"to": among},
            dns(),
            *_api_server(plan),
            {"to": _prometheus(plan), **_ports(PROMETHEUS_PORT)},
        ],
    )


def _api_server(plan: AwsPlan) -> list[Manifest]:
    peers = ends.blocks(plan.eks.network.cidr, service_cidr(plan.eks))
    return [{"to": peers, **_ports(HTTPS)}]


def _aws(plan: AwsPlan) -> list[Manifest]:
    """Return the way to AWS, and to the agent that gives a pod the credentials of its role."""
    agent = ends.blocks(ends.POD_IDENTITY_AGENT)
    return [
        {"to": ends.anywhere(plan.stack), **_ports(HTTPS)},
        {"to": agent, **_ports(POD_IDENTITY_PORT)},
    ]


def _prometheus(plan: AwsPlan) -> list[Manifest]:
    """Return the stack's Prometheus."""
    chosen = {"podSelector": {"matchLabels": {APP: "prometheus"}}}
    return [ends.namespace_peer(namespace_name(plan.name))[0] | chosen]


def _ports(number: int) -> Manifest:
    return {"ports": [{"protocol": "TCP", "port": number}]}
