"""Between the parts of a stack: each flow of the table is open at both its ends, and nothing else is."""

import json

import pytest

from components.network.flows import FLOWS
from components.network.policies import flows_table, network_policies
from stacks.stack import Stack
from tests.components.network.opened import CLOSED, OPERATOR, Changes, own_flows, policies
from tests.factories import a_stack

ROUTER, ENGINE = "router/support-chat", "vllm/support-chat"
STORES = (
    ("langfuse-postgres", 5432),
    ("langfuse-clickhouse", 8123),
    ("langfuse-clickhouse", 9000),
    ("langfuse-cache", 6379),
    ("langfuse-blobs", 8333),
)
DEMO = {
    ("gateway", "gateway-limits", 8081),
    ("gateway-limits", "gateway-counters", 6379),
    ("gateway", ROUTER, 8090),
    (ROUTER, ENGINE, 8000),
    ("gateway", "otel-collector", 4318),
    (ENGINE, "otel-collector", 4318),
    ("otel-collector", "langfuse-web", 3000),
    *((part, store, p) for part in ("langfuse-web", "langfuse-worker") for store, p in STORES),
    ("prometheus", "gateway", 9902),
    ("prometheus", "gateway-limits", 9102),
    ("prometheus", ROUTER, 29000),
    ("prometheus", ENGINE, 8000),
    ("prometheus", "otel-collector", 8888),
}


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_each_flow_of_the_demo_is_open_at_either_end_and_nothing_else(direction: str):
    assert own_flows(None, direction) == DEMO


@pytest.mark.parametrize(
    "changes",
    [
        {},
        CLOSED,
        {"observability.prometheus": OPERATOR},
        {"observability.langfuse": {"kind": "none"}},
    ],
)
def test_what_one_end_may_open_the_other_lets_in(changes: Changes):
    assert own_flows(changes, "ingress") == own_flows(changes, "egress")


def test_the_namespace_is_closed_both_ways_for_every_pod():
    assert policies()["deny-all"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [],
    }


def test_all_may_ask_dns():
    rule = policies()["dns"]["spec"]["egress"][0]
    assert rule["ports"] == [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert rule["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert policies()["dns"]["spec"]["policyTypes"] == ["Egress"]


def test_only_the_router_and_prometheus_reach_an_engine():
    to_engine = {source for source, target, _ in own_flows(None, "ingress") if target == ENGINE}
    assert to_engine == {ROUTER, "prometheus"}


def test_a_router_reaches_the_engines_of_its_own_model_only():
    declaration = a_stack()
    other = {**declaration["models"][0], "name": "other"}
    declaration["models"].append(other)
    found = network_policies(Stack.model_validate(declaration), namespace="n")
    router = next(p for p in found if p["metadata"]["name"] == "other-router")
    assert "support-chat" not in json.dumps(router)


def test_the_table_in_the_docs_has_a_row_for_each_flow():
    lines = flows_table().strip().splitlines()
    assert len(lines) == 2 + len(FLOWS) + 1
    assert "| gateway | router of the model | 8090 | requests that are let in |  |" in lines
