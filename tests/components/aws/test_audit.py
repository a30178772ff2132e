"""What an auditor finds: who talked to whom and who read the weights, unchanged, even afterwards."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.components.aws.registered import declared, of_kind, registered
from tests.components.registered import Registered

REGULATED = "regulated"
TRAIL_ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/breakeven-regulated"
DAYS = 2557


def below(component: str, made: Sequence[Registered]) -> list[Registered]:
    """Return what a component of this type has registered."""
    return [each for each in made if f"breakeven:aws:{component}$" in each.urn]


def one(kind: str, made: Sequence[Registered]) -> dict[str, Any]:
    (found,) = of_kind(kind, below("Audit", made))
    return dict(found.inputs)


def selectors(made: Sequence[Registered]) -> dict[str, dict[str, list[str]]]:
    """Return what a trail records, by the selector's name: values by field."""
    return {
        each["name"]: {
            field["field"]: field.get("equals") or field["startsWiths"]
            for field in each["fieldSelectors"]
        }
        for each in one("Trail", made)["advancedEventSelectors"]
    }


def statements(made: Sequence[Registered]) -> dict[str, dict[str, Any]]:
    policy = json.loads(one("BucketPolicy", made)["policy"])
    return {each["Sid"]: each for each in policy["Statement"]}


def test_all_traffic_is_logged_encrypted_and_as_long_as_declared():
    made = registered(REGULATED)
    log, group = one("FlowLog", made), one("LogGroup", made)

    assert (log["trafficType"], log["vpcId"]) == ("ALL", "vpc")
    assert group["retentionInDays"] == DAYS
    assert group["kmsKeyId"].endswith(":cluster")
    trusted = json.loads(one("Role", made)["assumeRolePolicy"])["Statement"][0]
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_every_use_of_the_weights_is_recorded_and_every_change():
    assert selectors(registered(REGULATED)) == {
        "changes": {"eventCategory": ["Management"], "readOnly": ["false"]},
        "weights": {
            "eventCategory": ["Data"],
            "resources.type": ["AWS::S3::Object"],
            "resources.ARN": ["arn:aws:s3:::breakeven-regulated-models-123456789012/"],
        },
    }


def test_a_changed_record_shows():
    assert one("Trail", registered(REGULATED))["enableLogFileValidation"] is True


def test_nobody_empties_the_bucket_or_reads_it_by_accident():
    made = registered(REGULATED)

    assert one("Bucket", made)["objectLockEnabled"] is True
    locked = one("BucketObjectLockConfiguration", made)["rule"]["defaultRetention"]
    assert locked == {"mode": "COMPLIANCE", "days": DAYS}
    assert one("BucketVersioning", made)["versioningConfiguration"] == {"status": "Enabled"}
    private = one("BucketPublicAccessBlock", made)
    assert {value for key, value in private.items() if key != "bucket"} == {True}
    (rule,) = one("BucketServerSideEncryptionConfiguration", made)["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"


def test_only_this_trail_writes_to_it():
    found = statements(registered(REGULATED))

    allowed = {sid: each for sid, each in found.items() if each["Effect"] == "Allow"}
    assert {each["Principal"]["Service"] for each in allowed.values()} == {
        "cloudtrail.amazonaws.com"
    }
    for each in allowed.values():
        assert each["Condition"]["StringEquals"]["aws:SourceArn"] == TRAIL_ARN
    assert found["OnlyTls"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert one("Trail", registered(REGULATED))["name"] == TRAIL_ARN.rpartition("/")[2]


def test_what_was_recorded_outlives_the_stack_and_what_records_does_not():
    made = below("Audit", registered(REGULATED))
    kept = {each.kind for each in made if each.kept}

    assert {"Bucket", "BucketPolicy", "BucketPublicAccessBlock", "LogGroup"} <= kept
    assert kept.isdisjoint({"Trail", "FlowLog", "Role", "RolePolicy"})


def test_the_trail_begins_when_its_bucket_lets_it_write():
    made = below("Audit", registered(REGULATED))
    (trail,) = of_kind("Trail", made)
    before = {each.kind for each in made if each.urn in trail.after}

    assert {"BucketPolicy", "BucketObjectLockConfiguration"} <= before


@pytest.mark.parametrize("name", ["prod", "staging", "shadow"])
def test_what_nobody_asked_for_is_not_paid_for(name: str):
    assert "audit" not in declared(name)["target"]
    assert below("Audit", registered(name)) == []
