"""The ScaledObject: what KEDA 2.20 accepts, and what keeps a model alive at zero replicas and blind."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.autoscaling.scaled_object import (
    NotAutoscaledError,
    formula,
    prometheus_address,
    scaled_object,
)
from stacks.stack import ServedModel, Stack
from tests.factories import a_stack

ADDRESS = "http://prometheus.serving-demo:9090"
WINDOW = {"timezone": "Europe/Berlin", "start": "0 7 * * 1-5", "end": "0 19 * * 1-5", "replicas": 4}
SCALING = "models[0].serving.scaling"


def a_model(changes: dict[str, Any] | None = None) -> ServedModel:
    return Stack.model_validate(a_stack(changes)).models[0]


def the_object(changes: dict[str, Any] | None = None, *, node_start_s: float = 0) -> dict[str, Any]:
    place = {"namespace": "serving-demo", "prometheus_address": ADDRESS}
    return scaled_object(a_model(changes), node_start_s=node_start_s, labels={"a": "b"}, **place)


def spec(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = the_object(changes)["spec"]
    return found


def triggers(changes: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    return {trigger["name"]: trigger for trigger in spec(changes)["triggers"]}


def needed(*, demand: float, pods: float, ready: float, window: float | None = None) -> float:
    """Return what the formula says; it was run as it is by KEDA's expression library (expr 1.17.8)."""
    text = formula(windows=0 if window is None else 1)
    condition = "demand <= pods ? demand : max(demand - max(pods - ready, 0), pods)"
    python = "(demand if demand <= pods else max(demand - max(pods - ready, 0), pods))"
    assert condition in text
    names = {"demand": demand, "pods": pods, "ready": ready, "window_0": window, "max": max}
    value: float = eval(text.replace(condition, python), {"__builtins__": {}}, names)  # noqa: S307
    return value


def test_it_scales_the_models_deployment_within_the_pools_floor_and_cap():
    found = spec()
    assert found["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "support-chat",
    }
    assert (found["minReplicaCount"], found["maxReplicaCount"]) == (2, 14)


def test_demand_is_the_gateways_gauge_in_replicas():
    # 27159.118 / 1152 x 3.48344 = 82.1243 requests in flight are one replica.
    query = triggers()["demand"]["metadata"]["query"]
    assert query.startswith("ceil(sum(envoy_http_downstream_rq_active{")
    assert 'namespace="serving-demo"' in query
    assert 'envoy_http_conn_manager_prefix="model_support-chat"' in query
    assert query.endswith("}) / 0.0821243) / 1000")


def test_a_gateway_that_is_not_scraped_is_a_failure_and_not_idleness():
    assert triggers()["demand"]["metadata"]["ignoreNullValues"] == "false"
    assert "vector(0)" not in triggers()["demand"]["metadata"]["query"]


def test_no_replica_that_serves_is_zero_and_no_failure():
    query = triggers()["ready"]["metadata"]["query"]
    up = 'up{namespace="serving-demo",job="vllm",model="support-chat"}'
    assert query == f"sum(max_over_time({up}[1m]) and {up}) or vector(0)"


def test_pods_are_those_of_the_model_pending_ones_too():
    assert triggers()["pods"] == {
        "type": "kubernetes-workload",
        "name": "pods",
        "metadata": {
            "podSelector": "app.kubernetes.io/name=vllm,app.kubernetes.io/instance=support-chat",
            "value": "1",
        },
    }


@pytest.mark.parametrize(
    ("demand", "pods", "ready", "replicas"),
    [
        (0.0, 0, 0, 0.0),  # asleep
        (0.012, 0, 0, 0.012),  # one request wakes it: above the activation target of 0
        (4.0, 5, 2, 4.0),  # fewer are needed
        (6.0, 5, 2, 5.0),  # what starts will do
        (9.0, 5, 2, 6.0),  # 3 pending are not asked for again
        (9.0, 5, 5, 9.0),  # nothing is pending
        (9.0, 5, 7, 9.0),  # a scrape that is behind takes nothing away
    ],
)
def test_a_cold_start_does_not_end_at_the_cap(
    demand: float, pods: float, ready: float, replicas: float
):
    assert needed(demand=demand, pods=pods, ready=ready) == pytest.approx(replicas)


@pytest.mark.parametrize(("window", "replicas"), [(0, 1.5), (4, 4.0)])
def test_a_window_is_a_floor_within_it_and_nothing_outside(window: float, replicas: float):
    assert needed(demand=1.5, pods=2, ready=2, window=window) == replicas


