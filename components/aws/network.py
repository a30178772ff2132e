"""The VPC: its subnets, the way out, and the private ways to AWS itself."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.aws.endpoints import Endpoints, EndpointsArgs
from components.aws.subnets import Subnet, SubnetPlan

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What the network is made of."""

    name: str
    """Of the VPC, for who looks for it."""
    account: str
    region: str
    cidr: str
    subnets: SubnetPlan
    nat_zones: tuple[str, ...]
    """Zones with a NAT gateway; none, and nothing gets out."""
    interface_endpoints: tuple[str, ...]


class Network(pulumi.ComponentResource):
    """A VPC with private subnets for all nodes and pods."""

    vpc_id: Output[str]
    private_subnet_ids: dict[str, Output[str]]
    """By zone."""
    public_subnet_ids: dict[str, Output[str]]
    """By zone; empty where there are none."""
    endpoint_ids: dict[str, Output[str]]
    """VPC endpoints by service; the gateway endpoint of S3 is `s3`, its interface `s3-interface`."""
    ready: list[pulumi.Resource]
    """What nodes need before they start: routes, and the ways to AWS."""
    public_ready: list[pulumi.Resource]
    """What a public balancer needs: routes of the public subnets."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:Network", name, None, opts)
        self._args, self._child = args, ResourceOptions(parent=self)
        self._vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=args.cidr,
            enable_dns_hostnames=True,  # else interface endpoints have no private names
            enable_dns_support=True,
            tags={"Name": args.name},
            opts=self._child,
        )
        self.vpc_id = self._vpc.id
        self.public_ready = []
        self.public_subnet_ids = self._public()
        ways_out = self._nats()
        self.private_subnet_ids, tables = {}, []
        routed: list[pulumi.Resource] = []
        for subnet in args.subnets.private:
            nat = ways_out.get(subnet.zone) or next(iter(ways_out.values()), None)
            table, ways = self._private(subnet, nat)
            tables.append(table.id)
            routed += ways
        endpoints = Endpoints(
            "endpoints",
            EndpointsArgs(
                account=args.account,
                region=args.region,
                cidr=args.cidr,
                interfaces=args.interface_endpoints,
                vpc_id=self.vpc_id,
                subnet_ids=[*self.private_subnet_ids.values()],
                route_table_ids=tables,
            ),
            self._child,
        )
        self.endpoint_ids = endpoints.ids
        # What a NAT gateway's own way out needs is gone only after the last node.
        self.ready = [*self.public_ready, *ways_out.values(), *routed, *endpoints.ready]
        self.register_outputs({"vpc_id": self.vpc_id})

    def _public(self) -> dict[str, Output[str]]:
        """Make the public subnets, and return their ids by zone."""
        if not self._args.subnets.public:
            return {}
        self._gateway = aws.ec2.InternetGateway("internet", vpc_id=self.vpc_id, opts=self._child)
        table = self._table("public")
        self.public_ready.append(self._way_out("public", table, gateway_id=self._gateway.id))
        made = {}
        for plan in self._args.subnets.public:
            subnet = self._subnet(plan)
            self.public_ready.append(self._associate(plan.name, subnet, table))
            made[plan.zone] = subnet.id
        return made

    def _nats(self) -> dict[str, aws.ec2.NatGateway]:
        """Make the NAT gateways, and return them by zone."""
        made = {}
        for zone in self._args.nat_zones:
            address = aws.ec2.Eip(f"nat-{zone}", domain="vpc", opts=self._child)
            # Not before it has a way out itself, nor after.
            after = ResourceOptions(parent=self, depends_on=[self._gateway, *self.public_ready])
            made[zone] = aws.ec2.NatGateway(
                f"nat-{zone}",
                subnet_id=self.public_subnet_ids[zone],
                allocation_id=address.id,
                opts=after,
            )
        return made

    def _private(
        self, plan: Subnet, nat: aws.ec2.NatGateway | None
    ) -> tuple[aws.ec2.RouteTable, list[pulumi.Resource]]:
        """Make a private subnet; return its zone's table, and what leads from the one to the other and out."""
        subnet = self._subnet(plan)
        self.private_subnet_ids[plan.zone] = subnet.id
        table = self._table(plan.name)
        ways: list[pulumi.Resource] = [self._associate(plan.name, subnet, table)]
        if nat is not None:
            ways.append(self._way_out(plan.name, table, nat_gateway_id=nat.id))
        return table, ways

    def _subnet(self, plan: Subnet) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            plan.name,
            vpc_id=self.vpc_id,
            availability_zone=plan.zone,
            cidr_block=plan.cidr,
            map_public_ip_on_launch=False,
            tags={"Name": f"{self._args.name}-{plan.name}"},
            opts=self._child,
        )

    def _table(self, name: str) -> aws.ec2.RouteTable:
        """Make a table without routes: where it listed them, those to connected networks would be taken out."""
        return aws.ec2.RouteTable(name, vpc_id=self.vpc_id, opts=self._child)

    def _way_out(
        self,
        name: str,
        table: aws.ec2.RouteTable,
        *,
        gateway_id: Output[str] | None = None,
        nat_gateway_id: Output[str] | None = None,
    ) -> aws.ec2.Route:
        """Make the default route of a table."""
        return aws.ec2.Route(
            name,
            route_table_id=table.id,
            destination_cidr_block=EVERYWHERE,
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            opts=self._child,
        )

    def _associate(
        self, name: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable
    ) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(
            name, subnet_id=subnet.id, route_table_id=table.id, opts=self._child
        )
