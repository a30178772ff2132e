"""What Langfuse 4 is told by its environment; names as in its own configuration reference. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pulumi_kubernetes.core.v1 import EnvVarArgsDict

from components.pods import secret_variable, variable
from stacks.observability import BundledStores, OwnLangfuse

SECRET: Final = "langfuse"  # noqa: S105 - its name
"""The Secret that Langfuse, its trial stores and the price job read."""
SECRET_KEYS: Final = (
    *("public-key", "secret-key", "salt", "encryption-key", "nextauth-secret", "admin-password"),
    *("postgres-password", "clickhouse-password", "cache-password"),
    *("s3-access-key", "s3-secret-key"),
)
"""Its keys; each is the stack's secret `langfuse-<key>`."""
USER: Final = "langfuse"
"""User and database in Postgres, and user in ClickHouse."""
BUCKET: Final = "langfuse"
"""Bucket of the trial store."""
HEAP_SHARE: Final = 0.75
"""Of the container's memory; Node's own default is 1.7 GiB whatever it has."""

POSTGRES_PORT: Final = 5432
REDIS_PORT: Final = 6379
"""By TLS too, as on ElastiCache."""
FOLDER: Final = "/etc/langfuse"
AUTHORITIES: Final = "authorities.pem"


def clickhouse_ports(*, tls: bool) -> tuple[int, int]:
    """Return the ports of ClickHouse for HTTP and for its native protocol, as it has them by default."""
    return (8443, 9440) if tls else (8123, 9000)


def authorities(langfuse: OwnLangfuse) -> Mapping[str, str]:
    """Return the file of authorities that Node trusts beside the public ones; none where none is said."""
    stores = langfuse.stores
    if isinstance(stores, BundledStores) or stores.authorities is None:
        return {}
    return {AUTHORITIES: stores.authorities}


@dataclass(frozen=True, kw_only=True)
class StoreAddresses:
    """Where Langfuse finds its stores."""

    postgres_host: str
    postgres_tls: bool
    clickhouse_host: str
    clickhouse_tls: bool
    clickhouse_cluster: bool
    redis_host: str
    redis_tls: bool
    bucket: str
    region: str
    endpoint: str | None
    """None for AWS; else an S3-compatible store, addressed by path."""


def store_addresses(langfuse: OwnLangfuse) -> StoreAddresses:
    """Return the declared stores, or the trial ones."""
    stores = langfuse.stores
    if isinstance(stores, BundledStores):
        return StoreAddresses(
            postgres_host="langfuse-postgres",
            postgres_tls=False,
            clickhouse_host="langfuse-clickhouse",
            clickhouse_tls=False,
            clickhouse_cluster=False,
            redis_host="langfuse-cache",
            redis_tls=False,
            bucket=BUCKET,
            region="auto",
            endpoint="http://langfuse-blobs:8333",
        )
    return StoreAddresses(
        postgres_host=stores.postgres_host,
        postgres_tls=stores.postgres_tls,
        clickhouse_host=stores.clickhouse_host,
        clickhouse_tls=stores.clickhouse_tls,
        clickhouse_cluster=stores.clickhouse_cluster,
        redis_host=stores.redis_host,
        redis_tls=stores.redis_tls,
        bucket=stores.s3_bucket,
        region=stores.s3_region,
        endpoint=stores.s3_endpoint,
    )


def web_environment(langfuse: OwnLangfuse, memory_gib: float) -> list[EnvVarArgsDict]:
    """Return the environment of the web part: the worker's, who may enter, and what is made first."""
    return [
        *worker_environment(langfuse, memory_gib),
        # Else it listens on the pod's name only, and no probe reaches it by address.
        variable("HOSTNAME", "0.0.0.0"),  # noqa: S104 - of the pod
        variable("AUTH_DISABLE_SIGNUP", "true"),
        *_first_start(langfuse),
    ]


def worker_environment(langfuse: OwnLangfuse, memory_gib: float) -> list[EnvVarArgsDict]:
    """Return what both parts must be told alike."""
    stores = store_addresses(langfuse)
    return [
        variable("NEXTAUTH_URL", langfuse.url),
        _secret("NEXTAUTH_SECRET", "nextauth-secret"),
        _secret("SALT", "salt"),
        _secret("ENCRYPTION_KEY", "encryption-key"),
        variable("TELEMETRY_ENABLED", "false"),
        variable("LANGFUSE_ENABLE_EXPERIMENTAL_FEATURES", "false"),
        variable("NODE_OPTIONS", f"--max-old-space-size={round(memory_gib * 1024 * HEAP_SHARE)}"),
        *(variable("NODE_EXTRA_CA_CERTS", f"{FOLDER}/{name}") for name in authorities(langfuse)),
        *_migration(),
        *_databases(stores),
        *_blobs(stores),
    ]


