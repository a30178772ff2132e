"""Reading policies: what is open between pods, and to which addresses."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from components.network.policies import network_policies
from stacks.stack import Stack
from tests.factories import ABSENT, a_stack, external_stores

NAME, INSTANCE = "app.kubernetes.io/name", "app.kubernetes.io/instance"
EXTERNAL = external_stores(clickhouse_host="clickhouse.stores.svc", redis_host="10.1.2.3")
OPERATOR = {"kind": "operator", "address": "http://p.monitoring:9090", "namespace": "monitoring"}
VOLUME = {"kind": "volume", "claim": "weights", "path": "/qwen3-8b"}
NO_FALLBACK = {
    "models[0].serving.fallback": ABSENT,
    "gateway.keys[0].may_fall_back": False,
}
CLOSED = {**NO_FALLBACK, "models[0].serving.source": VOLUME}
"""A regulated stack: nothing hosted, weights on a volume, Langfuse and its stores of its own."""

Changes = dict[str, Any]
Open = tuple[str, str, int]


def a_stack_with(changes: Changes | None = None) -> Stack:
    return Stack.model_validate(a_stack(changes))


def policies(changes: Changes | None = None) -> dict[str, dict[str, Any]]:
    found = network_policies(a_stack_with(changes), namespace="serving-demo")
    return {policy["metadata"]["name"]: policy for policy in found}


def rules(policy: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy["spec"].get(direction, [])
    return found


def own_flows(changes: Changes | None, direction: str) -> set[Open]:
    """Return what is open between pods of the stack, as (from, to, port), seen from one direction."""
    found: set[Open] = set()
    for policy in policies(changes).values():
        here = policy["spec"]["podSelector"].get("matchLabels")
        key = "from" if direction == "ingress" else "to"
        for rule in rules(policy, direction):
            for peer in rule.get(key, []):
                if here is None or set(peer) != {"podSelector"}:
                    continue
                there = peer["podSelector"]["matchLabels"]
                ends = (there, here) if direction == "ingress" else (here, there)
                found |= {(label(ends[0]), label(ends[1]), p["port"]) for p in rule["ports"]}
    return found


def label(labels: dict[str, str]) -> str:
    name = labels[NAME]
    return f"{name}/{labels[INSTANCE]}" if name in ("router", "vllm", "evaluation") else name


def blocks(changes: Changes | None = None) -> Iterator[dict[str, Any]]:
    for policy in policies(changes).values():
        for direction, key in (("ingress", "from"), ("egress", "to")):
            for rule in rules(policy, direction):
                yield from (peer["ipBlock"] for peer in rule.get(key, []) if "ipBlock" in peer)


def reaches(block: dict[str, Any], address: str) -> bool:
    found = ipaddress.ip_address(address)
    excepted = block.get("except", [])
    return found in ipaddress.ip_network(block["cidr"]) and not any(
        found in ipaddress.ip_network(cidr) for cidr in excepted
    )


def egress(changes: Changes | None, policy: str, port: int) -> list[dict[str, Any]]:
    """Return the peers that a policy lets its pods reach on a port."""
    return [
        peer
        for rule in rules(policies(changes)[policy], "egress")
        if port in [p["port"] for p in rule["ports"]]
        for peer in rule["to"]
    ]
