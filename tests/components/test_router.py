"""The router: finds its own model's replicas, survives an overload, and drains with the engines."""

from typing import Any

import pytest

from components.router import router_arguments, router_workload
from components.workload import Workload
from stacks.stack import ServedModel, Stack
from tests.factories import a_stack

IMAGES = {"vllm-router": "vllm/vllm-router@sha256:" + 32 * "ab"}

KNOWN_FLAGS = {
    "--host", "--port", "--policy", "--prometheus-host", "--prometheus-port", "--service-discovery",
    "--selector", "--service-discovery-namespace", "--service-discovery-port",
    "--request-timeout-secs", "--retry-max-retries", "--disable-circuit-breaker",
    "--health-check-endpoint", "--health-check-interval-secs", "--health-check-timeout-secs",
    "--health-failure-threshold", "--health-success-threshold",
}  # fmt: skip
"""Out of `vllm-router --help` of 0.1.17, which ran with all of them (a fake API server, one worker)."""


def a_model(**changes: Any) -> ServedModel:
    paths = {f"models[0].{path}": value for path, value in changes.items()}
    return Stack.model_validate(a_stack(paths)).models[0]


def router(model: ServedModel | None = None) -> Workload:
    return router_workload(
        model or a_model(), namespace="serving-demo", images=IMAGES, engine_key="k"
    )


def arguments(model: ServedModel | None = None) -> tuple[str, ...]:
    return router_arguments(model or a_model(), namespace="serving-demo")


def after(name: str, values: tuple[str, ...]) -> str:
    return values[values.index(name) + 1]


def container(workload: Workload) -> dict[str, Any]:
    pod: Any = workload.pod
    found: dict[str, Any] = pod["containers"][0]
    return found


def test_every_flag_is_one_of_the_pinned_router():
    assert {a for a in arguments() if a.startswith("--")} <= KNOWN_FLAGS


def test_its_key_comes_from_the_secret_and_a_new_one_replaces_its_pods():
    found = container(router())

    assert found["args"][-2:] == ["--api-key", "$(ENGINE_KEY)"]
    (variable,) = (each for each in found["env"] if each["name"] == "ENGINE_KEY")
    assert variable["value_from"]["secret_key_ref"] == {"name": "engine-key", "key": "key"}
    assert router().reads == {"engine-key/key": "k"}


def test_it_watches_the_engine_pods_of_its_own_model_in_its_own_namespace():
    found = arguments()
    start = found.index("--selector")
    assert found[start + 1 : start + 3] == (
        "app.kubernetes.io/name=vllm",
        "app.kubernetes.io/instance=support-chat",
    )
    assert after("--service-discovery-namespace", found) == "serving-demo"
    assert after("--service-discovery-port", found) == "8000"


def test_its_account_may_read_pods_and_nothing_else():
    assert router().rules == (
        {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    )
    assert router().pod["automount_service_account_token"] is True


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        ({}, "power_of_two"),
        ({"workload.prefix_cache_hit_fraction": 0.4}, "cache_aware"),
        ({"serving.routing": "round_robin"}, "round_robin"),
        (
            {"workload.prefix_cache_hit_fraction": 0.4, "serving.routing": "power_of_two"},
            "power_of_two",
        ),
    ],
)
def test_it_routes_by_prefix_where_prefixes_repeat(changes: dict[str, Any], policy: str):
    assert after("--policy", arguments(a_model(**changes))) == policy


def test_an_overload_of_all_replicas_opens_no_breaker():
    assert "--disable-circuit-breaker" in arguments()
    assert after("--retry-max-retries", arguments()) == "2"


def test_a_request_may_take_longer_than_the_gateway_allows():
    found = a_model(**{"serving.drain_seconds": 300})
    assert after("--request-timeout-secs", arguments(found)) == "315"


@pytest.mark.parametrize("probe", ["readiness_probe", "liveness_probe"])
def test_a_router_without_replicas_stays_in_its_service(probe: str):
    assert container(router())[probe]["http_get"]["path"] == "/liveness"


def test_it_drains_as_long_as_the_engines():
    found = router(a_model(**{"serving.drain_seconds": 300}))
    assert container(found)["lifecycle"] == {"pre_stop": {"sleep": {"seconds": 15}}}
    assert found.pod["termination_grace_period_seconds"] == 15 + 300 + 15


def test_its_root_is_read_only():
    assert container(router())["security_context"]["read_only_root_filesystem"] is True
    assert container(router())["volume_mounts"] == [{"name": "tmp", "mount_path": "/tmp"}]  # noqa: S108


def test_a_prefix_tree_for_each_replica_has_room():
    # 1 GiB and an eighth for each of 14 replicas: 2.75 GiB.
    found = router(a_model(**{"serving.routing": "cache_aware"}))
    assert container(found)["resources"]["limits"] == {"memory": "2816Mi"}


def test_it_has_the_ports_that_others_count_on():
    found = router(a_model(**{"serving.router_replicas": 3}))
    assert (found.name, found.component, found.instance) == (
        "support-chat-router",
        "router",
        "support-chat",
    )
    assert found.ports == {"http": 8090, "metrics": 29000}
    assert found.replicas == 3
