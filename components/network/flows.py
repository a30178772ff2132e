"""Who may talk to whom, on which port and why: the one table. What is not in it is closed."""

from collections.abc import Callable
from typing import Final, NamedTuple

from components.eks.gpu_daemons import EXPORTER_PORT
from components.engine.plan import PORT as ENGINE_PORT
from components.network import ends
from components.network.ends import End, Ports
from components.observability.langfuse_environment import (
    POSTGRES_PORT,
    REDIS_PORT,
    clickhouse_ports,
)
from components.router import METRICS_PORT as ROUTER_METRICS_PORT
from components.router import PORT as ROUTER_PORT
from stacks.aws.target import Eks
from stacks.observability import (
    BundledStores,
    ExistingLangfuse,
    ExternalStores,
    OwnLangfuse,
    OwnPrometheus,
)
from stacks.sources import HubSource, S3Source, StoreSource
from stacks.stack import ServedModel, Stack

When = Callable[[Stack, ServedModel], bool]
PortsOf = Callable[[Stack, ServedModel], tuple[int, ...]]


def _always(_: Stack, __: ServedModel) -> bool:
    return True


class Flow(NamedTuple):
    """Connections that one end may open to the other."""

    source: End
    target: End
    ports: tuple[int, ...] | PortsOf
    """Of the target's pods; a function where they follow from what is declared."""
    why: str
    only: str = ""
    """When there are any, in words; empty is always."""
    when: When = _always
    """The same for one model of a stack."""


def _fixed_ports(*numbers: int) -> PortsOf:
    return lambda _stack, _model: numbers


def _gateway_ports(stack: Stack, _: ServedModel) -> tuple[int, ...]:
    return (8080,) if stack.gateway.tls is None else (8443,)


def _mirror_ports(stack: Stack, _: ServedModel) -> tuple[int, ...]:
    return (stack.gateway.mirror.port,) if stack.gateway.mirror else ()


def _fallback_ports(_: Stack, model: ServedModel) -> tuple[int, ...]:
    fallback = model.serving.fallback
    return (ends.url_port(fallback.base_url),) if fallback else ()


def _langfuse_ports(stack: Stack, _: ServedModel) -> tuple[int, ...]:
    langfuse = stack.observability.langfuse
    return (ends.url_port(langfuse.url),) if isinstance(langfuse, ExistingLangfuse) else ()


def _clickhouse_ports(stack: Stack, _: ServedModel) -> tuple[int, ...]:
    stores = _external(stack)
    return clickhouse_ports(tls=stores.clickhouse_tls) if stores else ()


def _bucket_ports(stack: Stack, _: ServedModel) -> tuple[int, ...]:
    stores = _external(stack)
    return (ends.url_port(stores.s3_endpoint) if stores and stores.s3_endpoint else 443,)


def _external(stack: Stack) -> ExternalStores | None:
    langfuse = stack.observability.langfuse
    stores = langfuse.stores if isinstance(langfuse, OwnLangfuse) else None
    return stores if isinstance(stores, ExternalStores) else None


def _own_langfuse(stack: Stack, _: ServedModel) -> bool:
    return isinstance(stack.observability.langfuse, OwnLangfuse)


def _bundled(stack: Stack, _: ServedModel) -> bool:
    langfuse = stack.observability.langfuse
    return isinstance(langfuse, OwnLangfuse) and isinstance(langfuse.stores, BundledStores)


def _own_prometheus(stack: Stack, _: ServedModel) -> bool:
    return isinstance(stack.observability.prometheus, OwnPrometheus)


def _downloads(_: Stack, model: ServedModel) -> bool:
    serving = model.serving
    hub = isinstance(serving.source, HubSource) and not model.weights.id.startswith("/")
    adapters = any(not adapter.id.startswith("/") for adapter in serving.adapters)
    return hub or adapters or isinstance(serving.source, S3Source)


def _stored(_: Stack, model: ServedModel) -> bool:
    return isinstance(model.serving.source, StoreSource)


def _filled_from_hub(_: Stack, model: ServedModel) -> bool:
    source = model.serving.source
    return isinstance(source, StoreSource) and source.filled_from == "hub"


def _store(name: str, host: Callable[[ExternalStores], str]) -> End:
    def peers(stack: Stack, _: ServedModel) -> list[ends.Manifest]:
        stores = _external(stack)
        assert stores is not None  # noqa: S101 - the flow is there only with them
        return ends.host_peers(host(stores), stack)

    return End(name, outside=peers)


def _bucket_host(stores: ExternalStores) -> str:
    return ends.url_host(stores.s3_endpoint) if stores.s3_endpoint else "s3.amazonaws.com"


CLIENTS: Final = End("clients", outside=ends.clients)
SCRAPER: Final = End("Prometheus", outside=ends.prometheus)
API_SERVER: Final = End("Kubernetes API", outside=ends.api_server)
KEDA: Final = End("KEDA", outside=lambda _stack, _model: ends.namespace_peer("keda"))
PROVIDER: Final = End("hosted provider", outside=ends.provider)
WEIGHTS: Final = End("model hub or bucket", outside=ends.internet)
MODEL_STORE: Final = End("model store", outside=ends.internet)
POD_IDENTITY: Final = End("Pod Identity agent", outside=ends.pod_identity)
GPU_EXPORTER: Final = End("DCGM exporter", outside=ends.gpu_exporter)
OTHER_GATEWAY: Final = End("gateway that gets a copy", outside=ends.mirror)
OTHER_LANGFUSE: Final = End("Langfuse elsewhere", outside=ends.existing_langfuse)
EXTERNAL_STORES: Final = (
    (_store("external Postgres", lambda s: s.postgres_host), _fixed_ports(POSTGRES_PORT)),
    (_store("external ClickHouse", lambda s: s.clickhouse_host), _clickhouse_ports),
    (_store("external Redis", lambda s: s.redis_host), _fixed_ports(REDIS_PORT)),
    (_store("external bucket", _bucket_host), _bucket_ports),
)
API_PORTS: Final = (443, 6443)
"""Of the Service, and of the servers behind it: it depends on the CNI which of them a policy sees."""

