"""What flow logs and CloudTrail may do, as policy documents. Pure."""

from typing import Final

from components.aws.names import partition
from components.aws.policies import policy

CLOUDTRAIL: Final = "cloudtrail.amazonaws.com"
FLOW_LOGS: Final = "vpc-flow-logs.amazonaws.com"


def trail_arn(name: str, *, account: str, region: str) -> str:
    """Return the ARN of the trail called `name`, before there is one."""
    return f"arn:{partition(region)}:cloudtrail:{region}:{account}:trail/{name}"


def bucket_policy(arn: str, *, trail: str, account: str) -> str:
    """Return who may use the bucket `arn`: the one trail, to write; nobody by plain HTTP."""
    of_the_trail = {"aws:SourceArn": trail}
    return policy(
        {
            "Sid": "TrailLooks",
            "Effect": "Allow",
            "Principal": {"Service": CLOUDTRAIL},
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": {"StringEquals": of_the_trail},
        },
        {
            "Sid": "TrailWrites",
            "Effect": "Allow",
            "Principal": {"Service": CLOUDTRAIL},
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{account}/*",
            "Condition": {
                "StringEquals": {**of_the_trail, "s3:x-amz-acl": "bucket-owner-full-control"}
            },
        },
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def flow_log_trust(account: str, region: str) -> str:
    """Return who may take the role of the flow log: flow logs of the account, for no other."""
    logs = f"arn:{partition(region)}:ec2:{region}:{account}:vpc-flow-log/*"
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": FLOW_LOGS},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": logs},
            },
        }
    )


def flow_log_policy(arn: str, *, account: str, region: str) -> str:
    """Return what the flow log may do: write to the log group `arn`, and find it."""
    groups = f"arn:{partition(region)}:logs:{region}:{account}:log-group:*"
    return policy(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": [arn, f"{arn}:*"],
        },
        {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": groups},
    )
