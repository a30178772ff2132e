"""The router of one model: vllm-router 0.1.17, which finds the replicas by watching their pods. Pure."""

import math
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import ContainerArgsDict, VolumeMountArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components.engine.plan import PORT as ENGINE_PORT
from components.engine.plan import PRE_STOP_S
from components.engine.pod import ENGINE_KEY
from components.engine.probes import HEALTH_PATH, TEARDOWN_S
from components.images import Images
from components.labels import APP, INSTANCE, selector
from components.pods import (
    hardened,
    http_probe,
    pod_spec,
    resources,
    scratch,
    secret_variable,
    variable,
)
from components.workload import Workload
from stacks.stack import ServedModel

PORT: Final = 8090
METRICS_PORT: Final = 29000
LIVE_PATH: Final = "/liveness"
"""200 as long as the process serves; `/readiness` is 503 without a healthy replica."""

REQUEST_MARGIN_S: Final = 15
"""What a request may take longer here than the gateway allows, so that the gateway ends it and says why."""
BASE_MEMORY_GIB: Final = 1.0
"""Of a router under load: 80 MB at rest, and the bodies of the requests in flight."""
TREE_GIB_PER_REPLICA: Final = 0.125
"""Of the prefix tree: 32 Mi characters a replica (--max-tree-size), and its nodes."""

RULES: Final[tuple[PolicyRuleArgsDict, ...]] = (
    {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
)
"""All that service discovery asks of the API server."""

RESILIENCE: Final = (
    # A replica that hangs is out after two checks, and back after one; by default it takes minutes.
    *("--health-check-endpoint", HEALTH_PATH),
    *("--health-check-interval-secs", "5"),
    *("--health-check-timeout-secs", "2"),
    *("--health-failure-threshold", "2"),
    *("--health-success-threshold", "1"),
    # A replica that is full, or has just been told to stop, answers 5xx: another one is asked.
    *("--retry-max-retries", "2"),
    # An engine's 503 says "full", not "broken". When all were full the breakers opened on all of them,
    # and healthy replicas got nothing for another minute (20 of 20 requests 503, twice); without
    # breakers 20 of 20 succeeded at once. What is broken leaves by its health check or its readiness.
    "--disable-circuit-breaker",
)
"""Settings that trials showed to be needed; the defaults turn an overload into an outage."""


def router_workload(
    model: ServedModel, *, namespace: str, images: Images, engine_key: pulumi.Input[str]
) -> Workload:
    """Return the router of a model; it sees the pods of that model in that namespace only."""
    name = router_name(model)
    tmp, tmp_mount = scratch("tmp", "/tmp")  # noqa: S108 - in the container
    return Workload(
        name=name,
        component="router",
        instance=model.name,
        replicas=model.serving.router_replicas,
        pod=pod_spec(
            [_container(model, images["vllm-router"], tmp_mount, namespace=namespace)],
            name=name,
            chosen=selector("router", model.name),
            grace_s=grace_s(model),
            volumes=[tmp],
            token=True,
        ),
        ports={"http": PORT, "metrics": METRICS_PORT},
        rules=RULES,
        reads={f"{ENGINE_KEY}/key": engine_key},
    )


def _container(
    model: ServedModel, image: str, tmp_mount: VolumeMountArgsDict, *, namespace: str
) -> ContainerArgsDict:
    return {
        "name": "router",
        "image": image,
        "command": ["vllm-router"],
        "args": [*router_arguments(model, namespace=namespace), "--api-key", "$(ENGINE_KEY)"],
        "env": [
            variable("HOME", "/tmp"),  # noqa: S108
            variable("PYTHONDONTWRITEBYTECODE", "1"),
            # Before the arguments name it: the kubelet puts it in. Without it the router drops the
            # key of a request for /v1/responses (0.1.17), and the engine refuses it.
            secret_variable("ENGINE_KEY", secret=ENGINE_KEY, key="key"),
        ],
        "ports": [
            {"name": "http", "container_port": PORT},
            {"name": "metrics", "container_port": METRICS_PORT},
        ],
        "resources": resources(cpus=1, memory_gib=_memory_gib(model)),
        # Not /readiness: a router without a replica must stay in the Service, so that the gateway
        # gets its 503 and holds the request or falls back.
        "readiness_probe": http_probe(LIVE_PATH, "http", failures=2),
        "liveness_probe": http_probe(LIVE_PATH, "http", period_s=10, failures=6),
        # SIGTERM closes the listener at once; streams go on until they end.
        "lifecycle": {"pre_stop": {"sleep": {"seconds": PRE_STOP_S}}},
        "security_context": hardened(),
        "volume_mounts": [tmp_mount],
    }


def router_name(model: ServedModel) -> str:
    """Return the name of a model's router and of its Service."""
    return f"{model.name}-router"


def router_arguments(model: ServedModel, *, namespace: str) -> tuple[str, ...]:
    """Return the arguments of `vllm-router`."""
    labels = selector("vllm", model.name)
    return (
        *("--host", "0.0.0.0"),  # noqa: S104 - in a pod; who may reach it is the network policy's
        *("--port", str(PORT)),
        *("--prometheus-host", "0.0.0.0"),  # noqa: S104
        *("--prometheus-port", str(METRICS_PORT)),
        *("--policy", routing_policy(model)),
        "--service-discovery",
        *("--selector", f"{APP}={labels[APP]}", f"{INSTANCE}={labels[INSTANCE]}"),
        *("--service-discovery-namespace", namespace),
        *("--service-discovery-port", str(ENGINE_PORT)),
        *("--request-timeout-secs", str(request_timeout_s(model))),
        *RESILIENCE,
    )


def routing_policy(model: ServedModel) -> str:
    """Return the policy of `vllm-router`.

    auto: by prefix where prefixes repeat, since a replica that has one in its cache answers sooner;
    else the less loaded of two. Policies that hash a session are not offered: without a session in
    the request they sent 40 of 40 to one replica.
    """
    serving, workload = model.serving, model.workload
    if serving.routing != "auto":
        return serving.routing
    return "cache_aware" if workload.prefix_cache_hit_fraction > 0 else "power_of_two"


def request_timeout_s(model: ServedModel) -> int:
    """Return after how many seconds a request is ended.

    A stack declares drain_seconds no shorter than the gateway's longest request, so the gateway's
    limit is met first. Drain 120: 120 + 15 = 135 s.
    """
    return math.ceil(model.serving.drain_seconds) + REQUEST_MARGIN_S


def grace_s(model: ServedModel) -> int:
    """Return the time from deletion to SIGKILL: that of the engines, whose streams pass here.

    Drain 120: 15 + 120 + 15 = 150 s.
    """
    return PRE_STOP_S + math.ceil(model.serving.drain_seconds) + TEARDOWN_S


def _memory_gib(model: ServedModel) -> float:
    tree = TREE_GIB_PER_REPLICA if routing_policy(model) == "cache_aware" else 0
    return BASE_MEMORY_GIB + tree * model.pool.replicas.max
