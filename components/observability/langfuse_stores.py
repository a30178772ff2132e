"""Langfuse's stores for a trial: one pod and one volume each, no replica, no backup. Pure.

Never in production (stacks.consistency refuses it). Not run in this project: no image could be pulled.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    ProbeArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.images import Images
from components.labels import selector
from components.observability.langfuse_environment import BUCKET, SECRET, USER
from components.pods import (
    FILES,
    SECRETS,
    files_volume,
    hardened,
    http_probe,
    pod_spec,
    resources,
    scratch,
    secret_variable,
    secrets_volume,
    variable,
)
from components.workload import RECREATE, Workload
from stacks.observability import BundledStores

INSTANCE: Final = "langfuse"
DATA: Final = "data"
GRACE_S: Final = 60
CLICKHOUSE_FILE: Final = "breakeven.xml"
# ClickHouse's own logs outgrow what it is asked to keep (langfuse#13123).
CLICKHOUSE_SETTINGS: Final = """<clickhouse>
  <listen_host>0.0.0.0</listen_host>
  <logger><level>warning</level><console>1</console><log remove="1"/><errorlog remove="1"/></logger>
  <trace_log remove="1"/>
  <text_log remove="1"/>
  <metric_log remove="1"/>
  <asynchronous_metric_log remove="1"/>
  <processors_profile_log remove="1"/>
  <query_thread_log remove="1"/>
  <query_log><ttl>event_date + INTERVAL 3 DAY DELETE</ttl></query_log>
  <part_log><ttl>event_date + INTERVAL 3 DAY DELETE</ttl></part_log>
