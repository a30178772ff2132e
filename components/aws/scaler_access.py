"""What the one that adds and removes nodes needs of AWS: the Cluster Autoscaler, or Karpenter."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.aws.names import karpenter_profile, karpenter_queue
from components.aws.policies import pod_trust, uses_key
from components.aws.roles import ServiceRole, service_role
from components.aws.scaler_policies import (
    INTERRUPTIONS,
    autoscaler_policy,
    event_pattern,
    karpenter_policy,
    queue_policy,
)

AUTOSCALER = "cluster-autoscaler"
KARPENTER = "karpenter"
"""Namespaces, and service accounts in them."""
KEPT_S = 300
"""A warning that is older is about a node that is gone."""


@dataclass(frozen=True, kw_only=True)
class ScalerArgs:
    """Of which cluster."""

    cluster: str
    """Name of the cluster, known before it is there."""
    cluster_name: Output[str]
    """The same, once it is there."""
    region: str
    account: str
    node_role: ServiceRole
    data_key_arn: Output[str]


class AutoscalerAccess(pulumi.ComponentResource):
    """The Cluster Autoscaler's role."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: ScalerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:AutoscalerAccess", name, None, opts)
        child = ResourceOptions(parent=self)
        role = service_role(
            AUTOSCALER,
            pod_trust(),
            child,
            region=args.region,
            own=autoscaler_policy(args.cluster),
        )
        self.ready = [*role.attached, _associated(AUTOSCALER, role, args, child)]
        self.register_outputs({"role": role.arn})


class KarpenterAccess(pulumi.ComponentResource):
    """Karpenter's role, its nodes' instance profile, and the queue of interruptions."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: ScalerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:KarpenterAccess", name, None, opts)
        self._child = ResourceOptions(parent=self)
        profile = aws.iam.InstanceProfile(
            "node",
            name=karpenter_profile(args.cluster),
            role=args.node_role.role.name,
            opts=self._child,
        )
        queue, told = self._queue(args)
        role = service_role(
            KARPENTER,
            pod_trust(),
            self._child,
            region=args.region,
            own=Output.all(args.node_role.arn, queue.arn).apply(
                lambda arns: karpenter_policy(
                    cluster=args.cluster,
                    region=args.region,
                    account=args.account,
                    node_role_arn=arns[0],
                    queue_arn=arns[1],
                )
            ),
        )
        disks = aws.iam.RolePolicy(
            f"{KARPENTER}-disks",
            role=role.role.name,
            policy=args.data_key_arn.apply(uses_key),
            opts=self._child,
        )
        associated = _associated(KARPENTER, role, args, self._child)
        self.ready = [profile, *told, *role.attached, disks, associated]
        self.register_outputs({"role": role.arn})

    def _queue(self, args: ScalerArgs) -> tuple[aws.sqs.Queue, list[pulumi.Resource]]:
        queue = aws.sqs.Queue(
            "interruptions",
            name=karpenter_queue(args.cluster),
            message_retention_seconds=KEPT_S,
            sqs_managed_sse_enabled=True,
            opts=self._child,
        )
        told: list[pulumi.Resource] = [
            aws.sqs.QueuePolicy(
                "interruptions",
                queue_url=queue.url,
                policy=queue.arn.apply(queue_policy),
                opts=self._child,
            )
        ]
        for name, event in INTERRUPTIONS.items():
            rule = aws.cloudwatch.EventRule(
                name, event_pattern=event_pattern(*event), opts=self._child
            )
            told.append(
                aws.cloudwatch.EventTarget(name, rule=rule.name, arn=queue.arn, opts=self._child)
            )
        return queue, told


def _associated(
    name: str, role: ServiceRole, args: ScalerArgs, opts: ResourceOptions
) -> aws.eks.PodIdentityAssociation:
    """Give the role to pods of the service account and the namespace that are both called `name`."""
    return aws.eks.PodIdentityAssociation(
        name,
        cluster_name=args.cluster_name,
        namespace=name,
        service_account=name,
        role_arn=role.arn,
        opts=opts,
    )
