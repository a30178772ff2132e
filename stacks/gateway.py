"""The gateway: who may ask for what, how much of it, and how clients reach it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import SERVICE, Count, Declared, DnsLabel, Fraction, Positive, Text

MIB_LIMIT = 64
SECONDS_LIMIT = 86_400
CONCURRENT_LIMIT = 100_000
MINIMUM_REPLICAS_IN_PRODUCTION = 2


class GatewayKey(Declared):
    """One client's key. Its value is a secret of the stack, or stands in a Secret of the cluster."""

    alias: DnsLabel
    """Name in logs, metrics and traces; the key itself never appears there."""
    team: DnsLabel
    """Who pays for it."""
    models: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Models, aliases and adapters it may ask for; any other answers 403."""
    requests_per_minute: Count
    """Requests a minute, over all replicas of the gateway."""
    tokens_per_minute: Count
    """Input and output tokens a minute, over all replicas of the gateway."""
    concurrent_requests: Annotated[Count, Field(le=CONCURRENT_LIMIT)]
    """Requests in flight at once; divided among the replicas of the gateway."""
    residency: Literal["open", "restricted"]
    """restricted: what is sent with it never leaves the cluster, and is neither recorded nor mirrored."""
    may_fall_back: bool = False
    """Whether the hosted fallback of a model may answer it."""
    existing_secret: DnsLabel | None = None
    """Secret in the stack's namespace that holds the key under `key` (and `next`); left out, it is a
    secret of the stack, `breakeven:secrets.key-<alias>`."""

    @model_validator(mode="after")
    def _restricted_stays(self) -> Self:
        if self.residency == "restricted" and self.may_fall_back:
            raise ContradictionError(
                field=".may_fall_back",
                found="true, with residency: restricted",
                allowed="false: a restricted key's requests never leave the cluster",
                remedy="take the permission away, or give the work that may leave a key of its own",
            )
        return self


class TlsSecret(Declared):
    """A certificate that is there."""

    kind: Literal["secret"]
    name: DnsLabel
    """Secret of type kubernetes.io/tls in the stack's namespace."""


class TlsIssuer(Declared):
    """A certificate that cert-manager issues and renews; it has to be in the cluster."""

    kind: Literal["issuer"]
    name: DnsLabel
    """The issuer."""
    issuer_kind: Literal["Issuer", "ClusterIssuer"] = "ClusterIssuer"
    """Whether it belongs to the namespace or to the cluster."""
    host: Text
    """Host name that the certificate is for."""


Tls = Annotated[TlsSecret | TlsIssuer, Field(discriminator="kind")]


class Mirror(Declared):
    """A share of the requests of open keys is copied to another gateway; its answers are dropped."""

    host: Annotated[str, Field(pattern=SERVICE)]
    """Service of the other gateway, e.g. gateway.serving-shadow; always asked for in the cluster."""
    port: Annotated[Count, Field(le=65535)] = 8080
    """Its port."""
    fraction: Fraction
    """Share of the requests that are copied."""


class Gateway(Declared):
    """Envoy in front of the routers."""

    replicas: Count = 2
    """Pods of the gateway; each takes its share of the keys' concurrent requests."""
    exposure: Literal["cluster", "load_balancer"] = "cluster"
    """cluster: reached from inside only; load_balancer: from outside, which needs tls, here or, on
    target eks, at the load balancer."""
    tls: Tls | None = None
    """Certificate; without one the gateway speaks plain HTTP, inside the cluster only."""
    longest_request_seconds: Annotated[Positive, Field(le=SECONDS_LIMIT)] = 600
    """A request still running after this is ended; engines drain as long."""
    longest_silence_seconds: Annotated[Positive, Field(le=SECONDS_LIMIT)] = 600
    """A request without a byte either way for so long is ended; where a model is held, from
    hold_seconds and longest_request_seconds together: an answer that is not streamed is silent."""
    largest_request_mib: Annotated[Positive, Field(le=MIB_LIMIT)] = 4
    """Largest body; it is kept until the answer begins, so that it can be sent again."""
    keys: Annotated[tuple[GatewayKey, ...], Field(min_length=1)]
    """The clients."""
    mirror: Mirror | None = None
    """Where a copy of the traffic goes, to measure a shadow under real load."""
    span_fraction: Fraction = 1
    """Share of the requests that are traced."""

    @model_validator(mode="after")
    def _names_of_their_own(self) -> Self:
        names: set[str] = set()
        for index, key in enumerate(self.keys):
            own = {key.alias, f"{key.alias}-next"}
            if taken := own & names:
                raise ContradictionError(
                    field=f".keys[{index}].alias",
                    found=f"{key.alias}, where {min(taken)} is a name already",
                    allowed="an alias of its own for each key, which is not another one with -next",
                    remedy="rename one; to rotate a key set breakeven:secrets.key-<alias>-next",
                )
            names |= own
        return self

    @model_validator(mode="after")
    def _secrets_of_their_own(self) -> Self:
        owners: dict[str, str] = {}
        for index, key in enumerate(self.keys):
            if key.existing_secret in owners:
                raise ContradictionError(
                    field=f".keys[{index}].existing_secret",
                    found=f"{key.existing_secret}, which {owners[key.existing_secret]} has",
                    allowed="a Secret of its own for each key: who asks is known by the value",
                    remedy="make a Secret with another value for one of them",
                )
            if key.existing_secret:
                owners[key.existing_secret] = key.alias
        return self
