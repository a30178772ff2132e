"""What is measured and traced, where it is kept, and who may read it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stacks.addresses import NEAR, near, never_in_clear
from stacks.errors import ContradictionError
from stacks.numbers import HOST, PEM, Count, Day, Declared, DnsLabel, Positive, Text

HTTP_URL = r"^https?://[^\s/]+(/\S*)?$"
Host = Annotated[str, Field(pattern=HOST)]
"""A host alone: what it is asked by, and at which port, is not part of it."""


class OwnPrometheus(Declared):
    """A Prometheus of the stack's own: for small clusters."""

    kind: Literal["own"]
    retention_days: Count = 15
    """How long samples are kept."""
    storage_gib: Positive = 20
    """Size of its volume; the oldest samples go first."""


class PrometheusOperator(Declared):
    """The cluster's Prometheus operator finds what to scrape by its own resources."""

    kind: Literal["operator"]
    address: Annotated[str, Field(pattern=HTTP_URL)]
    """Where its Prometheus answers queries, for the autoscaler."""
    namespace: DnsLabel
    """Namespace that it scrapes from."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which it selects monitors and rules, e.g. release: kube-prometheus-stack."""


Prometheus = Annotated[OwnPrometheus | PrometheusOperator, Field(discriminator="kind")]


class BundledStores(Declared):
    """Single-node stores beside Langfuse, for trials: no replica, no backup."""

    kind: Literal["bundled"]
    storage_gib: Positive = 20
    """Size of each store's volume."""


class ExternalStores(Declared):
    """Stores that are there. Their passwords are secrets of the stack (docs/serving.md)."""

    kind: Literal["external"]
    postgres_host: Host
    """Host of Postgres 12 or newer, user and database langfuse, port 5432."""
    postgres_tls: bool = True
    """Whether it is asked by TLS; without only at a private address or in the cluster."""
    clickhouse_host: Host
    """Host of ClickHouse 25.12 or newer, user langfuse, database default; ports 8443 and 9440."""
    clickhouse_tls: bool = True
    """Whether it is asked by TLS; without, alike, and at ports 8123 and 9000."""
    clickhouse_cluster: bool
    """Whether it is a cluster named default with a Keeper; a single server is none."""
    redis_host: Host
    """Host of Redis or Valkey 7 or newer, with maxmemory-policy noeviction, port 6379."""
    redis_tls: bool = True
    """Whether it is asked by TLS; without, alike."""
    s3_bucket: Text
    """Bucket for events, media and exports."""
    s3_region: Text
    """Region of the bucket."""
    s3_endpoint: Annotated[str, Field(pattern=HTTP_URL), AfterValidator(never_in_clear)] | None = (
        None
    )
    """Endpoint of an S3-compatible store; left out, AWS by TLS."""
    authorities: Annotated[str, Field(pattern=PEM)] | None = None
    """Certificates, in PEM, of authorities that only your own hosts know; left out, public ones count."""

    @model_validator(mode="after")
    def _in_clear_only_near(self) -> Self:
        stores = {
            "postgres": (self.postgres_host, self.postgres_tls),
            "clickhouse": (self.clickhouse_host, self.clickhouse_tls),
            "redis": (self.redis_host, self.redis_tls),
        }
        for store, (host, tls) in stores.items():
            if not tls and not near(host):
                raise ContradictionError(
                    field=f".{store}_tls",
                    found=f"false, with {host[:120]}",
                    allowed=f"true, or false for {NEAR}",
                    remedy="use TLS: passwords and traces never cross networks in clear text",
                )
        return self


Stores = Annotated[BundledStores | ExternalStores, Field(discriminator="kind")]


class NoLangfuse(Declared):
    """No traces: nothing sends any."""

    kind: Literal["none"]


class ExistingLangfuse(Declared):
    """A Langfuse elsewhere; its keys are secrets of the stack."""

    kind: Literal["existing"]
    url: Annotated[str, Field(pattern=HTTP_URL), AfterValidator(never_in_clear)]
    """Its address, e.g. https://langfuse.example.com."""


class OwnLangfuse(Declared):
    """Langfuse (app 4.x) in the stack's namespace."""

    kind: Literal["own"]
    url: Annotated[str, Field(pattern=HTTP_URL)]
    """Address at which people open it; sessions are tied to it."""
    organization: DnsLabel
    """Id of the organisation that is made at the first start."""
    project: DnsLabel
    """Id of the project that is made at the first start; traces go there."""
    admin_email: Text
    """First user; the password is a secret of the stack. Nobody else can sign up."""
    replicas: Count = 1
    """Pods of the web part, and of the worker."""
    stores: Stores
    """Where it keeps what it holds."""


Langfuse = Annotated[NoLangfuse | ExistingLangfuse | OwnLangfuse, Field(discriminator="kind")]


class PromptRecording(Declared):
    """Prompts and answers are written into traces: say for how long, and who may read them."""

    until: Day
    """Last day; an `up` after it is refused until the recording is taken out or prolonged."""
    readers: Annotated[tuple[Text, ...], Field(min_length=1)]
    """People or groups that may read them."""
    reason: Text
    """What they are recorded for."""


class Observability(Declared):
    """Metrics, alerts and traces."""

    prometheus: Prometheus
    """Who scrapes."""
    langfuse: Langfuse
    """Where traces go."""
    prompts: PromptRecording | None = None
    """Left out, no prompt and no answer is recorded anywhere."""

    @property
    def traces(self) -> bool:
        """Whether there is a Langfuse to send spans to."""
        return not isinstance(self.langfuse, NoLangfuse)
