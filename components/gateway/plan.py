"""What the gateway is made of, from what a stack declares. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from stacks.aws.target import Eks
from stacks.gateway import GatewayKey, Mirror, Tls, TlsSecret
from stacks.scaling import Fallback
from stacks.stack import ServedModel, Stack

FIRST_BYTE_OVER_SLO: Final = 10
"""A streamed answer this many times later than the promised p99 has failed: the hosted model answers."""
FIRST_BYTE_MIN_S: Final = 10.0
ISSUED_TLS_SECRET: Final = "gateway-tls"  # noqa: S105 - a name
"""Secret that cert-manager writes the certificate to."""
NODE_PORTS: Final = {"http": 30080, "https": 30443}
"""Ports of every node behind a load balancer of the program's own; within Kubernetes' 30000 to 32767."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD for a million tokens, which is micro-USD for one."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """The hosted model behind an own one."""

    host: str
    port: int
    tls: bool
    path: str
    """What stands in place of /v1 in the provider's paths; ends without a slash."""
    model: str
    daily_cap_micro_usd: int
    price: Price

    @property
    def traced_as(self) -> str:
        """Its name in traces, e.g. api.fireworks.ai/qwen3-8b.

        An own name has no slash, so no price of one's own counts for it, whatever the provider's name is.
        """
        return f"{self.host}/{self.model}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One own model behind its router."""

    name: str
    names: tuple[str, ...]
    """Its own name and its aliases."""
    adapters: tuple[str, ...]
    """They never fall back: the hosted model has other weights."""
    hold_s: int
    longest_tokens: int
    """Of a request, input and output together; what an answer without usage counts at most."""
    first_byte_s: float
    """A streamed answer that begins later is given to the hosted model instead."""
    hosted: Hosted | None


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where everything listens and is found; tests put loopback addresses here."""

    listen: str = "0.0.0.0"  # noqa: S104 - the pod's own address; network policies say who may ask
    edge: int = 8080
    metrics: int = 9902
    lifecycle: int = 9903
    """For the kubelet only: readiness, and the drain before a stop."""
    pause: int = 9904
    """A loopback port that answers after a second; the drain waits with it."""
    admin: int = 9901
    inner: int = 9920
    """First of the loopback ports of the hosted models, one for each model."""
    routers: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Router of a model; left out, its Service."""
    limits: tuple[str, int] = ("gateway-limits", 8081)
    collector: tuple[str, int] = ("otel-collector", 4318)
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    """Authorities that hosted providers are checked against; the image's own."""
    certificate: str = "/etc/tls"
    """Folder of tls.crt and tls.key."""

    def router(self, model: str) -> tuple[str, int]:
        """Return host and port of a model's router."""
        return self.routers.get(model, (f"{model}-router", 8090))


@dataclass(frozen=True, kw_only=True)
class GatewayPlan:
    """Everything that the gateway's configuration says, but for the secrets."""

    replicas: int
    exposure: str
    node_port: int | None
    """Of every node, where the load balancer is the program's own; None where there is no such."""
    tls_secret: str | None
    longest_request_s: float
    longest_silence_s: float
    largest_request_bytes: int
    span_fraction: float
    traces: bool
    """Whether there is a collector to send spans to."""
    prompts_until: date | None
    """Last day, in UTC, on which prompts and answers are recorded."""
    keys: tuple[GatewayKey, ...]
    models: tuple[Model, ...]
    mirror: Mirror | None
    at: Addresses = field(default_factory=Addresses)

    def hosted_port(self, model: Model) -> int:
        """Return the loopback port of the listener in front of a model's provider."""
        return self.at.inner + self.models.index(model)

    def reachable(self, key: GatewayKey) -> Iterator[tuple[Model, tuple[str, ...], bool]]:
        """Yield each model of a key, the names it may use, and whether they may be answered hosted."""
        for model in self.models:
            named = tuple(n for n in model.names if n in key.models)
            adapters = tuple(n for n in model.adapters if n in key.models)
            if named:
                yield model, named, may_leave(key) and model.hosted is not None
            if adapters:
                yield model, adapters, False

    def concurrent(self, key: GatewayKey) -> int:
        """Return a key's requests in flight in one pod: 40 over 3 pods are 14 each."""
        return math.ceil(key.concurrent_requests / self.replicas)

    def longest_s(self, model: Model) -> float:
        """Return the time after which a request is ended: what it may take, and be held before."""
        return self.longest_request_s + model.hold_s


def may_leave(key: GatewayKey) -> bool:
    """Return whether what is sent with a key may be answered by a hosted model."""
    return key.may_fall_back and key.residency == "open"


def gateway_plan(stack: Stack, prices: Mapping[str, Price]) -> GatewayPlan:
    """Return the plan of a stack; `prices` are the comparators', by the own model's name."""
    gateway, recording = stack.gateway, stack.observability.prompts
    return GatewayPlan(
        replicas=gateway.replicas,
        exposure=gateway.exposure,
        node_port=node_port(stack),
        tls_secret=_tls_secret(gateway.tls),
        longest_request_s=gateway.longest_request_seconds,
        longest_silence_s=gateway.longest_silence_seconds,
        largest_request_bytes=math.ceil(gateway.largest_request_mib * 2**20),
        span_fraction=gateway.span_fraction,
        traces=stack.observability.traces,
        prompts_until=recording.until if recording else None,
        keys=gateway.keys,
        models=tuple(_model(model, prices) for model in stack.models),
        mirror=gateway.mirror,
        at=Addresses(edge=8443 if gateway.tls else 8080),
    )


def node_port(stack: Stack) -> int | None:
    """Return the port of every node by which clients come in; None where none leads there."""
    if not isinstance(stack.target, Eks) or stack.gateway.exposure != "load_balancer":
        return None
    return NODE_PORTS["https" if stack.gateway.tls else "http"]


def _tls_secret(tls: Tls | None) -> str | None:
    if tls is None:
        return None
    return tls.name if isinstance(tls, TlsSecret) else ISSUED_TLS_SECRET


def _model(model: ServedModel, prices: Mapping[str, Price]) -> Model:
    serving, promised_s = model.serving, model.workload.slo.ttft_p99_ms / 1000
    return Model(
        name=model.name,
        names=(model.name, *serving.aliases),
        adapters=tuple(adapter.name for adapter in serving.adapters),
        hold_s=serving.hold_seconds,
        longest_tokens=model.workload.max_model_len,
        first_byte_s=max(FIRST_BYTE_MIN_S, FIRST_BYTE_OVER_SLO * promised_s),
        hosted=_hosted(serving.fallback, prices[model.name]) if serving.fallback else None,
    )


def _hosted(fallback: Fallback, comparator: Price) -> Hosted:
    url = urlsplit(fallback.base_url)
    tls = url.scheme == "https"
    return Hosted(
        host=url.hostname or "",
        port=url.port or (443 if tls else 80),
        tls=tls,
        path=url.path.rstrip("/"),
        model=fallback.model,
        daily_cap_micro_usd=math.floor(fallback.daily_cap_usd * 1e6),
        price=_price(fallback) or comparator,
    )


def _price(fallback: Fallback) -> Price | None:
    paid_in, paid_out = fallback.input_usd_per_mtok, fallback.output_usd_per_mtok
    if paid_in is None or paid_out is None:
        return None
    return Price(input_usd_per_mtok=paid_in, output_usd_per_mtok=paid_out)
