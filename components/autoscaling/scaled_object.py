"""The KEDA object that keeps a model's replicas to its requests. Pure.

Everything is counted in replicas, with a target of 1: KEDA's fallback works only where the target is
a whole number. What is asked is the gateway's count of requests in flight, those it holds included: it
is there at zero replicas, when no engine is.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from components.autoscaling.capacity import requests_per_replica
from components.labels import APP, INSTANCE, selector
from components.observability.signals import Selector, model_prefix
from stacks.observability import OwnPrometheus
from stacks.pool import Autoscaled
from stacks.scaling import CronWindow, Scaling
from stacks.stack import ServedModel, Stack

Manifest = dict[str, Any]

API_VERSION: Final = "keda.sh/v1alpha1"
KIND: Final = "ScaledObject"
PROMETHEUS_PORT: Final = 9090

POLLING_S: Final = 10
"""How soon a first request is seen at zero replicas; above zero the HPA asks every 15 s by itself."""
FAILURE_THRESHOLD: Final = 3
"""Readings that may fail before replicas are kept as they are."""
LONGEST_PERIOD_S: Final = 1800
"""The HPA takes no longer one."""
SCALE_DOWN_PERIOD_S: Final = 60
"""Replicas go one by one; that they stayed for the hold is said by the stabilization window."""
SERVES_FOR: Final = "1m"
"""Four scrapes of an engine."""


class NotAutoscaledError(ValueError):
    """A pool of fixed size has no autoscaler."""


class Follows(NamedTuple):
    """What a stack declares about a pool that follows the load."""

    scaling: Scaling
    pool: Autoscaled


def follows(model: ServedModel) -> Follows | None:
    """Return what an autoscaled model declares; None where the pool has a fixed size."""
    scaling, pool = model.serving.scaling, model.pool.scaling
    if scaling is None or not isinstance(pool, Autoscaled):
        return None
    return Follows(scaling, pool)


def prometheus_address(stack: Stack, *, namespace: str) -> str:
    """Return where the Prometheus that scrapes the stack answers queries."""
    prometheus = stack.observability.prometheus
    if isinstance(prometheus, OwnPrometheus):
        return f"http://prometheus.{namespace}:{PROMETHEUS_PORT}"
    return prometheus.address


def scaled_object(
    model: ServedModel,
    *,
    node_start_s: float,
    namespace: str,
    prometheus_address: str,
    labels: Mapping[str, str],
) -> Manifest:
    """Return the ScaledObject (KEDA 2.20) of an autoscaled model; it scales the Deployment of its name.

    `node_start_s` comes before each replica's own start.

    Raises:
        NotAutoscaledError: the pool of the model has a fixed size.
    """
    declared = follows(model)
    if declared is None:
        raise NotAutoscaledError(model.name)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": model.name, "namespace": namespace, "labels": dict(labels)},
        "spec": _spec(model, declared, node_start_s)
        | {"triggers": _triggers(model, declared, namespace, prometheus_address)},
    }


def _spec(model: ServedModel, declared: Follows, node_start_s: float) -> Manifest:
    replicas, cooldown_s = model.pool.replicas, math.ceil(declared.scaling.cooldown_seconds)
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": model.name},
        "minReplicaCount": replicas.min,
        "maxReplicaCount": replicas.max,
        "pollingInterval": POLLING_S,
        # Both count for the last replica only, and the second for an object that is new.
        "cooldownPeriod": cooldown_s,
        "initialCooldownPeriod": cooldown_s,
        # Blind, nothing is taken away. At zero one replica is started: with 0 here KEDA 2.20 would
        # take the last one away while readings fail, and held requests would wait for nothing.
        "fallback": {
            "failureThreshold": FAILURE_THRESHOLD,
            "replicas": max(1, replicas.min),
            "behavior": "currentReplicasIfHigher",
        },
        "advanced": {
            "scalingModifiers": {
                "formula": formula(windows=len(declared.scaling.windows)),
                "target": "1",
                "activationTarget": "0",
                "metricType": "AverageValue",
            },
            "horizontalPodAutoscalerConfig": {
                "behavior": behavior(model, declared.pool, node_start_s)
            },
        },
    }


def formula(*, windows: int = 0) -> str:
    """Return the replicas that are needed, in KEDA's expression language.

    While replicas start, requests pile up that they will serve: what is more than all pods would serve
    counts only as far as it is more than the pods that are pending, so that a cold start does not end
    at the cap. 6 asked, 5 pods, 3 of them pending: 5. 9 asked: 9 - 3 = 6. A window is a floor.
    """
    guarded = "demand <= pods ? demand : max(demand - max(pods - ready, 0), pods)"
    names = ", ".join(window_name(index) for index in range(windows))
    return f"max({guarded}, {names})" if windows else guarded


def window_name(index: int) -> str:
    """Return the name of a window's trigger."""
    return f"window_{index}"


