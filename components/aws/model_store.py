"""The bucket that weights are streamed from, and who may read and fill it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws import eks, s3

from components.aws.bucket import bucket_settings, keep_objects
from components.aws.model_store_policies import (
    bucket_arn,
    bucket_policy,
    read_policy,
    write_policy,
)
from components.aws.plan import AwsPlan
from components.aws.policies import pod_trust
from components.aws.roles import service_role
from components.labels import namespace_name
from components.model_store.accounts import readers, writers

NAME: Final = "models"
UPLOAD_DAYS: Final = 2
"""A part of an upload that was never finished is kept, and paid for, so long."""
NONCURRENT_DAYS: Final = 30
"""What was overwritten or deleted can be brought back so long; with Object Lock nothing expires."""


@dataclass(frozen=True, kw_only=True)
class ModelStoreArgs:
    """What the store is made from."""

    bucket: str
    """Its name, known before the update: engines have it in their arguments."""
    region: str
    lock_days: int | None
    """Days for which nobody can change or delete a version; None without Object Lock."""
    key_arn: pulumi.Input[str]
    """KMS key of all objects."""
    cluster_name: pulumi.Input[str]
    namespace: str
    """Of the stack's pods."""
    readers: tuple[str, ...]
    """Service accounts that only read."""
    writers: tuple[str, ...]
    """Service accounts that read and add."""


def model_store_args(
    plan: AwsPlan, *, key_arn: pulumi.Input[str], cluster_name: pulumi.Input[str]
) -> ModelStoreArgs | None:
    """Return what the store of a stack is made from; None where none is declared."""
    declared = plan.eks.model_store
    if declared is None:
        return None
    return ModelStoreArgs(
        bucket=plan.bucket_name,
        region=plan.region,
        lock_days=declared.lock_days,
        key_arn=key_arn,
        cluster_name=cluster_name,
        namespace=namespace_name(plan.name),
        readers=readers(plan.stack),
        writers=writers(plan.stack),
    )


class ModelStore(pulumi.ComponentResource):
    """A versioned, encrypted bucket, and the roles that pods get for it."""

    bucket_name: str
    arn: str
    ready: list[pulumi.Resource]
    """What must be there before a pod that reads or fills it: else it starts without a role, and an
    association that comes later does not reach it."""

    def __init__(
        self, name: str, args: ModelStoreArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("breakeven:aws:ModelStore", name, None, opts)
        self._name, self._args, self._child = name, args, ResourceOptions(parent=self)
        self.bucket_name, self.arn = args.bucket, bucket_arn(args.bucket, args.region)
        self._bucket = s3.Bucket(
            name,
            bucket=args.bucket,
            object_lock_enabled=args.lock_days is not None,
            # Weights that somebody copied here may be nowhere else: whoever destroys empties it first.
            force_destroy=False,
            # Declared later, `keep_objects` turns it on; the provider would make another bucket.
            opts=ResourceOptions(parent=self, ignore_changes=["objectLockEnabled"]),
        )
        self.ready = [self._bucket, *self._settings(), *self._grants()]
        self.register_outputs({"bucket": self._bucket.bucket})

    def _settings(self) -> list[pulumi.Resource]:
        name, bucket = self._name, self._bucket.bucket
        key: Output[str] = Output.from_input(self._args.key_arn)
        settings = bucket_settings(name, bucket, key, self._child)
        policy = s3.BucketPolicy(
            name,
            bucket=bucket,
            policy=key.apply(lambda arn: bucket_policy(self.arn, arn)),
            opts=ResourceOptions(parent=self, depends_on=[settings.private]),
        )
        return [*settings.all, policy, *self._retention(settings.versioning)]

    def _retention(self, versioning: pulumi.Resource) -> list[pulumi.Resource]:
        name, bucket, days = self._name, self._bucket.bucket, self._args.lock_days
        after = ResourceOptions(parent=self, depends_on=[versioning])
        rules = lifecycle_rules(locked=days is not None)
        kept: list[pulumi.Resource] = [
            s3.BucketLifecycleConfiguration(name, bucket=bucket, rules=rules, opts=after)
        ]
        if days is not None:
            kept.append(keep_objects(name, bucket, days, after))
        return kept

    def _grants(self) -> list[pulumi.Resource]:
        args = self._args
        return [
            *self._grant("read", read_policy, args.readers),
            *self._grant("write", write_policy, args.writers),
        ]

    def _grant(
        self, verb: str, document: Callable[[str, str, str], str], accounts: Sequence[str]
    ) -> list[pulumi.Resource]:
        """Register a role of service accounts; nothing where there are none."""
        if not accounts:
            return []
        args = self._args
        key: Output[str] = Output.from_input(args.key_arn)
        role = service_role(
            f"{self._name}-{verb}",
            pod_trust(),
            self._child,
            region=args.region,
            own=key.apply(lambda arn: document(self.arn, arn, args.region)),
        )
        associations = [
            eks.PodIdentityAssociation(
                f"{self._name}-{account}",
                cluster_name=args.cluster_name,
                namespace=args.namespace,
                service_account=account,
                role_arn=role.arn,
                opts=ResourceOptions(parent=self, depends_on=list(role.attached)),
            )
            for account in accounts
        ]
        return [*role.attached, *associations]


def lifecycle_rules(*, locked: bool) -> list[s3.BucketLifecycleConfigurationRuleArgsDict]:
    """Return what the bucket drops by itself; where versions are locked, none of them."""
    unfinished: s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "unfinished-uploads",
        "status": "Enabled",
        "filter": {},
        "abort_incomplete_multipart_upload": {"days_after_initiation": UPLOAD_DAYS},
    }
    if locked:
        return [unfinished]
    old: s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "old-versions",
        "status": "Enabled",
        "filter": {},
        "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
    }
    return [unfinished, old]