def _migration() -> list[EnvVarArgsDict]:
    """Return version 4's own way of writing: there is no older data to go back to."""
    return [
        variable("LANGFUSE_MIGRATION_V4_WRITE_MODE", "events_only"),
        variable("LANGFUSE_MIGRATION_V4_NATIVE_OTEL_BEHAVIOUR", "direct"),
    ]


def _databases(stores: StoreAddresses) -> list[EnvVarArgsDict]:
    # The image joins the parts to one URL as they are: the password must need no escape in a URL.
    return [
        variable("DATABASE_HOST", stores.postgres_host),
        variable("DATABASE_USERNAME", USER),
        _secret("DATABASE_PASSWORD", "postgres-password"),
        variable("DATABASE_NAME", USER),
        # Prisma's own default goes on in clear text where the server offers no TLS.
        variable("DATABASE_ARGS", f"sslmode={'require' if stores.postgres_tls else 'disable'}"),
        *_clickhouse(stores),
        variable("REDIS_HOST", stores.redis_host),
        variable("REDIS_PORT", str(REDIS_PORT)),
        variable("REDIS_TLS_ENABLED", _told(stores.redis_tls)),
        _secret("REDIS_AUTH", "cache-password"),
    ]


def _clickhouse(stores: StoreAddresses) -> list[EnvVarArgsDict]:
    host, (http, native) = stores.clickhouse_host, clickhouse_ports(tls=stores.clickhouse_tls)
    scheme = "https" if stores.clickhouse_tls else "http"
    return [
        variable("CLICKHOUSE_URL", f"{scheme}://{host}:{http}"),
        variable("CLICKHOUSE_MIGRATION_URL", f"clickhouse://{host}:{native}"),
        variable("CLICKHOUSE_MIGRATION_SSL", _told(stores.clickhouse_tls)),
        variable("CLICKHOUSE_USER", USER),
        _secret("CLICKHOUSE_PASSWORD", "clickhouse-password"),
        # Replicated tables need a Keeper; a single server has none.
        variable("CLICKHOUSE_CLUSTER_ENABLED", _told(stores.clickhouse_cluster)),
    ]


def _told(value: bool) -> str:  # noqa: FBT001 - what is written, not how
    return str(value).lower()


def _blobs(stores: StoreAddresses) -> list[EnvVarArgsDict]:
    found = [variable("LANGFUSE_S3_BATCH_EXPORT_ENABLED", "true")]
    for use, folder in (("EVENT_UPLOAD", "events"), ("MEDIA_UPLOAD", "media")):
        found += _bucket(f"LANGFUSE_S3_{use}", folder, stores)
    return found + _bucket("LANGFUSE_S3_BATCH_EXPORT", "exports", stores)


def _bucket(start: str, folder: str, stores: StoreAddresses) -> list[EnvVarArgsDict]:
    found = [
        variable(f"{start}_BUCKET", stores.bucket),
        variable(f"{start}_REGION", stores.region),
        variable(f"{start}_PREFIX", f"{folder}/"),
        _secret(f"{start}_ACCESS_KEY_ID", "s3-access-key"),
        _secret(f"{start}_SECRET_ACCESS_KEY", "s3-secret-key"),
    ]
    if stores.endpoint is None:
        return found
    return [
        *found,
        variable(f"{start}_ENDPOINT", stores.endpoint),
        variable(f"{start}_FORCE_PATH_STYLE", "true"),
    ]


def _first_start(langfuse: OwnLangfuse) -> list[EnvVarArgsDict]:
    """Return what is made at the first start, and never changed by it afterwards, keys included."""
    return [
        variable("LANGFUSE_INIT_ORG_ID", langfuse.organization),
        variable("LANGFUSE_INIT_ORG_NAME", langfuse.organization),
        variable("LANGFUSE_INIT_PROJECT_ID", langfuse.project),
        variable("LANGFUSE_INIT_PROJECT_NAME", langfuse.project),
        _secret("LANGFUSE_INIT_PROJECT_PUBLIC_KEY", "public-key"),
        _secret("LANGFUSE_INIT_PROJECT_SECRET_KEY", "secret-key"),
        variable("LANGFUSE_INIT_USER_EMAIL", langfuse.admin_email),
        variable("LANGFUSE_INIT_USER_NAME", langfuse.admin_email.partition("@")[0]),
        _secret("LANGFUSE_INIT_USER_PASSWORD", "admin-password"),
    ]


def _secret(name: str, key: str) -> EnvVarArgsDict:
    return secret_variable(name, secret=SECRET, key=key)
