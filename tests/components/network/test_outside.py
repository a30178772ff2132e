"""Between a stack and what is outside of its namespace: only where it is declared, never metadata."""

from typing import Any

import pytest

from tests.components.network.opened import (
    CLOSED,
    EXTERNAL,
    INSTANCE,
    NAME,
    NO_FALLBACK,
    OPERATOR,
    VOLUME,
    Changes,
    blocks,
    egress,
    policies,
    reaches,
    rules,
)

OTHER_NAMESPACE = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}},
}
STORES = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "stores"}}}
ROUTER = "support-chat-router"


@pytest.mark.parametrize(
    ("gateway", "port", "source"),
    [
        ({}, 8080, [{"namespaceSelector": {}}]),
        ({"gateway.tls": {"kind": "secret", "name": "cert"}}, 8443, [{"namespaceSelector": {}}]),
        (
            {
                "gateway.tls": {"kind": "secret", "name": "cert"},
                "gateway.exposure": "load_balancer",
            },
            8443,
            None,
        ),
    ],
)
def test_clients_reach_the_gateways_port_as_it_is_exposed(
    gateway: Changes, port: int, source: list[dict[str, Any]] | None
):
    rule = rules(policies(gateway)["gateway"], "ingress")[0]
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]
    assert rule.get("from") == source


def test_nobody_may_be_anybody_but_the_client_of_a_load_balancer():
    open_to_all = [
        policy
        for policy, found in policies().items()
        for direction, key in (("ingress", "from"), ("egress", "to"))
        for rule in rules(found, direction)
        if not rule.get(key)
    ]
    assert open_to_all == []


def test_a_closed_stack_reaches_no_public_address():
    assert [block for block in blocks(CLOSED) if reaches(block, "93.184.216.34")] == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        CLOSED,
        {"observability.langfuse.stores": EXTERNAL},
        {"observability.langfuse": {"kind": "existing", "url": "https://langfuse.example.com"}},
        {"observability.langfuse": {"kind": "existing", "url": "http://169.254.169.254"}},
    ],
)
def test_the_metadata_of_a_node_is_never_reached(changes: Changes):
    assert [block for block in blocks(changes) if reaches(block, "169.254.169.254")] == []


def test_the_gateway_reaches_a_hosted_provider_only_where_a_fallback_is_declared():
    assert egress(None, "gateway", 443) == [
        {
            "ipBlock": {
                "cidr": "0.0.0.0/0",
                "except": [
                    "10.0.0.0/8",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "100.64.0.0/10",
                    "169.254.0.0/16",
                ],
            }
        }
    ]
    assert egress(NO_FALLBACK, "gateway", 443) == []


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("http://10.1.2.3:8000/v1", {"ipBlock": {"cidr": "10.1.2.3/32"}}),
        ("http://vllm.other.svc:8000/v1", OTHER_NAMESPACE),
        ("http://vllm.other.svc.cluster.local:8000/v1", OTHER_NAMESPACE),
    ],
)
def test_a_provider_of_ones_own_network_is_reached_where_it_is(url: str, peer: dict[str, Any]):
    changes = {"models[0].serving.fallback.base_url": url}

    assert egress(changes, "gateway", 8000) == [peer]


@pytest.mark.parametrize("kind", ["render", "kubernetes"])
def test_a_public_api_server_is_reached_where_it_is_declared(kind: str):
    place = {"directory": "out"} if kind == "render" else {"context": "c"}
    public = {"target": {"kind": kind, **place, "api_server_cidrs": ["203.0.113.7/32"]}}

    assert egress(public, ROUTER, 6443) == [{"ipBlock": {"cidr": "203.0.113.7/32"}}]
    assert {peer["ipBlock"]["cidr"] for peer in egress(None, ROUTER, 6443)} == {
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    }


@pytest.mark.parametrize(
    ("changes", "downloads"),
    [
        ({}, True),
        ({"models[0].serving.source": {"kind": "s3", "uri": "s3://models/qwen3-8b"}}, True),
        ({"models[0].serving.source": VOLUME}, False),
        ({"models[0].serving.source": {"kind": "image", "path": "/qwen3-8b"}}, False),
    ],
)
def test_an_engine_leaves_the_cluster_only_for_its_weights(changes: Changes, downloads: bool):
    assert bool(egress(changes, "support-chat-engine", 443)) is downloads


def test_an_adapter_on_the_hub_is_downloaded_although_the_weights_are_not():
    adapter = {"name": "polite", "id": "example/polite", "revision": 40 * "a"}
    changes = {"models[0].serving.source": VOLUME, "models[0].serving.adapters": [adapter]}
    assert egress(changes, "support-chat-engine", 443)


@pytest.mark.parametrize("policy", ["support-chat-router", "prometheus"])
def test_who_asks_the_api_server_reaches_private_addresses_only(policy: str):
    found = egress(CLOSED, policy, 6443)
    assert {peer["ipBlock"]["cidr"] for peer in found} == {
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    }
    assert egress(CLOSED, policy, 443) == found


def test_another_prometheus_scrapes_from_its_namespace_and_nobody_asks_ours():
    found = policies({"observability.prometheus": OPERATOR})
    assert "prometheus" not in found
    rule = rules(found["support-chat-engine"], "ingress")[1]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ]


def test_keda_asks_our_prometheus_where_a_model_is_autoscaled():
    keda = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}
    assert rules(policies()["prometheus"], "ingress")[0]["from"] == [keda]
    fixed = {"models[0].pool.scaling": {"kind": "fixed"}}
    assert rules(policies(fixed)["prometheus"], "ingress") == []


@pytest.mark.parametrize(
    ("port", "peer"),
    [
        (5432, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}),
        (8443, STORES),
        (9440, STORES),
        (6379, {"ipBlock": {"cidr": "10.1.2.3/32"}}),
        (443, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}),
    ],
)
def test_external_stores_are_reached_where_they_are(port: int, peer: dict[str, Any]):
    changes = {"observability.langfuse.stores": EXTERNAL}
    assert egress(changes, "langfuse-web", port) == [peer]
    assert egress(changes, "langfuse-worker", port) == [peer]


@pytest.mark.parametrize(("tls", "open_to"), [(True, {8443, 9440}), (False, {8123, 9000})])
def test_clickhouse_is_reached_as_it_is_asked_and_not_otherwise(tls: bool, open_to: set[int]):
    changes = {"observability.langfuse.stores": EXTERNAL | {"clickhouse_tls": tls}}
    for policy in ("langfuse-web", "langfuse-worker"):
        ports = (8123, 8443, 9000, 9440)
        assert {port for port in ports if egress(changes, policy, port)} == open_to


@pytest.mark.parametrize("policy", ["otel-collector", "langfuse-prices"])
def test_a_langfuse_elsewhere_is_reached_on_the_port_of_its_url(policy: str):
    changes = {
        "observability.langfuse": {"kind": "existing", "url": "http://langfuse.tools.svc:3000"}
    }
    assert egress(changes, policy, 3000) == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}}
    ]


def test_a_copy_goes_to_the_other_gateway_only():
    changes = {"gateway.mirror": {"host": "gateway.serving-shadow", "port": 8080, "fraction": 0.1}}
    assert egress(changes, "gateway", 8080) == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "serving-shadow"}},
            "podSelector": {"matchLabels": {NAME: "gateway", INSTANCE: "gateway"}},
        }
    ]
