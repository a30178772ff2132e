"""The stand-in looks inputs through as the real provider does."""

from typing import Any

import pytest

from tests.aws.checking import named, problems, with_defaults
from tests.aws.difference import differences
from tests.aws.kinds import kinds
from tests.aws.shapes import names_of
from tests.aws.wire import UNKNOWN, Urn

GROUP: dict[str, Any] = {
    "clusterName": "c",
    "nodeRoleArn": UNKNOWN,
    "subnetIds": [UNKNOWN],
    "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0},
}


def paths(kind: str, inputs: dict[str, Any]) -> list[str]:
    return [problem.path for problem in problems(kind, inputs)]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"scalingConfig": UNKNOWN}, []),
        ({"subnetIds": None}, ["subnetIds"]),
        ({"scalingConfig": {"maxSize": 1, "desiredSize": 0}}, ["scalingConfig.minSize"]),
        ({"taints": [{"key": "a", "effect": "b"}, {"key": "a"}]}, ["taints[1].effect"]),
        ({"disk": 1}, ["disk"]),
        ({"launchTemplate": {"version": "1", "disk": 1}}, ["launchTemplate.disk"]),
        ({"labels": {"any/label": "is fine"}}, []),
    ],
)
def test_properties_are_those_of_pulumi_aws_at_every_depth(
    changes: dict[str, Any], wrong: list[str]
):
    assert paths("eks.NodeGroup", GROUP | changes) == wrong


@pytest.mark.parametrize(
    ("kind", "inputs", "wrong"),
    [
        ("iam.Role", {"assumeRolePolicy": "{}"}, []),
        ("iam.Role", {"assumeRolePolicy": UNKNOWN}, []),
        ("iam.Role", {"assumeRolePolicy": "anyone"}, ["assumeRolePolicy"]),
        ("lb.LoadBalancer", {"name": 33 * "n"}, ["name"]),
        ("s3.BucketVersioning", {"bucket": "b"}, ["versioningConfiguration"]),
        ("sns.Topic", {}, [""]),
    ],
)
def test_forms_and_kinds_are_checked(kind: str, inputs: dict[str, Any], wrong: list[str]):
    assert paths(kind, inputs) == wrong


def test_every_property_of_the_tables_is_one_of_pulumi_aws():
    used = {
        (name, path.split(".")[0])
        for name, kind in kinds().items()
        for path in (*kind.replaces, *kind.needs, *kind.held_by, *filter(None, [kind.named]))
    }

    assert {(name, first) for name, first in used if first not in names_of(name)} == set()


def test_a_name_is_made_once():
    urn = Urn("iam.Role", "node")

    first = named(urn, {}, old={}, seed=b"1")
    again = named(urn, {}, old=first, seed=b"2")
    given = named(urn, {"name": "mine"}, old=first, seed=b"2")

    assert first["name"].startswith("node-")
    assert again == first
    assert given == {"name": "mine"}


def test_tags_and_region_of_the_provider_reach_what_has_them():
    tags = {"stack": "a"}

    assert with_defaults("ec2.Vpc", {"tags": {"Name": "b"}}, "eu-west-1", tags) == {
        "tags": {"Name": "b"},
        "region": "eu-west-1",
        "tagsAll": {"stack": "a", "Name": "b"},
    }
    assert with_defaults("iam.RolePolicyAttachment", {}, "eu-west-1", tags) == {}


@pytest.mark.parametrize(
    ("old", "new", "ignored", "changed"),
    [
        ({"a": 1}, {"a": 1, "__defaults": ["b"]}, [], []),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 1}}, [], ["a.b"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"], []),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [], ["a[0].b"]),
        ({"a": [1]}, {"a": [1, 2]}, [], ["a"]),
        ({"tags": {"k8s.io/x": "1"}}, {"tags": {}}, [], ['tags["k8s.io/x"]']),
    ],
)
def test_differences_are_named_by_their_paths(
    old: dict[str, Any], new: dict[str, Any], ignored: list[str], changed: list[str]
):
    assert differences(old, new, ignored) == changed