def test_a_window_is_a_cron_trigger_of_its_own():
    changes = {SCALING: {"cooldown_seconds": 1800, "windows": [WINDOW]}}
    assert triggers(changes)["window_0"] == {
        "type": "cron",
        "name": "window_0",
        "metadata": {
            "timezone": "Europe/Berlin",
            "start": "0 7 * * 1-5",
            "end": "0 19 * * 1-5",
            "desiredReplicas": "4",
        },
    }
    assert ", window_0)" in spec(changes)["advanced"]["scalingModifiers"]["formula"]


@pytest.mark.parametrize(("floor", "replicas"), [(2, 2), (0, 1)])
def test_blind_it_keeps_what_there_is_and_at_least_one(floor: int, replicas: int):
    changes: dict[str, Any] = {
        "models[0].pool.replicas.min": floor,
        "models[0].serving.hold_seconds": 0 if floor else 480,
    }
    found = spec(changes)
    assert found["fallback"] == {
        "failureThreshold": 3,
        "replicas": replicas,
        "behavior": "currentReplicasIfHigher",
    }
    # KEDA ignores the fallback where the target is no whole number.
    assert found["advanced"]["scalingModifiers"]["target"] == "1"


def test_it_follows_as_fast_as_the_gate_prices():
    found = spec()["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert found["scaleUp"]["policies"] == [{"type": "Percent", "value": 100, "periodSeconds": 420}]
    assert found["scaleDown"] == {
        "stabilizationWindowSeconds": 1800,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    }


def test_a_node_that_has_to_come_first_is_a_part_of_the_cold_start():
    found = the_object(node_start_s=240)["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    assert found["behavior"]["scaleUp"]["policies"][0]["periodSeconds"] == 660


def test_the_hpa_takes_no_longer_period():
    changes = {
        "models[0].serving.cold_start_seconds": 2400,
        SCALING: {"cooldown_seconds": 3000},
    }
    found = spec(changes)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert found["scaleUp"]["policies"][0]["periodSeconds"] == 1800


def test_the_longest_hold_is_what_the_hpa_takes():
    found = spec({"models[0].pool.scaling.hold_minutes": 60})
    behavior = found["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 3600


def test_the_last_replica_stays_for_the_cooldown():
    found = spec()
    assert (found["cooldownPeriod"], found["initialCooldownPeriod"]) == (1800, 1800)


def test_a_pool_of_fixed_size_has_none():
    with pytest.raises(NotAutoscaledError):
        the_object({"models[0].pool.scaling": {"kind": "fixed"}})


def test_the_stacks_own_prometheus_is_asked_or_the_clusters():
    own = Stack.model_validate(a_stack())
    operator = {
        "kind": "operator",
        "address": "http://p.monitoring:9090",
        "namespace": "monitoring",
    }
    other = Stack.model_validate(a_stack({"observability.prometheus": operator}))
    assert prometheus_address(own, namespace="serving-demo") == ADDRESS
    assert prometheus_address(other, namespace="serving-demo") == "http://p.monitoring:9090"


def test_kedas_own_schema_accepts_it():
    schema = _crd_schema()
    changes = {SCALING: {"cooldown_seconds": 1800, "windows": [WINDOW]}}
    assert _problems(the_object(changes), schema) == []


def _crd_schema() -> dict[str, Any]:
    """Return the schema of the pinned KEDA, where the machine has built its tools."""
    cache = Path.home() / "go/pkg/mod/github.com/kedacore/keda"
    found = sorted(cache.glob("v2@v2.20.0/config/crd/bases/keda.sh_scaledobjects.yaml"))
    if not found:
        pytest.skip("KEDA is not in the Go module cache")
    document = yaml.safe_load(found[0].read_text(encoding="utf-8"))
    schema: dict[str, Any] = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _problems(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """Return unknown fields, missing ones and wrong values, as the API server would find them."""
    if isinstance(value, list):
        return [
            p
            for i, item in enumerate(value)
            for p in _problems(item, schema["items"], f"{path}[{i}]")
        ]
    if not isinstance(value, dict):
        return _scalar_problems(value, schema, path)
    fields = schema.get("properties", {})
    if not fields:
        return []
    missing = [
        f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value
    ]
    unknown = [f"{path}.{name} is unknown" for name in value if name not in fields]
    inner = (
        _problems(item, fields[name], f"{path}.{name}")
        for name, item in value.items()
        if name in fields
    )
    return [*missing, *unknown, *(p for problems in inner for p in problems)]


def _scalar_problems(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    kinds = {"string": str, "integer": int, "boolean": bool}
    if not isinstance(value, kinds.get(schema.get("type", ""), object)):
        return [f"{path} is {value!r}, no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r}, none of {schema['enum']}"]
    if "minimum" in schema and value < schema["minimum"]:
        return [f"{path} is {value!r}, below {schema['minimum']}"]
    return []
