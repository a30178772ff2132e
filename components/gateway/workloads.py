"""The three workloads: Envoy, its rate-limit service, and the counters of that. Pure."""

import math
from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict, PodSpecArgsDict

from components.gateway.edge import CERTIFICATES, certificates_text
from components.gateway.lifecycle import DRAIN, READY, longest_drain_s
from components.gateway.limits import FILE, limits_text
from components.gateway.plan import GatewayPlan
from components.images import Images
from components.labels import selector
from components.pods import (
    FILES,
    SECRETS,
    files_volume,
    hardened,
    http_probe,
    pod_spec,
    resources,
    secret_variable,
    secrets_volume,
    variable,
)
from components.workload import RECREATE, Workload

GATEWAY: Final = "gateway"
LIMITS: Final = "gateway-limits"
COUNTERS: Final = "gateway-counters"
ENVOY_FILE: Final = "envoy.yaml"
GRACE_SPARE_S: Final = 15
"""Between the end of the drain and that of the process."""
WORKERS: Final = 2
BASE_MEMORY_GIB: Final = 0.5
COUNTERS_MEMORY_MIB: Final = 128
"""A counter takes 100 bytes and a key has two a minute: far more than is ever used."""
REDIS_USER: Final = 999


def gateway_workload(plan: GatewayPlan, images: Images, config: pulumi.Input[str]) -> Workload:
    """Return Envoy; `config` is the text of `envoy_text`, which holds keys."""
    chosen, at = selector(GATEWAY, GATEWAY), plan.at
    name = "https" if plan.tls_secret else "http"
    ports = {name: at.edge, "metrics": at.metrics}
    ready = http_probe(READY, "lifecycle")
    container: ContainerArgsDict = {
        "name": "envoy",
        "image": images["envoy"],
        "command": ["/usr/local/bin/envoy"],
        "args": [
            *("--config-path", f"/etc/envoy-secrets/{ENVOY_FILE}"),
            *("--concurrency", str(WORKERS)),
            *("--log-level", "warning"),
            "--disable-hot-restart",
        ],
        "ports": [
            {"name": n, "container_port": p}
            for n, p in (ports | {"lifecycle": at.lifecycle}).items()
        ],
        "startup_probe": http_probe(READY, "lifecycle", period_s=1, failures=60),
        "readiness_probe": ready,
        "lifecycle": {"pre_stop": {"http_get": {"path": DRAIN, "port": "lifecycle"}}},
        "resources": resources(cpus=1, memory_gib=memory_gib(plan)),
        "security_context": hardened(),
        "volume_mounts": [
            {"name": SECRETS, "mount_path": "/etc/envoy-secrets", "read_only": True},
        ],
    }
    pod = pod_spec(
        [container],
        name=GATEWAY,
        chosen=chosen,
        grace_s=longest_drain_s(plan) + GRACE_SPARE_S,
        volumes=[secrets_volume(GATEWAY)],
    )
    if plan.tls_secret:
        _mount_certificate(plan, pod, container)
    return Workload(
        name=GATEWAY,
        component=GATEWAY,
        instance=GATEWAY,
        replicas=plan.replicas,
        pod=pod,
        # Prometheus finds pods; a load balancer must not have their metrics.
        ports={name: at.edge},
        service_type="LoadBalancer" if plan.exposure == "load_balancer" else "ClusterIP",
        files={CERTIFICATES.rpartition("/")[2]: certificates_text(plan)} if plan.tls_secret else {},
        secrets={ENVOY_FILE: config},
    )


def memory_gib(plan: GatewayPlan) -> float:
    """Return what a pod may use: every body that it may hold at once, kept twice, and itself."""
    bodies = sum(plan.concurrent(key) for key in plan.keys) * plan.largest_request_bytes
    return math.ceil(4 * (BASE_MEMORY_GIB + 2 * bodies / 2**30)) / 4


def _mount_certificate(plan: GatewayPlan, pod: PodSpecArgsDict, envoy: ContainerArgsDict) -> None:
    envoy["volume_mounts"] = [
        {"name": SECRETS, "mount_path": "/etc/envoy-secrets", "read_only": True},
        {"name": FILES, "mount_path": CERTIFICATES.rpartition("/")[0], "read_only": True},
        {"name": "certificate", "mount_path": plan.at.certificate, "read_only": True},
    ]
    pod["volumes"] = [
        secrets_volume(GATEWAY),
        files_volume(GATEWAY),
        {
            "name": "certificate",
            "secret": {"secret_name": plan.tls_secret, "default_mode": 0o440},
        },
    ]


