"""What every bucket of a stack is: versioned, encrypted, and open to nobody by accident."""

from dataclasses import dataclass

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_aws import s3


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """What is set on a bucket."""

    versioning: s3.BucketVersioning
    """Retention needs it."""
    private: s3.BucketPublicAccessBlock
    """A policy comes after it: S3 takes one change of a bucket's access at a time."""
    others: tuple[pulumi.Resource, ...]

    @property
    def all(self) -> list[pulumi.Resource]:
        """Return everything that is set."""
        return [self.versioning, self.private, *self.others]


def bucket_settings(
    name: str, bucket: Input[str], key_arn: Input[str], opts: ResourceOptions
) -> BucketSettings:
    """Register the settings of `bucket`; `key_arn` is the KMS key of all that is put into it."""
    encrypted: s3.BucketServerSideEncryptionConfigurationRuleArgsDict = {
        "apply_server_side_encryption_by_default": {
            "sse_algorithm": "aws:kms",
            "kms_master_key_id": key_arn,
        },
        "bucket_key_enabled": True,  # one request to KMS, not one for each object
    }
    return BucketSettings(
        versioning=s3.BucketVersioning(
            name, bucket=bucket, versioning_configuration={"status": "Enabled"}, opts=opts
        ),
        private=s3.BucketPublicAccessBlock(
            name,
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=opts,
        ),
        others=(
            s3.BucketServerSideEncryptionConfiguration(
                name, bucket=bucket, rules=[encrypted], opts=opts
            ),
            s3.BucketOwnershipControls(
                name, bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
            ),
        ),
    )


def keep_objects(
    name: str, bucket: Input[str], days: int, opts: ResourceOptions
) -> s3.BucketObjectLockConfiguration:
    """Register that for `days` nobody, whoever he is, changes or deletes what is put into it."""
    return s3.BucketObjectLockConfiguration(
        name,
        bucket=bucket,
        rule={"default_retention": {"mode": "COMPLIANCE", "days": days}},
        opts=opts,
    )
