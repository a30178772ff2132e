"""On EKS pods have addresses of the VPC: nothing is opened further than that without a reason."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from components.network.policies import network_policies
from stacks.aws.target import Eks
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.components.aws.registered import declared
from tests.components.network.opened import rules
from tests.factories import Changes

POD_IDENTITY = "169.254.170.23/32"
EXISTING = {
    "observability.langfuse": {"kind": "existing", "url": "https://langfuse.example.com"},
}
Policies = dict[str, dict[str, Any]]


def a_stack(name: str, changes: Changes | None = None) -> Stack:
    return parse_stack(declared(name, changes), file=f"stacks/Pulumi.{name}.yaml")


def policies(name: str, changes: Changes | None = None) -> Policies:
    found = network_policies(a_stack(name, changes), namespace="serving")
    return {each["metadata"]["name"]: each for each in found}


def cidrs(policy: dict[str, Any], direction: str, port: int) -> set[str]:
    """Return the ranges that a policy opens on a port; an open end is every address."""
    key = "from" if direction == "ingress" else "to"
    return {
        peer["ipBlock"]["cidr"]
        for rule in rules(policy, direction)
        if port in [each["port"] for each in rule["ports"]]
        for peer in rule.get(key, [{"ipBlock": {"cidr": "0.0.0.0/0"}}])
        if "ipBlock" in peer
    }


def too_wide(found: Policies, within: tuple[str, ...]) -> Iterator[str]:
    """Yield what is opened beyond these ranges."""
    allowed = [ipaddress.IPv4Network(each) for each in within]
    for name, policy in found.items():
        for direction, key in (("ingress", "from"), ("egress", "to")):
            for rule in rules(policy, direction):
                if not rule.get(key):
                    yield f"{name} {direction}: anybody"
                for peer in rule.get(key, []):
                    cidr = peer.get("ipBlock", {}).get("cidr", within[0])
                    if not any(ipaddress.IPv4Network(cidr).subnet_of(each) for each in allowed):
                        yield f"{name} {direction}: {cidr}"


def inside(stack: Stack) -> tuple[str, ...]:
    assert isinstance(stack.target, Eks)
    return (stack.target.network.cidr, "172.20.0.0/16", POD_IDENTITY)


@pytest.mark.parametrize("changes", [{}, EXISTING], ids=["external stores", "Langfuse elsewhere"])
def test_no_policy_of_a_closed_stack_names_an_address_outside(changes: Changes):
    assert list(too_wide(policies("regulated", changes), inside(a_stack("regulated")))) == []


def test_one_that_has_a_way_out_is_seen_to_use_it():
    opened = {each.split(" ")[0] for each in too_wide(policies("prod"), inside(a_stack("prod")))}

    assert {"gateway", "support-chat-prefetch", "langfuse-web"} <= opened


@pytest.mark.parametrize(("name", "vpc"), [("prod", "10.10.0.0/16"), ("regulated", "10.40.0.0/16")])
def test_clients_come_through_nodes_of_the_vpc(name: str, vpc: str):
    assert cidrs(policies(name)["gateway"], "ingress", 8080) == {vpc}


def test_a_gateway_that_is_not_exposed_is_asked_by_pods_only():
    assert cidrs(policies("staging")["gateway"], "ingress", 8080) == set()


@pytest.mark.parametrize("policy", ["support-chat-router", "prometheus"])
def test_the_api_server_is_in_the_vpc_and_its_service_beside_it(policy: str):
    assert cidrs(policies("prod")[policy], "egress", 443) == {"10.10.0.0/16", "172.20.0.0/16"}


def test_services_have_no_addresses_of_the_vpc():
    found = policies("prod", {"target.network.cidr": "172.20.0.0/16"})

    assert cidrs(found["prometheus"], "egress", 443) == {"172.20.0.0/16", "10.100.0.0/16"}


def test_prometheus_reaches_what_reports_on_gpus_and_no_other_pod_there():
    (rule,) = [
        rule
        for rule in rules(policies("prod")["prometheus"], "egress")
        if 9400 in [each["port"] for each in rule["ports"]]
    ]
    (peer,) = rule["to"]

    assert peer["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "gpu-add-ons"
    }
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "dcgm-exporter"


@pytest.mark.parametrize("name", ["prod", "regulated"])
def test_pod_identity_is_for_those_who_read_the_store(name: str):
    asking = {
        policy["metadata"]["name"]
        for policy in policies(name).values()
        if POD_IDENTITY in cidrs(policy, "egress", 80)
    }
    models = [model.name for model in a_stack(name).models]
    assert asking == {f"{model}-{part}" for model in models for part in ("engine", "prefetch")}
