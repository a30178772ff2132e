"""A managed node group, with what it is launched from and what tells the autoscaler of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.node_groups import NodeGroupPlan
from components.aws.tags import DECISION, lasting
from components.aws.user_data import local_disks
from components.pods import GPU_TAINT

UPDATE_MINUTES_PER_NODE = 40
"""Pods may take a quarter of an hour to leave a node; then the next one has to come and be ready."""


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """What a node group is made of."""

    plan: NodeGroupPlan
    cluster_name: Output[str]
    version: str
    """Kubernetes version."""
    ami_release: str
    role_arn: Input[str]
    data_key_arn: Input[str]
    """Of the root disks."""
    subnet_ids: Mapping[str, Input[str]]
    """Private subnets by zone."""


class NodePool(pulumi.ComponentResource):
    """Nodes of one type, bought in one way; at most as many as were approved.

    What it depends on as a component is there before its first node, and leaves after the last.
    """

    group: aws.eks.NodeGroup
    asg_name: Output[str]
    """Of its Auto Scaling group."""
    ready: list[pulumi.Resource]
    """The group, and what the autoscaler has to know of it."""

    def __init__(self, name: str, args: NodePoolArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:NodePool", name, None, opts)
        self._args = args
        self.group = self._group(self._template())
        self.asg_name = self.group.resources.apply(_asg_name)
        self.ready = [self.group, *self._told()]
        self.register_outputs({"asg_name": self.asg_name})

    def _template(self) -> aws.ec2.LaunchTemplate:
        plan = self._args.plan
        block = plan.kind == "capacity_block"
        return aws.ec2.LaunchTemplate(
            plan.name,
            update_default_version=True,
            instance_type=plan.instance_type if block else None,
            instance_market_options=aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(
                market_type="capacity-block"
            )
            if block
            else None,
            capacity_reservation_specification=_reservation(plan.reservation),
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,  # pods do not get at the node's role
            ),
            block_device_mappings=[self._disk()],
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(
                    resource_type=each, tags=lasting(plan.tags)
                )
                for each in ("instance", "volume")
            ],
            user_data=local_disks() if plan.local_disks else None,
            opts=ResourceOptions(parent=self),
        )

    def _disk(self) -> aws.ec2.LaunchTemplateBlockDeviceMappingArgs:
        plan = self._args.plan
        return aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name="/dev/xvda",
            ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_size=plan.disk_gib,
                volume_type="gp3",
                iops=plan.disk_iops,
                throughput=plan.disk_mb_per_s,
                encrypted="true",
                kms_key_id=self._args.data_key_arn,
                delete_on_termination="true",
            ),
        )

    def _group(self, template: aws.ec2.LaunchTemplate) -> aws.eks.NodeGroup:
        args, plan = self._args, self._args.plan
        update = f"{max(60, UPDATE_MINUTES_PER_NODE * plan.most_nodes)}m"
        return aws.eks.NodeGroup(
            plan.name,
            cluster_name=args.cluster_name,
            node_role_arn=args.role_arn,
            subnet_ids=[args.subnet_ids[zone] for zone in plan.zones],
            ami_type=plan.ami_type,
            version=args.version,
            release_version=args.ami_release,
            capacity_type=plan.capacity_type,
            # A block's instance type stands in the launch template, and then only there.
            instance_types=None if plan.kind == "capacity_block" else [plan.instance_type],
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(lambda found: f"{int(found)}")
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=plan.min_nodes, max_size=plan.max_nodes, desired_size=plan.min_nodes
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(
                max_unavailable=1, update_strategy=plan.update_strategy
            ),
            warm_pool_config=_warm_pool(plan),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            labels=dict(plan.labels),
            taints=_taints(plan),
            tags=dict(plan.tags),
            opts=ResourceOptions(
                parent=self,
                ignore_changes=["scalingConfig.desiredSize"],  # the autoscaler's
                # A second group of GPU nodes beside the first is a second bill and quota, and a
                # reservation has no room for it. Without system nodes there would be no way in.
                delete_before_replace=plan.gpus > 0,
                custom_timeouts=pulumi.CustomTimeouts(create="40m", update=update, delete="60m"),
            ),
        )

    def _told(self) -> list[aws.autoscaling.Tag]:
        """Tag the Auto Scaling group; its node group's tags do not reach it.

        The autoscaler reads there what nodes are like that are not there yet, and instances get the
        decision from there: it changes in place, and is that under which each was launched.
        """
        name, decision = self._args.plan.name, self._args.plan.tags[DECISION]
        return [
            self._tag(f"{name}-decision", DECISION, decision, at_launch=True),
            *(
                self._tag(f"{name}-{key.partition('template/')[2].replace('/', '-')}", key, value)
                for key, value in self._args.plan.autoscaler_tags.items()
            ),
        ]

    def _tag(
        self, name: str, key: str, value: str, *, at_launch: bool = False
    ) -> aws.autoscaling.Tag:
        return aws.autoscaling.Tag(
            name,
            autoscaling_group_name=self.asg_name,
            tag=aws.autoscaling.TagTagArgs(key=key, value=value, propagate_at_launch=at_launch),
            opts=ResourceOptions(parent=self),
        )


def _warm_pool(plan: NodeGroupPlan) -> aws.eks.NodeGroupWarmPoolConfigArgs | None:
    """Return the stopped instances: a fixed number, whatever runs.

    Without a limit of its own, or with the cap as one, all that does not run up to it would be kept.
    Only where both figures are alike has the pool that size (Amazon EC2 Auto Scaling API, PutWarmPool).
    """
    if not plan.warm_nodes:
        return None
    return aws.eks.NodeGroupWarmPoolConfigArgs(
        pool_state="STOPPED",
        min_size=plan.warm_nodes,
        max_group_prepared_capacity=plan.warm_nodes,
    )


def _asg_name(resources: Sequence[aws.eks.outputs.NodeGroupResource]) -> str:
    return (resources[0].autoscaling_groups or [])[0].name or ""


def _reservation(
    reservation: str | None,
) -> aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
    if reservation is None:
        return None
    target = aws.ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
        capacity_reservation_id=reservation
    )
    return aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs(
        capacity_reservation_target=target
    )


def _taints(plan: NodeGroupPlan) -> list[aws.eks.NodeGroupTaintArgs] | None:
    """Return what keeps pods without GPUs off; DaemonSets of AWS tolerate it."""
    if not plan.tainted:
        return None
    return [aws.eks.NodeGroupTaintArgs(key=GPU_TAINT, value="true", effect="NO_SCHEDULE")]