</clickhouse>
"""
# The S3 API has no bucket until someone makes it; readiness waits for this.
MAKE_BUCKET: Final = (
    f"until echo s3.bucket.list | weed shell -master=localhost:9333 | grep -qw {BUCKET}; "
    f"do echo s3.bucket.create -name {BUCKET} | weed shell -master=localhost:9333; sleep 2; done"
)


def store_workloads(
    stores: BundledStores, images: Images, secrets: Mapping[str, pulumi.Input[str]]
) -> tuple[Workload, ...]:
    """Return Postgres, ClickHouse without a Keeper, Valkey and SeaweedFS."""
    gib = stores.storage_gib
    return (
        replace(_postgres(images["postgres"], gib), reads=_read(secrets, "postgres-password")),
        replace(
            _clickhouse(images["clickhouse"], gib), reads=_read(secrets, "clickhouse-password")
        ),
        replace(_cache(images["valkey"], gib), reads=_read(secrets, "cache-password")),
        _blobs(images["seaweedfs"], gib, secrets),
    )


def _read(secrets: Mapping[str, pulumi.Input[str]], key: str) -> dict[str, pulumi.Input[str]]:
    return {f"{SECRET}/{key}": secrets[f"langfuse-{key}"]}


def _postgres(image: str, gib: float) -> Workload:
    sockets, sockets_mount = scratch("sockets", "/var/run/postgresql")
    name, ready = "langfuse-postgres", ["pg_isready", "--username", USER, "--host", "127.0.0.1"]
    container: ContainerArgsDict = {
        "name": name,
        "image": image,
        "env": [
            variable("POSTGRES_USER", USER),
            variable("POSTGRES_DB", USER),
            secret_variable("POSTGRES_PASSWORD", secret=SECRET, key="postgres-password"),
        ],
        "ports": [{"name": "postgres", "container_port": 5432}],
        "resources": resources(cpus=0.5, memory_gib=2),
        "readiness_probe": _exec_probe(ready),
        # Version 18 keeps its data in 18/docker below it.
        "volume_mounts": [_data("/var/lib/postgresql"), sockets_mount],
    }
    return _store(container, {"postgres": 5432}, gib, user_id=70, volumes=[sockets])


def _clickhouse(image: str, gib: float) -> Workload:
    # The image's start script writes the user of its environment there.
    users, users_mount = scratch("users", "/etc/clickhouse-server/users.d")
    logs, logs_mount = scratch("logs", "/var/log/clickhouse-server")
    name, ports = "langfuse-clickhouse", {"http": 8123, "native": 9000}
    container: ContainerArgsDict = {
        "name": name,
        "image": image,
        "env": [
            variable("CLICKHOUSE_DB", "default"),
            variable("CLICKHOUSE_USER", USER),
            variable("CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT", "1"),
            secret_variable("CLICKHOUSE_PASSWORD", secret=SECRET, key="clickhouse-password"),
        ],
        "ports": [{"name": n, "container_port": p} for n, p in ports.items()],
        "resources": resources(cpus=1, memory_gib=8),
        "readiness_probe": http_probe("/ping", "http"),
        "volume_mounts": [
            _data("/var/lib/clickhouse"),
            users_mount,
            logs_mount,
            {"name": FILES, "mount_path": "/etc/clickhouse-server/config.d", "read_only": True},
        ],
    }
    return _store(
        container,
        ports,
        gib,
        user_id=101,
        volumes=[users, logs, files_volume(name)],
        files={CLICKHOUSE_FILE: CLICKHOUSE_SETTINGS},
    )


def _cache(image: str, gib: float) -> Workload:
    name = "langfuse-cache"
    container: ContainerArgsDict = {
        "name": name,
        "image": image,
        "command": ["valkey-server"],
        # Its entries are jobs: one that is evicted is a trace that is lost.
        "args": [
            *("--requirepass", "$(PASSWORD)", "--maxmemory-policy", "noeviction"),
            *("--maxmemory", "768mb", "--appendonly", "yes", "--dir", "/data"),
        ],
        "env": [secret_variable("PASSWORD", secret=SECRET, key="cache-password")],
        "ports": [{"name": "redis", "container_port": 6379}],
        "resources": resources(cpus=0.25, memory_gib=1.5),
        "readiness_probe": {"tcp_socket": {"port": "redis"}, "period_seconds": 5},
        "volume_mounts": [_data("/data")],
    }
    return _store(container, {"redis": 6379}, gib, user_id=999)


def _blobs(image: str, gib: float, secrets: Mapping[str, pulumi.Input[str]]) -> Workload:
    name = "langfuse-blobs"
    temporary, temporary_mount = scratch("tmp", "/tmp")  # noqa: S108 - in the container
    container: ContainerArgsDict = {
        "name": name,
        "image": image,
        "command": ["weed"],
        "args": [
            *("server", "-dir=/data", "-s3", "-s3.port=8333", "-s3.config=/identities/s3.json"),
            *("-ip=localhost", "-ip.bind=0.0.0.0", "-master.volumeSizeLimitMB=1024"),
        ],
        "ports": [{"name": "s3", "container_port": 8333}],
        "resources": resources(cpus=0.25, memory_gib=1),
        "lifecycle": {"post_start": {"exec_": {"command": ["sh", "-c", MAKE_BUCKET]}}},
        "readiness_probe": {"tcp_socket": {"port": "s3"}, "period_seconds": 5},
        "volume_mounts": [
            _data("/data"),
            temporary_mount,
            {"name": SECRETS, "mount_path": "/identities", "read_only": True},
        ],
    }
    return _store(
        container,
        {"s3": 8333},
        gib,
        user_id=1000,
        volumes=[temporary, secrets_volume(name)],
        secrets={"s3.json": _identities(secrets)},
    )


def _identities(secrets: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """Return the one account of the S3 API; it may do everything."""

    def text(access: str, secret: str) -> str:
        keys = [{"accessKey": access, "secretKey": secret}]
        account = {"name": USER, "credentials": keys, "actions": ["Admin", "Read", "Write", "List"]}
        return json.dumps({"identities": [account]})

    access, secret = secrets["langfuse-s3-access-key"], secrets["langfuse-s3-secret-key"]
    if isinstance(access, str) and isinstance(secret, str):
        return text(access, secret)
    return pulumi.Output.all(access, secret).apply(lambda pair: text(pair[0], pair[1]))


def _store(
    container: ContainerArgsDict,
    ports: Mapping[str, int],
    gib: float,
    *,
    user_id: int,
    volumes: list[VolumeArgsDict] | None = None,
    files: Mapping[str, str] | None = None,
    secrets: Mapping[str, pulumi.Input[str]] | None = None,
) -> Workload:
    name = str(container["name"])
    container["security_context"] = hardened()
    claim: VolumeArgsDict = {"name": DATA, "persistent_volume_claim": {"claim_name": name}}
    return Workload(
        name=name,
        component=name,
        instance=INSTANCE,
        replicas=1,
        ports=ports,
        files=files or {},
        secrets=secrets or {},
        strategy=RECREATE,
        storage_gib=gib,
        pod=pod_spec(
            [container],
            name=name,
            chosen=selector(name, INSTANCE),
            grace_s=GRACE_S,
            volumes=[claim, *(volumes or [])],
            user_id=user_id,
        ),
    )


def _data(path: str) -> VolumeMountArgsDict:
    return {"name": DATA, "mount_path": path}


def _exec_probe(command: list[str]) -> ProbeArgsDict:
    return {"exec_": {"command": command}, "period_seconds": 5, "timeout_seconds": 3}