def limits_workload(plan: GatewayPlan, images: Images, password: pulumi.Input[str]) -> Workload:
    """Return the rate-limit service; its limits are no secret, `password` is that of its Redis."""
    ports = {"grpc": 8081, "http": 8082, "metrics": 9102}
    container: ContainerArgsDict = {
        "name": "ratelimit",
        "image": images["ratelimit"],
        "command": ["/bin/ratelimit"],
        "env": _limits_environment(ports),
        "ports": [{"name": n, "container_port": p} for n, p in ports.items()],
        "readiness_probe": http_probe("/healthcheck", "http"),
        "resources": resources(cpus=0.1, memory_gib=0.125),
        "security_context": hardened(),
        "volume_mounts": [
            {"name": FILES, "mount_path": "/data/ratelimit/config", "read_only": True}
        ],
    }
    pod = pod_spec(
        [container],
        name=LIMITS,
        chosen=selector(LIMITS, LIMITS),
        grace_s=30,
        volumes=[files_volume(LIMITS)],
    )
    return Workload(
        name=LIMITS,
        component=LIMITS,
        instance=LIMITS,
        replicas=2,
        pod=pod,
        ports=ports,
        files={FILE: limits_text(plan)},
        reads={f"{COUNTERS}/password": password},
    )


def _limits_environment(ports: Mapping[str, int]) -> list[EnvVarArgsDict]:
    plain = {
        "RUNTIME_ROOT": "/data",
        "RUNTIME_SUBDIRECTORY": "ratelimit",
        # A mounted ConfigMap has hidden folders, which would be read a second time.
        "RUNTIME_IGNOREDOTFILES": "true",
        "RUNTIME_WATCH_ROOT": "false",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": f"{COUNTERS}:6379",
        # The gateway waits a quarter of a second; an answer after that serves nobody.
        "REDIS_TIMEOUT": "1s",
        "USE_STATSD": "false",
        "USE_PROMETHEUS": "true",
        "PROMETHEUS_ADDR": f":{ports['metrics']}",
        "GRPC_PORT": str(ports["grpc"]),
        "PORT": str(ports["http"]),
        "DEBUG_HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
    }
    password = secret_variable("REDIS_AUTH", secret=COUNTERS, key="password")
    return [*(variable(name, value) for name, value in plain.items()), password]


def counters_workload(images: Images, password: pulumi.Input[str]) -> Workload:
    """Return Redis: counters of a minute and of a day, which a lost pod begins anew."""
    chosen = selector(COUNTERS, COUNTERS)
    container: ContainerArgsDict = {
        "name": "redis",
        "image": images["redis"],
        "command": ["redis-server"],
        "args": ["/etc/redis/redis.conf"],
        "ports": [{"name": "redis", "container_port": 6379}],
        "readiness_probe": {"tcp_socket": {"port": "redis"}, "period_seconds": 5},
        "resources": resources(cpus=0.1, memory_gib=2 * COUNTERS_MEMORY_MIB / 1024),
        "security_context": hardened(),
        "volume_mounts": [{"name": SECRETS, "mount_path": "/etc/redis", "read_only": True}],
    }
    pod = pod_spec(
        [container],
        name=COUNTERS,
        chosen=chosen,
        grace_s=10,
        volumes=[secrets_volume(COUNTERS)],
        user_id=REDIS_USER,
    )
    return Workload(
        name=COUNTERS,
        component=COUNTERS,
        instance=COUNTERS,
        replicas=1,
        pod=pod,
        ports={"redis": 6379},
        secrets={
            "redis.conf": pulumi.Output.from_input(password).apply(redis_text),
            "password": password,
        },
        strategy=RECREATE,
    )


def redis_text(password: str) -> str:
    """Return the configuration of Redis.

    What ends soonest goes first when memory is short: a minute's counter, never a day's spend.
    """
    return (
        f'requirepass "{password}"\nsave ""\nappendonly no\n'
        f"maxmemory {COUNTERS_MEMORY_MIB}mb\nmaxmemory-policy volatile-ttl\n"
    )
