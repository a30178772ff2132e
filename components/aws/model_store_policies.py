"""Who may do what with the model store, as policy documents. Pure."""

from components.aws.names import partition
from components.aws.policies import Condition, Statement, policy


def bucket_arn(bucket: str, region: str) -> str:
    """Return the ARN of a bucket of a region."""
    return f"arn:{partition(region)}:s3:::{bucket}"


def read_policy(arn: str, key_arn: str, region: str) -> str:
    """Return what an engine may do: list the bucket and read what is in it.

    `arn` is the bucket's, `key_arn` that of the key its objects are encrypted with.
    """
    return policy(*_read(arn), _key(["kms:Decrypt"], key_arn, region))


def write_policy(arn: str, key_arn: str, region: str) -> str:
    """Return what a job that fills the store may do: read, and add; it deletes nothing."""
    add: Statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": f"{arn}/*",
    }
    # S3 decrypts the parts of an upload when it puts them together.
    return policy(*_read(arn), add, _key(["kms:Decrypt", "kms:GenerateDataKey"], key_arn, region))


def bucket_policy(arn: str, key_arn: str) -> str:
    """Return what nobody may do, whatever else allows it: plain HTTP, and any other encryption.

    An upload that names no encryption gets the bucket's own.
    """
    other_kind = {"s3:x-amz-server-side-encryption": "aws:kms"}
    other_key = {"s3:x-amz-server-side-encryption-aws-kms-key-id": key_arn}
    return policy(
        _deny("s3:*", [arn, f"{arn}/*"], {"Bool": {"aws:SecureTransport": "false"}}),
        _deny("s3:PutObject", [f"{arn}/*"], {"StringNotEqualsIfExists": other_kind}),
        _deny("s3:PutObject", [f"{arn}/*"], {"StringNotEqualsIfExists": other_key}),
    )


def _read(arn: str) -> tuple[Statement, Statement]:
    return (
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": arn},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"{arn}/*"},
    )


def _key(actions: list[str], key_arn: str, region: str) -> Statement:
    """Return the use of the key, through S3 alone."""
    ending = ".cn" if partition(region) == "aws-cn" else ""
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com{ending}"}},
    }


def _deny(action: str, on: list[str], condition: Condition) -> Statement:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": on,
        "Condition": condition,
    }