_SCRAPED: Final = (
    (ends.GATEWAY, 9902),
    (ends.LIMITS, 9102),
    (ends.ROUTER, ROUTER_METRICS_PORT),
    (ends.ENGINE, ENGINE_PORT),
    (ends.COLLECTOR, 8888),
)
_STORE: Final = ((MODEL_STORE, 443, "weights"), (POD_IDENTITY, 80, "the role that may read them"))
_BUNDLED_STORES: Final = (
    (ends.POSTGRES, (5432,)),
    (ends.CLICKHOUSE, (8123, 9000)),
    (ends.CACHE, (6379,)),
    (ends.BLOBS, (8333,)),
)
_LANGFUSE: Final = (ends.LANGFUSE_WEB, ends.LANGFUSE_WORKER)
_TO_LANGFUSE: Final = ((ends.COLLECTOR, "spans"), (ends.LANGFUSE_PRICES, "prices of tokens"))

FLOWS: Final[tuple[Flow, ...]] = (
    Flow(CLIENTS, ends.GATEWAY, _gateway_ports, "requests"),
    Flow(ends.GATEWAY, ends.LIMITS, (8081,), "limits of a key"),
    Flow(ends.LIMITS, ends.COUNTERS, (6379,), "counts, the same for all gateways"),
    Flow(ends.GATEWAY, ends.ROUTER, (ROUTER_PORT,), "requests that are let in"),
    Flow(
        ends.GATEWAY, PROVIDER, _fallback_ports, "what cannot be served here",
        "a model has a fallback", lambda _, model: model.serving.fallback is not None,
    ),
    Flow(
        ends.GATEWAY, OTHER_GATEWAY, _mirror_ports, "a copy of requests",
        "the gateway has a mirror", lambda stack, _: stack.gateway.mirror is not None,
    ),
    Flow(
        ends.EVALUATION, ends.ROUTER, (ROUTER_PORT,), "questions before it serves",
        "the model has an evaluation", lambda _, model: model.serving.evaluation is not None,
    ),
    Flow(ends.ROUTER, ends.ENGINE, (ENGINE_PORT,), "requests, health"),
    Flow(ends.ROUTER, API_SERVER, API_PORTS, "which replicas are there"),
    Flow(
        ends.ENGINE, WEIGHTS, (443,), "weights and adapters",
        "they come from the hub or a bucket", _downloads,
    ),
    Flow(
        ends.PREFETCH, WEIGHTS, (443,), "weights", "the store is filled from the hub",
        _filled_from_hub,
    ),
    *(
        Flow(source, target, (port,), why, "the weights are in the model store", _stored)
        for source in (ends.PREFETCH, ends.ENGINE)
        for target, port, why in _STORE
    ),
    *(Flow(source, ends.COLLECTOR, (4318,), "spans") for source in (ends.GATEWAY, ends.ENGINE)),
    *(
        Flow(
            source, ends.LANGFUSE_WEB, (3000,), why, "Langfuse is the stack's own", _own_langfuse,
        )
        for source, why in _TO_LANGFUSE
    ),
    *(
        Flow(
            source, OTHER_LANGFUSE, _langfuse_ports, why, "there is a Langfuse elsewhere",
            lambda stack, _: isinstance(stack.observability.langfuse, ExistingLangfuse),
        )
        for source, why in _TO_LANGFUSE
    ),
    *(
        Flow(source, store, ports, "traces and sessions", "the stores are bundled", _bundled)
        for source in _LANGFUSE
        for store, ports in _BUNDLED_STORES
    ),
    *(
        Flow(
            source, store, ports, "traces and sessions", "the stores are external",
            lambda stack, _: _external(stack) is not None,
        )
        for source in _LANGFUSE
        for store, ports in EXTERNAL_STORES
    ),
    *(Flow(SCRAPER, target, (port,), "metrics") for target, port in _SCRAPED),
    Flow(
        ends.PROMETHEUS, API_SERVER, API_PORTS, "what there is to scrape",
        "Prometheus is the stack's own", _own_prometheus,
    ),
    Flow(
        ends.PROMETHEUS, GPU_EXPORTER, (EXPORTER_PORT,), "metrics of GPUs",
        "the cluster is made here", lambda stack, _: isinstance(stack.target, Eks),
    ),
    Flow(
        KEDA, ends.PROMETHEUS, (9090,), "requests in flight",
        "Prometheus is the stack's own, and a model is autoscaled",
        lambda stack, model: _own_prometheus(stack, model) and model.serving.scaling is not None,
    ),
)  # fmt: skip
"""DNS is for all, and stands in policies.py."""


def ports_of(flow: Flow, stack: Stack, model: ServedModel) -> Ports:
    """Return the ports of a flow in a stack."""
    numbers = flow.ports if isinstance(flow.ports, tuple) else flow.ports(stack, model)
    return Ports(numbers)
