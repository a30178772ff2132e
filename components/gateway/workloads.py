"""The three workloads: Envoy, its rate-limit service, and the counters of that. Pure."""

from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.gateway.edge import CERTIFICATES, certificates_text
from components.gateway.lifecycle import DRAIN, READY, longest_drain_s
from components.gateway.limits import FILE, limits_text
from components.gateway.overload import memory_gib
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
LIMITS_PORTS: Final = {"grpc": 8081, "http": 8082, "metrics": 9102}
ENVOY_FILE: Final = "envoy.yaml"
GRACE_SPARE_S: Final = 15
"""Between the end of the drain and that of the process."""
WORKERS: Final = 2
COUNTERS_MEMORY_MIB: Final = 128
"""A counter takes 100 bytes and a key has two a minute: far more than is ever used."""
REDIS_USER: Final = 999


def gateway_workload(plan: GatewayPlan, images: Images, config: pulumi.Input[str]) -> Workload:
    """Return Envoy; `config` is the text of `envoy_text`, which holds keys."""
    pod = pod_spec(
        [_envoy(plan, images["envoy"])],
        name=GATEWAY,
        chosen=selector(GATEWAY, GATEWAY),
        grace_s=longest_drain_s(plan) + GRACE_SPARE_S,
        volumes=_envoy_volumes(plan),
    )
    return Workload(
        name=GATEWAY,
        component=GATEWAY,
        instance=GATEWAY,
        replicas=plan.replicas,
        pod=pod,
        # Prometheus finds pods; a load balancer must not have their metrics.
        ports=_edge_port(plan),
        service_type=_service_type(plan),
        node_port=plan.node_port,
        files={CERTIFICATES.rpartition("/")[2]: certificates_text(plan)} if plan.tls_secret else {},
        secrets={ENVOY_FILE: config},
    )


def _service_type(plan: GatewayPlan) -> str:
    if plan.node_port:
        return "NodePort"
    return "LoadBalancer" if plan.exposure == "load_balancer" else "ClusterIP"


def _edge_port(plan: GatewayPlan) -> dict[str, int]:
    return {"https" if plan.tls_secret else "http": plan.at.edge}


def _envoy(plan: GatewayPlan, image: str) -> ContainerArgsDict:
    at = plan.at
    ports = _edge_port(plan) | {"metrics": at.metrics, "lifecycle": at.lifecycle}
    return {
        "name": "envoy",
        "image": image,
        "command": ["/usr/local/bin/envoy"],
        "args": [
            *("--config-path", f"/etc/envoy-secrets/{ENVOY_FILE}"),
            *("--concurrency", str(WORKERS)),
            *("--log-level", "warning"),
            "--disable-hot-restart",
        ],
        "ports": [{"name": n, "container_port": p} for n, p in ports.items()],
        "startup_probe": http_probe(READY, "lifecycle", period_s=1, failures=60),
        "readiness_probe": http_probe(READY, "lifecycle"),
        "lifecycle": {"pre_stop": {"http_get": {"path": DRAIN, "port": "lifecycle"}}},
        "resources": resources(cpus=1, memory_gib=memory_gib(plan)),
        "security_context": hardened(),
        "volume_mounts": _envoy_mounts(plan),
    }


def _envoy_mounts(plan: GatewayPlan) -> list[VolumeMountArgsDict]:
    config: VolumeMountArgsDict = {
        "name": SECRETS,
        "mount_path": "/etc/envoy-secrets",
        "read_only": True,
    }
    if not plan.tls_secret:
        return [config]
    return [
        config,
        {"name": FILES, "mount_path": CERTIFICATES.rpartition("/")[0], "read_only": True},
        {"name": "certificate", "mount_path": plan.at.certificate, "read_only": True},
    ]


def _envoy_volumes(plan: GatewayPlan) -> list[VolumeArgsDict]:
    if not plan.tls_secret:
        return [secrets_volume(GATEWAY)]
    return [
        secrets_volume(GATEWAY),
        files_volume(GATEWAY),
        {
            "name": "certificate",
            "secret": {"secret_name": plan.tls_secret, "default_mode": 0o440},
        },
    ]


def limits_workload(plan: GatewayPlan, images: Images, password: pulumi.Input[str]) -> Workload:
    """Return the rate-limit service; its limits are no secret, `password` is that of its Redis."""
    pod = pod_spec(
        [_ratelimit(images["ratelimit"])],
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
        ports=LIMITS_PORTS,
        files={FILE: limits_text(plan)},
        reads={f"{COUNTERS}/password": password},
    )


def _ratelimit(image: str) -> ContainerArgsDict:
    return {
        "name": "ratelimit",
        "image": image,
        "command": ["/bin/ratelimit"],
        "env": _ratelimit_environment(),
        "ports": [{"name": n, "container_port": p} for n, p in LIMITS_PORTS.items()],
        "readiness_probe": http_probe("/healthcheck", "http"),
        "resources": resources(cpus=0.1, memory_gib=0.125),
        "security_context": hardened(),
        "volume_mounts": [
            {"name": FILES, "mount_path": "/data/ratelimit/config", "read_only": True}
        ],
    }


def _ratelimit_environment() -> list[EnvVarArgsDict]:
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
        "PROMETHEUS_ADDR": f":{LIMITS_PORTS['metrics']}",
        "GRPC_PORT": str(LIMITS_PORTS["grpc"]),
        "PORT": str(LIMITS_PORTS["http"]),
        "DEBUG_HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
    }
    password = secret_variable("REDIS_AUTH", secret=COUNTERS, key="password")
    return [*(variable(name, value) for name, value in plain.items()), password]


def counters_workload(images: Images, password: pulumi.Input[str]) -> Workload:
    """Return Redis: counters of a minute and of a day, which a lost pod begins anew."""
    pod = pod_spec(
        [_redis(images["redis"])],
        name=COUNTERS,
        chosen=selector(COUNTERS, COUNTERS),
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


def _redis(image: str) -> ContainerArgsDict:
    return {
        "name": "redis",
        "image": image,
        "command": ["redis-server"],
        "args": ["/etc/redis/redis.conf"],
        "ports": [{"name": "redis", "container_port": 6379}],
        "readiness_probe": {"tcp_socket": {"port": "redis"}, "period_seconds": 5},
        "resources": resources(cpus=0.1, memory_gib=2 * COUNTERS_MEMORY_MIB / 1024),
        "security_context": hardened(),
        "volume_mounts": [{"name": SECRETS, "mount_path": "/etc/redis", "read_only": True}],
    }


def redis_text(password: str) -> str:
    """Return the configuration of Redis.

    What ends soonest goes first when memory is short: a minute's counter, never a day's spend.
    """
    return (
        f'requirepass "{password}"\nsave ""\nappendonly no\n'
        f"maxmemory {COUNTERS_MEMORY_MIB}mb\nmaxmemory-policy volatile-ttl\n"
    )
