"""The load balancer in front of the gateway: a resource of the program, not of a controller (ADR 0015)."""

import math
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.gateway.lifecycle import READY
from components.gateway.plan import node_port
from stacks.aws.checks import LONGEST_IDLE_S
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack

IDLE_SPARE_S: Final = 60
"""So that the gateway, which says why, ends a silent request before the balancer does."""
LONGEST_DEREGISTRATION_S: Final = 3600
"""What a target group takes; [ELB, target group attributes]."""
TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.2 with forward secrecy and 1.3, hybrid post-quantum key exchange: what AWS recommends in its
"Security policies for your Application Load Balancer"; what it takes unasked is of 2016."""
CHECK_INTERVAL_S: Final = 10
CHECK_TIMEOUT_S: Final = 5
UNHEALTHY_AFTER: Final = 3
HEALTHY_AFTER: Final = 2
CLIENT_PORT: Final = 443


@dataclass(frozen=True, kw_only=True)
class BalancerPlan:
    """What is declared of the balancer, and what follows from the gateway behind it."""

    internal: bool
    certificate_arn: str
    client_cidrs: tuple[str, ...]
    node_port: int
    """Of the gateway's Service, on every system node."""
    target_protocol: str
    """HTTP or HTTPS: what the gateway speaks."""
    idle_timeout_s: int
    deregistration_delay_s: int
    protect: bool


def balancer_plan(stack: Stack, file: str) -> BalancerPlan | None:
    """Return the plan of a stack's balancer; None where clients are inside the cluster only.

    Raises:
        InputError: a request may last longer than a target group waits for one.
    """
    eks, gateway, port = stack.target, stack.gateway, node_port(stack)
    if not isinstance(eks, Eks) or eks.load_balancer is None or port is None:
        return None
    return BalancerPlan(
        internal=eks.load_balancer.scheme == "internal",
        certificate_arn=eks.load_balancer.certificate_arn,
        client_cidrs=eks.load_balancer.cidrs,
        node_port=port,
        target_protocol="HTTPS" if gateway.tls else "HTTP",
        idle_timeout_s=min(
            LONGEST_IDLE_S, math.ceil(gateway.longest_silence_seconds) + IDLE_SPARE_S
        ),
        deregistration_delay_s=_deregistration_s(stack, Place(file, "gateway")),
        protect=eks.protect,
    )


def _deregistration_s(stack: Stack, place: Place) -> int:
    longest = stack.gateway.longest_request_seconds
    held = max(model.serving.hold_seconds for model in stack.models)
    if longest + held > LONGEST_DEREGISTRATION_S:
        raise place.at("longest_request_seconds").error(
            found=f"{longest:g} s, and {held} s in which a request may be held before, behind an "
            "Application Load Balancer",
            allowed=f"together at most {LONGEST_DEREGISTRATION_S} s: so long it lets the requests "
            "of a node end that goes",
            remedy="lower it, or hold less",
        )
    return math.ceil(longest + held)


@dataclass(frozen=True, kw_only=True)
class BalancerNetwork:
    """Where the balancer stands, and what is behind it."""

    vpc_id: Input[str]
    subnet_ids: list[Input[str]]
    """One in each zone: public ones of an internet-facing balancer, else private ones."""
    node_security_group_id: Input[str]
    """The cluster's own, which every node has."""
    system_group: Input[str]
    """Name of the Auto Scaling group of the system nodes, on which the gateway runs."""


class LoadBalancer(pulumi.ComponentResource):
    """Application Load Balancer, its one listener, and the way to the gateway's port on system nodes."""

    dns_name: Output[str]
    """Where clients' names must point to."""

    def __init__(
        self,
        name: str,
        plan: BalancerPlan,
        network: BalancerNetwork,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:aws:LoadBalancer", name, None, opts)
        self._plan, self._network = plan, network
        self._child = ResourceOptions(parent=self)
        self._own = aws.ec2.SecurityGroup(
            name,
            description="Load balancer of the gateway",
            vpc_id=network.vpc_id,
            opts=self._child,
        )
        rules = self._rules()
        balancer = aws.lb.LoadBalancer(
            name,
            load_balancer_type="application",
            internal=plan.internal,
            security_groups=[self._own.id],
            subnets=network.subnet_ids,
            idle_timeout=plan.idle_timeout_s,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="strictest",
            enable_deletion_protection=plan.protect,
            # Requests that come before they may pass would be answered with 502 and 504.
            opts=ResourceOptions(parent=self, depends_on=rules),
        )
        listener = self._listener(balancer, self._targets())
        self.dns_name = balancer.dns_name
        self.ready: list[pulumi.Resource] = [listener, *rules]
        self.register_outputs({"dnsName": self.dns_name})

    def _rules(self) -> list[pulumi.Resource]:
        """Open clients to balancer, and balancer to the gateway's port; nothing else either way."""
        plan, own = self._plan, self._own.id
        clients = [
            aws.vpc.SecurityGroupIngressRule(
                f"clients-{cidr.replace('/', '-')}",
                security_group_id=own,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=CLIENT_PORT,
                to_port=CLIENT_PORT,
                description="Clients",
                opts=self._child,
            )
            for cidr in plan.client_cidrs
        ]
        nodes, port = self._network.node_security_group_id, plan.node_port
        return [
            *clients,
            aws.vpc.SecurityGroupEgressRule(
                "balancer-to-gateway",
                security_group_id=own,
                referenced_security_group_id=nodes,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="Requests and health checks",
                opts=self._child,
            ),
            aws.vpc.SecurityGroupIngressRule(
                "gateway-from-balancer",
                security_group_id=nodes,
                referenced_security_group_id=own,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="Requests and health checks of the load balancer",
                opts=self._child,
            ),
        ]

    def _targets(self) -> aws.lb.TargetGroup:
        plan = self._plan
        targets = aws.lb.TargetGroup(
            "gateway",
            target_type="instance",
            vpc_id=self._network.vpc_id,
            port=plan.node_port,
            protocol=plan.target_protocol,
            deregistration_delay=plan.deregistration_delay_s,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                # Through the same port: what answers is a gateway that this node leads to.
                port="traffic-port",
                protocol=plan.target_protocol,
                path=READY,
                matcher="200",
                interval=CHECK_INTERVAL_S,
                timeout=CHECK_TIMEOUT_S,
                healthy_threshold=HEALTHY_AFTER,
                unhealthy_threshold=UNHEALTHY_AFTER,
            ),
            opts=self._child,
        )
        # New nodes are targets by themselves, and one that goes is waited for.
        aws.autoscaling.Attachment(
            "gateway",
            autoscaling_group_name=self._network.system_group,
            lb_target_group_arn=targets.arn,
            opts=self._child,
        )
        return targets

    def _listener(
        self, balancer: aws.lb.LoadBalancer, targets: aws.lb.TargetGroup
    ) -> aws.lb.Listener:
        return aws.lb.Listener(
            "https",
            load_balancer_arn=balancer.arn,
            port=CLIENT_PORT,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=self._plan.certificate_arn,
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)
            ],
            opts=self._child,
        )
