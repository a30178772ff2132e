"""Between the parts of a stack: each flow of the table is open at both its ends, and nothing else is."""

import json
from pathlib import Path

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
    ("langfuse-prices", "langfuse-web", 3000),
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


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_an_evaluation_reaches_the_router_of_its_model_and_nothing_else(direction: str):
    evaluation = {"kind": "dataset", "file": "questions.jsonl", "at_least": 0.9}
    changes = {"models[0].serving.evaluation": evaluation}

    assert own_flows(changes, direction) - DEMO == {("evaluation/support-chat", ROUTER, 8090)}
    found = policies(changes)["support-chat-evaluation"]["spec"]
    assert found["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "evaluation"
    assert (found["ingress"], len(found["egress"])) == ([], 1)


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


@pytest.mark.parametrize("changes", [{}, CLOSED, {"observability.prometheus": OPERATOR}])
def test_no_pod_may_tell_the_gateway_to_drain(changes: Changes):
    for policy in policies(changes).values():
        rules = policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
        assert all(rule.get("ports") for rule in rules)
        assert 9903 not in {port["port"] for rule in rules for port in rule["ports"]}


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


def test_the_table_has_a_row_for_each_flow():
    lines = flows_table().strip().splitlines()
    assert len(lines) == 2 + len(FLOWS) + 1
    assert "| gateway | router of the model | 8090 | requests that are let in |  |" in lines


def test_the_docs_have_the_table():
    document = (Path(__file__).parents[3] / "docs/serving.md").read_text(encoding="utf-8")

    assert flows_table() in document, f"paste this into docs/serving.md:\n{flows_table()}"