def behavior(model: ServedModel, pool: Autoscaled, node_start_s: float) -> Manifest:
    """Return how fast the HPA follows.

    Up: at most twice as many in one cold start, since what was started last has not served yet. Down:
    one by one, when for `hold_minutes` no more were needed: what the gate prices.
    """
    cold_start_s = math.ceil(node_start_s + model.serving.cold_start_seconds)
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [
                {
                    "type": "Percent",
                    "value": 100,
                    "periodSeconds": min(cold_start_s, LONGEST_PERIOD_S),
                }
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": math.ceil(pool.hold_minutes * 60),
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": SCALE_DOWN_PERIOD_S}],
        },
    }


def demand_query(model: ServedModel, *, namespace: str) -> str:
    """Return the query of the replicas that the requests in flight need: one element, or none.

    Rounded up to thousandths: KEDA cuts off what is below, and where a replica serves more than a
    thousand requests a first one would never wake the model.
    """
    active = Selector(namespace=namespace).active(model_prefix(model.name))
    per_thousandth = requests_per_replica(model) / 1000
    return f"ceil({active} / {per_thousandth:.6g}) / 1000"


def ready_query(model: ServedModel, *, namespace: str) -> str:
    """Return the query of the replicas that serve: vLLM opens its port only then.

    One that answered within SERVES_FOR and is still there counts: too busy to be scraped, it must not
    pass for one that starts, which would hold back the replicas that relieve it.
    """
    up = Selector(namespace=namespace)("up", job="vllm", model=model.name)
    return f"sum(max_over_time({up}[{SERVES_FOR}]) and {up}) or vector(0)"


def _triggers(
    model: ServedModel, declared: Follows, namespace: str, address: str
) -> list[Manifest]:
    chosen = selector("vllm", model.name)
    pods = {"podSelector": f"{APP}={chosen[APP]},{INSTANCE}={chosen[INSTANCE]}", "value": "1"}
    return [
        _prometheus("demand", demand_query(model, namespace=namespace), address),
        _prometheus("ready", ready_query(model, namespace=namespace), address),
        # Those that wait for a node too; the HPA's own count would leave them out.
        {"type": "kubernetes-workload", "name": "pods", "metadata": pods},
        *(_window(index, window) for index, window in enumerate(declared.scaling.windows)),
    ]


def _prometheus(name: str, query: str, address: str) -> Manifest:
    return {
        "type": "prometheus",
        "name": name,
        "metadata": {
            "serverAddress": address,
            "query": query,
            # Required, and without effect beside a formula.
            "threshold": "1",
            # A gateway that is not scraped is a failure, not an idle model.
            "ignoreNullValues": "false",
        },
    }


def _window(index: int, window: CronWindow) -> Manifest:
    # Outside the window this trigger is 0 (KEDA 2.20; earlier ones said 1), so it keeps nothing up.
    return {
        "type": "cron",
        "name": window_name(index),
        "metadata": {
            "timezone": window.timezone,
            "start": window.start,
            "end": window.end,
            "desiredReplicas": str(window.replicas),
        },
    }
