"""The two ends of a flow: pods of the stack, and what is outside of its namespace. Pure."""

import ipaddress
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from components.eks import gpu_daemons
from components.labels import APP, INSTANCE, selector
from stacks.aws.made import service_cidr
from stacks.aws.target import Eks, NoEgress
from stacks.aws.values import PRIVATE
from stacks.observability import ExistingLangfuse, OwnPrometheus
from stacks.stack import ServedModel, Stack

Manifest = dict[str, Any]

LINK_LOCAL: Final = "169.254.0.0/16"
"""Instance metadata, with the credentials of a node: never reached from here."""
POD_IDENTITY_AGENT: Final = "169.254.170.23/32"
"""Of EKS, on port 80 of every node: AWS_CONTAINER_CREDENTIALS_FULL_URI leads there."""
ANY_ADDRESS: Final = "0.0.0.0/0"

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""Label that every namespace has, with its name."""


class Ports(NamedTuple):
    """Ports of one protocol."""

    numbers: tuple[int, ...]
    protocol: str = "TCP"


class End(NamedTuple):
    """One end of a flow: the pods of a part of the stack, or peers outside of it."""

    name: str
    """As in the table."""
    component: str = ""
    """Of the stack's own pods; empty where it is outside."""
    instance: str = ""
    """Of the stack's own pods; empty where each model has its own."""
    outside: Callable[[Stack, ServedModel], list[Manifest]] | None = None
    """Peers of a NetworkPolicy; an empty list is anybody."""

    def pods(self, model: ServedModel) -> dict[str, str]:
        """Return the labels of its pods."""
        return selector(self.component, self.instance or model.name)

    def peers(self, stack: Stack, model: ServedModel) -> list[Manifest]:
        """Return it as the `from` or `to` of a rule."""
        if self.outside is not None:
            return self.outside(stack, model)
        return [{"podSelector": {"matchLabels": self.pods(model)}}]


def part(component: str, instance: str = "") -> End:
    """Return pods that a stack has once."""
    return End(component, component, instance or component)


def blocks(*cidrs: str) -> list[Manifest]:
    """Return every address of these ranges."""
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def api_server(stack: Stack, _: ServedModel) -> list[Manifest]:
    """Return where API servers are: where it is declared; on EKS in the VPC, behind their Service.

    There a policy sees the Service's own address, as it is before kube-proxy replaces it.
    """
    target = stack.target
    if isinstance(target, Eks):
        return blocks(target.network.cidr, service_cidr(target))
    return blocks(*target.api_server_cidrs)


def vpc(stack: Stack) -> list[Manifest] | None:
    """Return the VPC of a stack that nothing leaves; None where something may."""
    eks = stack.target
    if isinstance(eks, Eks) and isinstance(eks.network.egress, NoEgress):
        return blocks(eks.network.cidr)
    return None


def internet(stack: Stack, _: ServedModel) -> list[Manifest]:
    """Return every public address; where nothing leaves the VPC, what stands in for them there.

    A NetworkPolicy knows no host names, so that what may reach one provider reaches every public
    address on that port. Who needs less puts a policy of the CNI (Cilium's toFQDNs) or an egress proxy
    in front.
    """
    public = [{"ipBlock": {"cidr": ANY_ADDRESS, "except": [*PRIVATE, LINK_LOCAL]}}]
    return vpc(stack) or public


def anywhere(stack: Stack) -> list[Manifest]:
    """Return public and private addresses, for a host that may be either: a store in one's own network.

    Where nothing leaves the VPC it can only be in there.
    """
    return vpc(stack) or [{"ipBlock": {"cidr": ANY_ADDRESS, "except": [LINK_LOCAL]}}]


def namespace_peer(name: str) -> list[Manifest]:
    """Return every pod of another namespace."""
    return [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}]


def host_peers(host: str, stack: Stack) -> list[Manifest]:
    """Return where a declared host is: its namespace, its address, or anywhere outside."""
    return _exactly(host) or anywhere(stack)


