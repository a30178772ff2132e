"""The load balancer: who reaches what through it, and that it never ends what the gateway still does."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from components.aws.load_balancer import BalancerPlan, balancer_plan
from components.gateway.plan import gateway_plan
from components.gateway.workloads import gateway_workload
from components.images import locked_images
from components.workload import Workload, service_spec
from stacks.errors import InputError
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.components.aws.registered import ON_AWS, declared, of_kind, registered
from tests.components.gateway.plans import PRICES
from tests.components.registered import Registered
from tests.factories import Changes

FILE = "stacks/Pulumi.prod.yaml"
BALANCED = ("prod", "regulated")
TLS = {"gateway.tls": {"kind": "secret", "name": "gateway-certificate"}}


def stack_of(name: str, changes: Changes | None = None) -> Stack:
    """Return a stack file with these changes, whose engines drain as long as a request may take."""
    declaration = declared(name, changes)
    for model in declaration["models"]:
        longest = declaration["gateway"]["longest_request_seconds"]
        model["serving"]["drain_seconds"] = max(longest, model["serving"]["drain_seconds"])
    return parse_stack(declaration, file=FILE)


def planned(name: str, changes: Changes | None = None) -> BalancerPlan:
    plan = balancer_plan(stack_of(name, changes), FILE)
    assert plan is not None
    return plan


def one(kind: str, among: Sequence[Registered]) -> dict[str, Any]:
    (found,) = [each for each in of_kind(kind, among) if each.type.startswith("aws:")]
    return dict(found.inputs)


def gateway(stack: Stack) -> Workload:
    prices = dict.fromkeys((model.name for model in stack.models), PRICES["support-chat"])
    return gateway_workload(gateway_plan(stack, prices), locked_images(), "{}")


def ends_early(stack: Stack, plan: BalancerPlan) -> list[str]:
    """Return what would be cut off although the gateway still works on it."""
    held = max(model.serving.hold_seconds for model in stack.models)
    longest = stack.gateway.longest_request_seconds + held
    pod: Any = gateway(stack).pod
    cut_off = {
        "idle": plan.idle_timeout_s <= stack.gateway.longest_silence_seconds,
        "deregistration": plan.deregistration_delay_s < longest,
        "grace": pod["termination_grace_period_seconds"] < longest,
    }
    return [name for name, early in cut_off.items() if early]


@pytest.mark.parametrize("name", BALANCED)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gateway.longest_request_seconds": 3600},
        {"gateway.longest_silence_seconds": 3_999.5},
    ],
)
def test_mistake_14_nothing_is_cut_off_that_the_gateway_still_works_on(name: str, changes: Changes):
    assert ends_early(stack_of(name, changes), planned(name, changes)) == []


@pytest.mark.parametrize(
    ("mistake", "cut_off"),
    [({"idle_timeout_s": 60}, "idle"), ({"deregistration_delay_s": 30}, "deregistration")],
)
def test_mistake_14_is_seen_where_it_is_made(mistake: dict[str, Any], cut_off: str):
    plan = dataclasses.replace(planned("prod"), **mistake)

    assert ends_early(stack_of("prod"), plan) == [cut_off]


def test_what_is_planned_is_what_is_registered():
    plan, made = planned("prod"), registered("prod")

    assert one("LoadBalancer", made)["idleTimeout"] == plan.idle_timeout_s
    assert one("TargetGroup", made)["deregistrationDelay"] == plan.deregistration_delay_s


def test_a_request_that_outlasts_a_target_group_is_refused():
    changes = {"gateway.longest_request_seconds": 3601}
    with pytest.raises(InputError, match=r"gateway\.longest_request_seconds: found 3601 s"):
        balancer_plan(stack_of("prod", changes), FILE)


@pytest.mark.parametrize(
    ("changes", "protocol", "port"), [({}, "HTTP", 30080), (TLS, "HTTPS", 30443)]
)
def test_one_port_leads_to_the_gateway_whatever_it_speaks(
    changes: Changes, protocol: str, port: int
):
    service: Any = service_spec(gateway(stack_of("prod", changes)))
    made = registered("prod", changes)

    assert service["type"] == "NodePort"
    assert service["external_traffic_policy"] == "Cluster"
    assert [each["node_port"] for each in service["ports"]] == [port]
    target = one("TargetGroup", made)
    assert (target["port"], target["protocol"], target["targetType"]) == (
        port,
        protocol,
        "instance",
    )
    check = target["healthCheck"]
    assert (check["path"], check["port"], check["protocol"]) == ("/ready", "traffic-port", protocol)


def opened(made: Sequence[Registered], kind: str) -> set[tuple[str, str, float, float]]:
    """Return (group, other end, from port, to port) of each rule, without the endpoints' and the API's."""
    return {
        (
            each.inputs["securityGroupId"],
            each.inputs.get("cidrIpv4") or each.inputs["referencedSecurityGroupId"],
            each.inputs["fromPort"],
            each.inputs["toPort"],
        )
        for each in of_kind(kind, made)
        if each.name != "endpoints" and not each.name.startswith("api-")
    }


@pytest.mark.parametrize(("name", "clients"), [("prod", "0.0.0.0/0"), ("regulated", "10.0.0.0/8")])
def test_clients_reach_https_and_the_balancer_the_gateway_and_nothing_else(name: str, clients: str):
    made = registered(name)

    assert opened(made, "SecurityGroupIngressRule") == {
        ("gateway", clients, 443, 443),
        ("sg-cluster", "gateway", 30080, 30080),
    }
    assert opened(made, "SecurityGroupEgressRule") == {("gateway", "sg-cluster", 30080, 30080)}
    assert [each.inputs["port"] for each in of_kind("Listener", made)] == [443]


def test_it_takes_tls_of_today_and_no_header_that_could_be_read_in_two_ways():
    made = registered("prod")
    balancer, listener = one("LoadBalancer", made), one("Listener", made)

    assert listener["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    assert balancer["dropInvalidHeaderFields"] is True
    assert balancer["desyncMitigationMode"] == "strictest"
    assert balancer["enableDeletionProtection"] is True


@pytest.mark.parametrize(("name", "internal"), [("prod", False), ("regulated", True)])
def test_an_internal_one_stands_in_private_subnets(name: str, internal: bool):
    made = registered(name)
    balancer = one("LoadBalancer", made)
    side = "private" if internal else "public"

    assert balancer["internal"] is internal
    assert sorted(balancer["subnets"]) == [f"{side}-us-east-1{zone}" for zone in "abc"]


def test_new_nodes_of_the_system_group_are_behind_it_and_no_gpu_nodes():
    made = registered("prod")
    attached = [each.inputs["autoscalingGroupName"] for each in of_kind("Attachment", made)]

    assert attached == ["eks-system-0a1b2c3"]


@pytest.mark.parametrize("name", sorted({*ON_AWS} - {*BALANCED}))
def test_a_gateway_that_is_reached_from_inside_has_none(name: str):
    assert balancer_plan(stack_of(name), FILE) is None
    assert of_kind("TargetGroup", registered(name)) == []


def test_the_gateway_ends_a_silent_request_a_minute_before_the_balancer_would():
    assert planned("prod", {"gateway.longest_silence_seconds": 600.5}).idle_timeout_s == 661
