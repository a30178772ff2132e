"""The control plane, and who may do what with it and around it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components.aws.kubeconfig import kubeconfig
from components.aws.names import bucket_name, cluster_name
from tests.components.aws.registered import of_kind, registered
from tests.components.eks.plans import KARPENTER
from tests.components.registered import Registered

ADMINS = "target.cluster.administrators"
SCALED_BY: dict[str, dict[str, object]] = {"cluster_autoscaler": {}, "karpenter": KARPENTER}


def the_cluster(stack: str) -> Registered:
    [cluster] = of_kind("Cluster", registered(stack))
    return cluster


def test_the_api_is_private_unless_ranges_are_declared():
    assert the_cluster("regulated").inputs["vpcConfig"] == {
        "subnetIds": ["private-us-east-1a", "private-us-east-1b", "private-us-east-1c"],
        "endpointPrivateAccess": True,
        "endpointPublicAccess": False,
    }
    assert the_cluster("prod").inputs["vpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]


@pytest.mark.parametrize(
    ("cidr", "services"),
    [("10.30.0.0/16", "172.20.0.0/16"), ("172.20.0.0/16", "10.100.0.0/16")],
)
def test_services_have_addresses_that_the_network_has_not(cidr, services):
    [cluster] = of_kind("Cluster", registered("shadow", {"target.network.cidr": cidr}))
    assert cluster.inputs["kubernetesNetworkConfig"] == {"serviceIpv4Cidr": services}


def test_secrets_and_logs_are_encrypted_with_the_cluster_key():
    [logs] = [each for each in of_kind("LogGroup", registered("prod")) if "name" in each.inputs]
    encrypted = the_cluster("prod").inputs["encryptionConfig"]
    assert encrypted["resources"] == ["secrets"]
    assert encrypted["provider"]["keyArn"] == logs.inputs["kmsKeyId"]
    assert logs.inputs["retentionInDays"] == 365


def test_all_that_the_control_plane_logs_is_kept():
    assert len(the_cluster("prod").inputs["enabledClusterLogTypes"]) == 5


@pytest.mark.parametrize(("support", "kind"), [("standard", "STANDARD"), ("extended", "EXTENDED")])
def test_what_happens_when_support_ends_is_as_declared(support, kind):
    [cluster] = of_kind("Cluster", registered("shadow", {"target.cluster.support": support}))
    assert cluster.inputs["upgradePolicy"] == {"supportType": kind}


def test_every_administrator_has_an_entry_and_nobody_else():
    arns = [f"arn:aws:iam::123456789012:role/{name}" for name in ("platform-deploy", "ops/on-call")]
    among = registered("shadow", {ADMINS: arns})
    assert {each.inputs["principalArn"] for each in of_kind("AccessEntry", among)} == {*arns}
    allowed = of_kind("AccessPolicyAssociation", among)
    assert {each.inputs["principalArn"] for each in allowed} == {*arns}


@pytest.mark.parametrize(("stack", "kept"), [("prod", True), ("staging", False)])
def test_all_of_it_is_protected_or_nothing(stack, kept):
    among = [each for each in registered(stack) if each.type != "pulumi:pulumi:Stack"]
    first = {each.urn for each in of_kind("aws", among)}
    assert {each.protect for each in among if each.urn not in first} == {kept}
    assert the_cluster(stack).inputs["deletionProtection"] is kept


def test_a_deleted_key_can_be_had_back_for_as_long_as_aws_keeps_it():
    """Whatever `protect` says: it is false whenever a stack is taken down."""
    windows = {key.inputs["deletionWindowInDays"] for key in of_kind("Key", registered("staging"))}
    assert windows == {30}


def statements(policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def keys() -> dict[str, str]:
    return {key.name: key.inputs["policy"] for key in of_kind("Key", registered("prod"))}


def test_auto_scaling_may_use_the_key_of_disks_else_no_node_would_start():
    by_scaling = [
        statement
        for statement in statements(keys()["data"])
        if str(statement["Principal"].get("AWS", "")).endswith("AWSServiceRoleForAutoScaling")
    ]
    use, grant = by_scaling
    assert "kms:GenerateDataKey*" in use["Action"]
    assert grant["Action"] == "kms:CreateGrant"
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_cloudwatch_may_use_the_cluster_key_for_log_groups_of_the_account():
    [logs] = [s for s in statements(keys()["cluster"]) if "Service" in s["Principal"]]
    assert logs["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert logs["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:*"}
    }


def own_statements(stack: str, role: str, scaler: str) -> Iterator[dict[str, Any]]:
    among = registered(stack, SCALED_BY[scaler])
    for each in of_kind("RolePolicy", among):
        if each.name == role:
            yield from statements(each.inputs["policy"])


def test_the_autoscaler_changes_groups_of_its_own_cluster_only():
    reads, writes = own_statements("prod", "cluster-autoscaler", "cluster_autoscaler")
    assert all(
        action.partition(":")[2].startswith(("Describe", "Get")) for action in reads["Action"]
    )
    assert writes["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/breakeven-prod": "owned"}
    }


def test_karpenter_launches_and_ends_what_has_its_clusters_tag_only():
    tag = "kubernetes.io/cluster/breakeven-prod"
    found = {each["Sid"]: each for each in own_statements("prod", "karpenter", "karpenter")}
    for name in ("EndOwn", "NameOwnNodes", "LaunchFromOwnTemplates"):
        assert found[name]["Condition"]["StringEquals"] == {f"aws:ResourceTag/{tag}": "owned"}
    for name in ("LaunchTagged", "TagAtLaunch"):
        assert found[name]["Condition"]["StringEquals"][f"aws:RequestTag/{tag}"] == "owned"
    assert found["NodesHaveTheirRole"]["Resource"].endswith(":node")
    unbound = {name for name, each in found.items() if each["Resource"] == "*"}
    assert unbound == {"See", "SeePrices"}


def test_karpenter_hears_of_interruptions():
    among = registered("prod", KARPENTER)
    [queue] = of_kind("Queue", among)
    assert queue.inputs["name"] == "breakeven-prod-interruptions"
    assert len(of_kind("EventRule", among)) == len(of_kind("EventTarget", among)) == 5


@pytest.mark.parametrize(
    ("scaler", "account"),
    [("cluster_autoscaler", "cluster-autoscaler"), ("karpenter", "karpenter")],
)
def test_the_scaler_gets_its_role_by_its_service_account(scaler, account):
    among = registered("staging", SCALED_BY[scaler])
    [association] = of_kind("PodIdentityAssociation", among)
    assert association.inputs["namespace"] == association.inputs["serviceAccount"] == account
    [role] = [each for each in of_kind("Role", among) if each.name == account]
    [trusted] = statements(role.inputs["assumeRolePolicy"])
    assert trusted["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trusted["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def test_the_kubeconfig_asks_for_a_token_and_holds_none():
    text = kubeconfig(
        name="c", endpoint="https://api", certificate_authority="Y2E=", region="eu-west-1"
    )
    [user] = json.loads(text)["users"]
    assert user["user"] == {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "aws",
            "args": [
                "eks",
                "get-token",
                "--cluster-name",
                "c",
                "--region",
                "eu-west-1",
                "--output",
                "json",
            ],
            "interactiveMode": "Never",
        }
    }


@pytest.mark.parametrize(
    ("stack", "name"),
    [("prod", "breakeven-prod"), ("Team_A.prod", "breakeven-team-a-prod")],
)
def test_a_cluster_is_called_after_its_stack(stack, name):
    assert cluster_name(stack) == name


def test_a_bucket_of_a_long_name_is_cut_and_stays_its_own():
    names = {bucket_name(40 * "x" + end, "123456789012") for end in "ab"}
    assert {len(name) for name in names} == {63}
    assert len(names) == 2
    assert bucket_name("prod", "123456789012") == "breakeven-prod-models-123456789012"
