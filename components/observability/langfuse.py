"""Langfuse itself: the web part with the API that spans go to, and the worker. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict, VolumeMountArgsDict

from components.images import Images
from components.labels import selector
from components.observability.langfuse_environment import (
    FOLDER,
    SECRET,
    SECRET_KEYS,
    authorities,
    web_environment,
    worker_environment,
)
from components.pods import (
    FILES,
    files_volume,
    hardened,
    http_probe,
    pod_spec,
    resources,
    scratch,
)
from components.workload import Workload
from stacks.observability import ExistingLangfuse, Langfuse, NoLangfuse, OwnLangfuse

INSTANCE: Final = "langfuse"
WEB_PORT: Final = 3000
WORKER_PORT: Final = 3030
USER_ID: Final = 1001
"""The images name their users (nextjs, expressjs); the kubelet wants a number."""
MEMORY_GIB: Final = 4.0
"""The least that Langfuse states for either part."""
CPUS: Final = 1.0
MIGRATIONS_S: Final = 600
"""The first start waits for the stores and makes their tables."""
GRACE_S: Final = 60


def langfuse_secret(
    langfuse: Langfuse, secrets: Mapping[str, pulumi.Input[str]]
) -> Mapping[str, pulumi.Input[str]]:
    """Return the entries of the Secret `langfuse`; empty where nothing reads it.

    SALT and ENCRYPTION_KEY are the stack's, never generated here: what they protect is lost with them.
    An elsewhere Langfuse needs the two keys of its project only.
    """
    if isinstance(langfuse, NoLangfuse):
        return {}
    keys = SECRET_KEYS[:2] if isinstance(langfuse, ExistingLangfuse) else SECRET_KEYS
    return {key: secrets[f"langfuse-{key}"] for key in keys}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """What tells web and worker apart."""

    name: str
    """Of the workload and of its image."""
    port: int
    environment: list[EnvVarArgsDict]
    ready: str
    alive: str


def langfuse_workloads(
    langfuse: OwnLangfuse, images: Images, secrets: Mapping[str, pulumi.Input[str]]
) -> tuple[Workload, Workload]:
    """Return web and worker; a change of any entry of their Secret replaces both."""
    reads = {f"{SECRET}/{key}": value for key, value in langfuse_secret(langfuse, secrets).items()}
    web = _Process(
        name="langfuse-web",
        port=WEB_PORT,
        environment=web_environment(langfuse, MEMORY_GIB),
        ready="/api/public/ready",
        alive="/api/public/health",
    )
    worker = _Process(
        name="langfuse-worker",
        port=WORKER_PORT,
        environment=worker_environment(langfuse, MEMORY_GIB),
        ready="/api/health",
        alive="/api/health",
    )
    return _workload(web, langfuse, images, reads), _workload(worker, langfuse, images, reads)


def _workload(
    process: _Process,
    langfuse: OwnLangfuse,
    images: Images,
    reads: Mapping[str, pulumi.Input[str]],
) -> Workload:
    name, files = process.name, authorities(langfuse)
    tmp, tmp_mount = scratch("tmp", "/tmp")  # noqa: S108 - in the container
    mounts: list[VolumeMountArgsDict] = [tmp_mount]
    if files:
        mounts.append({"name": FILES, "mount_path": FOLDER, "read_only": True})
    return Workload(
        name=name,
        component=name,
        instance=INSTANCE,
        replicas=langfuse.replicas,
        ports={"http": process.port},
        reads=reads,
        files=files,
        pod=pod_spec(
            [_container(process, images[name], mounts)],
            name=name,
            chosen=selector(name, INSTANCE),
            grace_s=GRACE_S,
            volumes=[tmp, *([files_volume(name)] if files else [])],
            user_id=USER_ID,
        ),
        await_s=MIGRATIONS_S + 300,
    )


def _container(
    process: _Process, image: str, mounts: list[VolumeMountArgsDict]
) -> ContainerArgsDict:
    return {
        "name": process.name,
        "image": image,
        "env": process.environment,
        "ports": [{"name": "http", "container_port": process.port}],
        "resources": resources(cpus=CPUS, memory_gib=MEMORY_GIB),
        "startup_probe": http_probe(process.alive, "http", failures=MIGRATIONS_S // 5),
        "readiness_probe": http_probe(process.ready, "http"),
        "liveness_probe": http_probe(process.alive, "http", period_s=10, failures=6),
        # Next and Prisma write beside their code at start.
        "security_context": hardened(read_only_root=False),
        "volume_mounts": mounts,
    }