def provider(stack: Stack, model: ServedModel) -> list[Manifest]:
    """Return where the hosted fallback is: its namespace, its address, or for a name any public one."""
    assert model.serving.fallback is not None  # noqa: S101 - the flow is there only with one
    return _exactly(url_host(model.serving.fallback.base_url)) or internet(stack, model)


def _exactly(host: str) -> list[Manifest] | None:
    """Return the namespace of what ends in `.svc` or `.svc.cluster.local`, or the address.

    None for any other name, which may be anywhere, and for what must never be reached.
    """
    labels = host.removesuffix(".cluster.local").split(".")
    if labels[-1] == "svc" and len(labels) > 2:  # noqa: PLR2004 - service, namespace, svc
        return namespace_peer(labels[-2])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.is_link_local:
        return None
    return blocks(f"{address}/{address.max_prefixlen}")


def url_port(url: str) -> int:
    """Return the port of a URL, said or by its scheme."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def url_host(url: str) -> str:
    """Return the host of a URL."""
    return urlsplit(url).hostname or ""


def clients(stack: Stack, _: ServedModel) -> list[Manifest]:
    """Return who may ask: any pod of the cluster, or anybody through the load balancer.

    Through a node port, clients arrive with the address of the node that let them in.
    """
    if stack.gateway.exposure == "cluster":
        return [{"namespaceSelector": {}}]
    return blocks(stack.target.network.cidr) if isinstance(stack.target, Eks) else []


def prometheus(stack: Stack, model: ServedModel) -> list[Manifest]:
    """Return the Prometheus that scrapes: the stack's own, or that of another namespace."""
    declared = stack.observability.prometheus
    if isinstance(declared, OwnPrometheus):
        return [{"podSelector": {"matchLabels": PROMETHEUS.pods(model)}}]
    return namespace_peer(declared.namespace)


def gpu_exporter(_: Stack, __: ServedModel) -> list[Manifest]:
    """Return what says how the GPUs of a cluster that is made here are."""
    chosen = selector(gpu_daemons.EXPORTER, gpu_daemons.EXPORTER)
    exporter = {"podSelector": {"matchLabels": chosen}}
    return [namespace_peer(gpu_daemons.NAMESPACE)[0] | exporter]


def pod_identity(_: Stack, __: ServedModel) -> list[Manifest]:
    """Return the agent on a pod's own node that gives it the credentials of its role."""
    return blocks(POD_IDENTITY_AGENT)


def mirror(stack: Stack, _: ServedModel) -> list[Manifest]:
    """Return the gateway that gets a copy: `<service>.<namespace>`, in the cluster."""
    assert stack.gateway.mirror is not None  # noqa: S101 - the flow is there only with one
    namespace = stack.gateway.mirror.host.split(".")[1]
    gateway = {"podSelector": {"matchLabels": {APP: "gateway", INSTANCE: "gateway"}}}
    return [namespace_peer(namespace)[0] | gateway]


def existing_langfuse(stack: Stack, _: ServedModel) -> list[Manifest]:
    """Return the Langfuse elsewhere."""
    declared = stack.observability.langfuse
    assert isinstance(declared, ExistingLangfuse)  # noqa: S101 - the flow is there only with one
    return host_peers(url_host(declared.url), stack)


GATEWAY: Final = part("gateway")
LIMITS: Final = part("gateway-limits")
COUNTERS: Final = part("gateway-counters")
ROUTER: Final = End("router of the model", "router")
ENGINE: Final = End("engine of the model", "vllm")
PREFETCH: Final = End("prefetch of the model", "prefetch")
EVALUATION: Final = End("evaluation of the model", "evaluation")
PROMETHEUS: Final = part("prometheus")
COLLECTOR: Final = part("otel-collector")
LANGFUSE_WEB: Final = part("langfuse-web", "langfuse")
LANGFUSE_WORKER: Final = part("langfuse-worker", "langfuse")
LANGFUSE_PRICES: Final = part("langfuse-prices", "langfuse")
POSTGRES: Final = part("langfuse-postgres", "langfuse")
CLICKHOUSE: Final = part("langfuse-clickhouse", "langfuse")
CACHE: Final = part("langfuse-cache", "langfuse")
BLOBS: Final = part("langfuse-blobs", "langfuse")
