"""What an auditor asks for: who talked to whom, and who read the weights.

What was recorded stays in the account when the stack is destroyed: nobody could empty the bucket, and a
log that goes with what it is about proves nothing.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.audit_policies import (
    bucket_policy,
    flow_log_policy,
    flow_log_trust,
    trail_arn,
)
from components.aws.bucket import bucket_settings, keep_objects
from components.aws.roles import service_role

EACH_S: Final = 600
"""Seconds of traffic in a line of the flow log; the other choice, 60, makes up to ten times as many."""


@dataclass(frozen=True, kw_only=True)
class AuditArgs:
    """What is recorded, and how long it is kept."""

    cluster_name: str
    account: str
    region: str
    retention_days: int
    """Days for which nobody can change or delete a record of the trail, and the flow log is kept."""
    vpc_id: Input[str]
    model_bucket_arn: Input[str] | None
    """Reads and writes of its objects are recorded; None where there is no model store."""
    log_key_arn: Input[str]
    """KMS key of the log group (the cluster's)."""
    data_key_arn: Input[str]
    """KMS key of the trail and its bucket; CloudTrail must be allowed to use it."""


class Audit(pulumi.ComponentResource):
    """Flow log of the VPC, and a trail in a bucket that nobody can empty."""

    ready: list[pulumi.Resource]
    """What records from the start, if it is waited for: the flow log and the trail."""

    def __init__(self, name: str, args: AuditArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:Audit", name, None, opts)
        self._args = args
        self._child = ResourceOptions(parent=self)
        self._kept = ResourceOptions(parent=self, retain_on_delete=True)
        self.ready = [self._flow_log(), self._trail()]
        self.register_outputs({})

    def _flow_log(self) -> aws.ec2.FlowLog:
        args = self._args
        group = aws.cloudwatch.LogGroup(
            "flow-log",
            retention_in_days=args.retention_days,
            kms_key_id=args.log_key_arn,
            opts=self._kept,
        )
        role = service_role(
            "flow-log",
            flow_log_trust(args.account, args.region),
            self._child,
            region=args.region,
            own=group.arn.apply(
                lambda arn: flow_log_policy(arn, account=args.account, region=args.region)
            ),
        )
        return aws.ec2.FlowLog(
            "flow-log",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=EACH_S,
            opts=ResourceOptions(parent=self, depends_on=list(role.attached)),
        )

    def _trail(self) -> aws.cloudtrail.Trail:
        args = self._args
        bucket = aws.s3.Bucket("trail", object_lock_enabled=True, opts=self._kept)
        return aws.cloudtrail.Trail(
            "trail",
            name=args.cluster_name,
            s3_bucket_name=bucket.bucket,
            kms_key_id=args.data_key_arn,
            enable_log_file_validation=True,
            is_multi_region_trail=False,
            include_global_service_events=False,
            advanced_event_selectors=self._recorded(),
            opts=ResourceOptions(parent=self, depends_on=self._bucket_settings(bucket)),
        )

    def _bucket_settings(self, bucket: aws.s3.Bucket) -> list[pulumi.Resource]:
        args = self._args
        trail = trail_arn(args.cluster_name, account=args.account, region=args.region)
        settings = bucket_settings("trail", bucket.bucket, args.data_key_arn, self._kept)
        policy = aws.s3.BucketPolicy(
            "trail",
            bucket=bucket.bucket,
            policy=bucket.arn.apply(
                lambda arn: bucket_policy(arn, trail=trail, account=args.account)
            ),
            opts=ResourceOptions(parent=self, retain_on_delete=True, depends_on=[settings.private]),
        )
        lock = keep_objects(
            "trail",
            bucket.bucket,
            args.retention_days,
            ResourceOptions(parent=self, retain_on_delete=True, depends_on=[settings.versioning]),
        )
        return [*settings.all, policy, lock]

    def _recorded(self) -> list[aws.cloudtrail.TrailAdvancedEventSelectorArgs]:
        """Return what is recorded: every change in the region, and every use of the weights."""
        changes = aws.cloudtrail.TrailAdvancedEventSelectorArgs(
            name="changes",
            field_selectors=[_is("eventCategory", "Management"), _is("readOnly", "false")],
        )
        bucket_arn = self._args.model_bucket_arn
        if bucket_arn is None:
            return [changes]
        weights = aws.cloudtrail.TrailAdvancedEventSelectorArgs(
            name="weights",
            field_selectors=[
                _is("eventCategory", "Data"),
                _is("resources.type", "AWS::S3::Object"),
                aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(
                    field="resources.ARN", starts_withs=[Output.concat(bucket_arn, "/")]
                ),
            ],
        )
        return [changes, weights]


def _is(field: str, value: str) -> aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs:
    return aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(field=field, equals=[value])
