"""The network: private subnets, a way out of each or none at all, and the private ways to AWS."""

import json
from typing import Any

import pytest

from stacks.aws.made import WITHOUT_EGRESS
from tests.components.aws.registered import of_kind, registered
from tests.components.registered import Registered, within

OUT = {"destinationCidrBlock": "0.0.0.0/0"}


def routes(stack: str) -> dict[str, dict[str, Any]]:
    """Return the route of each route table that has one."""
    among = registered(stack)
    found = {each.inputs["routeTableId"]: dict(each.inputs) for each in of_kind("Route", among)}
    assert {*found} <= {each.name for each in of_kind("RouteTable", among)}
    assert len(found) == len(of_kind("Route", among))
    return found


def test_each_zone_has_a_way_out_of_its_own():
    private = {f"private-us-east-1{zone}": f"nat-us-east-1{zone}" for zone in "abc"}
    assert routes("prod") == {
        "public": {**OUT, "routeTableId": "public", "gatewayId": "internet"},
        **{
            name: {**OUT, "routeTableId": name, "natGatewayId": nat}
            for name, nat in private.items()
        },
    }


def test_a_single_gateway_is_the_way_out_of_all_zones():
    ways = {name: route.get("natGatewayId") for name, route in routes("staging").items()}
    assert ways.pop("public") is None
    assert ways == {f"private-us-east-1{zone}": "nat-us-east-1a" for zone in "ab"}
    assert len(of_kind("Eip", registered("staging"))) == 1


def test_no_node_has_a_public_address():
    for stack in ("prod", "regulated"):
        subnets = of_kind("Subnet", registered(stack))
        assert not any(each.inputs["mapPublicIpOnLaunch"] for each in subnets)
        for group in of_kind("NodeGroup", registered(stack)):
            assert all(subnet.startswith("private-") for subnet in group.inputs["subnetIds"])


def test_without_egress_there_is_no_way_out():
    among = registered("regulated")
    for kind in ("InternetGateway", "NatGateway", "Eip", "Route"):
        assert of_kind(kind, among) == []
    assert not any("0.0.0.0/0" in json.dumps(each.inputs) for each in among)


def endpoints(stack: str) -> dict[tuple[str, str], Registered]:
    """Return the endpoints by kind and service."""
    found = {}
    for each in of_kind("VpcEndpoint", registered(stack)):
        service = each.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1.")
        found[each.inputs["vpcEndpointType"], service] = each
    return found


def test_without_egress_aws_is_reached_through_endpoints_in_each_zone():
    found = endpoints("regulated")
    assert {*found} == {("Gateway", "s3"), *(("Interface", each) for each in WITHOUT_EGRESS)}
    for (kind, service), each in found.items():
        if kind == "Interface":
            assert len(each.inputs["subnetIds"]) == 3, service
            assert each.inputs["privateDnsEnabled"] is True, service
            assert each.inputs["securityGroupIds"] == ["endpoints"], service


def test_s3_is_a_private_address_where_pods_reach_nothing_else():
    assert endpoints("regulated")["Interface", "s3"].inputs["dnsOptions"] == {
        "privateDnsOnlyForInboundResolverEndpoint": False
    }


def test_only_roles_of_the_account_pass_an_endpoint_and_layers_of_images():
    for (_, service), each in endpoints("regulated").items():
        own, *others = json.loads(each.inputs["policy"])["Statement"]
        assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
        layers = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
        wanted = [("s3:GetObject", layers)] if service == "s3" else []
        assert [(other["Action"], other["Resource"]) for other in others] == wanted


def test_with_a_way_out_only_s3_has_an_endpoint_and_it_narrows_nothing():
    [(key, endpoint)] = endpoints("prod").items()
    assert key == ("Gateway", "s3")
    assert "policy" not in endpoint.inputs


def test_endpoints_answer_the_vpc_on_one_port():
    [rule] = [
        r for r in registered("regulated") if r.name == "endpoints" and "cidrIpv4" in r.inputs
    ]
    assert rule.inputs["cidrIpv4"] == "10.40.0.0/16"
    assert rule.inputs["fromPort"] == rule.inputs["toPort"] == 443


@pytest.mark.parametrize("stack", ["prod", "regulated"])
def test_no_security_group_is_open_to_everybody_but_the_balancer_that_says_why(stack):
    opened = [
        each.name
        for each in registered(stack)
        if "SecurityGroup" in each.kind
        and any("0.0.0.0/0" in value.values() for value in within(dict(each.inputs)))
    ]
    assert opened == {"prod": ["clients-0.0.0.0-0"], "regulated": []}[stack]
