"""Private ways from the VPC to AWS itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.policies import endpoint_policy
from stacks.aws.made import ALWAYS

HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    """What the endpoints are made of."""

    account: str
    region: str
    cidr: str
    """Of the VPC; who is in it may use them."""
    interfaces: tuple[str, ...]
    """Services with an address in each zone."""
    vpc_id: Input[str]
    subnet_ids: Sequence[Input[str]]
    """Where interface endpoints have their addresses."""
    route_table_ids: Sequence[Input[str]]
    """Which lead to the gateway endpoints."""


class Endpoints(pulumi.ComponentResource):
    """VPC endpoints: gateways cost nothing, interfaces are paid by the hour and zone.

    Where there is another way out they do not narrow it down; where there is none, they let only roles
    of the account through.
    """

    ids: dict[str, Output[str]]
    """By service; the gateway endpoint of S3 is `s3`, its interface `s3-interface`."""
    ready: list[pulumi.Resource]
    """What nodes need before they start."""

    def __init__(self, name: str, args: EndpointsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:Endpoints", name, None, opts)
        self._args, self._child = args, ResourceOptions(parent=self)
        made = {service: self._gateway(service) for service in ALWAYS}
        rules: list[pulumi.Resource] = []
        if args.interfaces:
            group = self._group()
            rules.append(self._rule(group))
            for service in args.interfaces:
                key = f"{service}-interface" if service in made else service
                made[key] = self._interface(key, service, group)
        self.ids = {service: endpoint.id for service, endpoint in made.items()}
        self.ready = [*made.values(), *rules]
        self.register_outputs({"ids": self.ids})

    def _gateway(self, service: str) -> aws.ec2.VpcEndpoint:
        args = self._args
        return aws.ec2.VpcEndpoint(
            service,
            vpc_id=args.vpc_id,
            service_name=self._service_name(service),
            vpc_endpoint_type="Gateway",
            route_table_ids=args.route_table_ids,
            # With a way out, layers and weights of other accounts are fetched through it too.
            policy=self._policy(service) if args.interfaces else None,
            opts=self._child,
        )

    def _interface(
        self, name: str, service: str, group: aws.ec2.SecurityGroup
    ) -> aws.ec2.VpcEndpoint:
        args = self._args
        return aws.ec2.VpcEndpoint(
            name.replace(".", "-"),
            vpc_id=args.vpc_id,
            service_name=self._service_name(service),
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            # Else S3 keeps its public addresses, to which no pod may connect.
            dns_options=aws.ec2.VpcEndpointDnsOptionsArgs(
                private_dns_only_for_inbound_resolver_endpoint=False
            )
            if service in ALWAYS
            else None,
            subnet_ids=args.subnet_ids,
            security_group_ids=[group.id],
            policy=self._policy(service),
            opts=self._child,
        )

    def _group(self) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            "endpoints",
            vpc_id=self._args.vpc_id,
            description="VPC endpoints: HTTPS from the VPC",
            opts=self._child,
        )

    def _rule(self, group: aws.ec2.SecurityGroup) -> aws.vpc.SecurityGroupIngressRule:
        return aws.vpc.SecurityGroupIngressRule(
            "endpoints",
            security_group_id=group.id,
            description="HTTPS from the VPC",
            cidr_ipv4=self._args.cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )

    def _service_name(self, service: str) -> str:
        start = "cn.com" if self._args.region.startswith("cn-") else "com"
        return f"{start}.amazonaws.{self._args.region}.{service}"

    def _policy(self, service: str) -> str:
        return endpoint_policy(service, account=self._args.account, region=self._args.region)
