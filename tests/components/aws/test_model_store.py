"""The bucket of the weights: what it keeps, who may do what with it, and who gets which role."""

import json
from typing import Any

import pytest

from components.aws.model_store import ModelStore, lifecycle_rules, model_store_args
from components.aws.model_store_policies import (
    bucket_arn,
    bucket_policy,
    read_policy,
    write_policy,
)
from components.labels import namespace_name
from tests.components.aws.registered import computed, plan_of
from tests.components.registered import Registered, before, registered_by
from tests.factories import Changes

KEY = "arn:aws:kms:us-east-1:123456789012:key/data"
REGION = "us-east-1"
ARN = bucket_arn("weights", REGION)
LOCKED = {"target.model_store": {"gib": 40, "lock_days": 365}}
READ = {("s3:ListBucket", ARN), ("s3:GetObject", f"{ARN}/*"), ("kms:Decrypt", KEY)}


def allowed(document: str) -> set[tuple[str, str]]:
    """Return what a policy allows, as action and resource."""
    return {
        (action, statement["Resource"])
        for statement in json.loads(document)["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }


@pytest.mark.parametrize(
    ("document", "may"),
    [
        (read_policy(ARN, KEY, REGION), READ),
        (
            write_policy(ARN, KEY, REGION),
            READ
            | {("s3:PutObject", f"{ARN}/*"), ("s3:AbortMultipartUpload", f"{ARN}/*")}
            | {("kms:GenerateDataKey", KEY)},
        ),
    ],
    ids=["engine", "prefetch"],
)
def test_a_role_may_do_this_and_nothing_else(document: str, may: set[tuple[str, str]]):
    assert allowed(document) == may


@pytest.mark.parametrize("document", [read_policy, write_policy])
def test_the_key_is_used_through_s3_alone(document: Any):
    (key,) = [
        s for s in json.loads(document(ARN, KEY, REGION))["Statement"] if s["Resource"] == KEY
    ]

    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


def test_nobody_may_use_plain_http_or_another_encryption():
    statements = json.loads(bucket_policy(ARN, KEY))["Statement"]

    assert {each["Effect"] for each in statements} == {"Deny"}
    assert [each["Condition"] for each in statements] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": KEY}},
    ]


@pytest.mark.parametrize(
    ("region", "arn"),
    [("eu-central-1", "arn:aws:s3:::w"), ("us-gov-west-1", "arn:aws-us-gov:s3:::w")],
)
def test_a_bucket_is_in_the_partition_of_its_region(region: str, arn: str):
    assert bucket_arn("w", region) == arn


def store(changes: Changes | None = None, stack: str = "prod") -> tuple[Registered, ...]:
    args = model_store_args(plan_of(stack, changes), key_arn=KEY, cluster_name="breakeven-prod")
    assert args is not None

    def make() -> None:
        ModelStore("models", args)

    return registered_by(make, computed)


def one(kind: str, among: tuple[Registered, ...]) -> Registered:
    (found,) = [each for each in among if each.kind == kind]
    return found


def test_a_stack_without_a_store_makes_none():
    plan = plan_of("staging")

    assert model_store_args(plan, key_arn=KEY, cluster_name="c") is None


def test_the_bucket_is_named_before_it_is_made_and_never_emptied_by_a_destroy():
    bucket = one("Bucket", store()).inputs

    assert bucket["bucket"] == "breakeven-prod-models-123456789012"
    assert bucket["forceDestroy"] is False


def test_it_is_versioned_private_owned_and_encrypted_with_the_stacks_key():
    made = store()

    assert one("BucketVersioning", made).inputs["versioningConfiguration"] == {"status": "Enabled"}
    private = one("BucketPublicAccessBlock", made).inputs
    assert [value for key, value in private.items() if key != "bucket"] == 4 * [True]
    owned = one("BucketOwnershipControls", made).inputs
    assert owned["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    (rule,) = one("BucketServerSideEncryptionConfiguration", made).inputs["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": KEY,
    }


def test_object_lock_is_there_from_the_start_where_it_is_declared():
    locked, plain = store(LOCKED), store()

    assert one("Bucket", locked).inputs["objectLockEnabled"] is True
    rule = one("BucketObjectLockConfiguration", locked).inputs["rule"]
    assert rule["defaultRetention"] == {"mode": "COMPLIANCE", "days": 365}
    assert one("Bucket", plain).inputs["objectLockEnabled"] is False
    assert not [each for each in plain if each.kind == "BucketObjectLockConfiguration"]


def test_object_lock_that_is_declared_later_does_not_replace_the_bucket():
    assert "objectLockEnabled" in one("Bucket", store()).ignored


@pytest.mark.parametrize(
    ("locked", "rules"),
    [(False, ["unfinished-uploads", "old-versions"]), (True, ["unfinished-uploads"])],
)
def test_versions_expire_only_where_none_is_locked(locked: bool, rules: list[str]):
    assert [each["id"] for each in lifecycle_rules(locked=locked)] == rules


def associations(made: tuple[Registered, ...]) -> dict[str, str]:
    """Return the role of each service account, as read or write."""
    found = [each.inputs for each in made if each.kind == "PodIdentityAssociation"]
    assert {each["namespace"] for each in found} == {namespace_name("prod")}
    return {each["serviceAccount"]: each["roleArn"].rpartition("-")[2] for each in found}


ELSEWHERE = {"kind": "store", "filled_from": "elsewhere", "manifest_sha256": 64 * "b"}


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        (
            {},
            {"support-chat": "read", "summaries": "read"}
            | {"support-chat-weights": "write", "summaries-weights": "write"},
        ),
        (
            {f"models[{index}].serving.source": ELSEWHERE for index in range(2)},
            {"support-chat": "read", "summaries": "read"}
            | {"support-chat-weights": "read", "summaries-weights": "read"},
        ),
    ],
    ids=["hub", "elsewhere"],
)
def test_engines_read_and_only_jobs_that_fill_write(changes: Changes, roles: dict[str, str]):
    made = store(changes)

    assert associations(made) == roles
    assert len([each for each in made if each.kind == "Role"]) == len(set(roles.values()))


def test_an_association_comes_after_what_its_role_may_do():
    made = store()
    for each in made:
        if each.kind == "PodIdentityAssociation":
            verb = each.inputs["roleArn"].rpartition("-")[2]
            assert f"models-{verb}" in {
                e.name for e in before(each, made) if e.kind == "RolePolicy"
            }
