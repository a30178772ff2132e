"""Add-ons have pinned versions, which AWS is asked for; nobody deploys one that was not looked up."""

import json
from datetime import date

import pytest

from components.aws.add_ons import ADD_ONS, add_on_versions, parse_lock
from stacks.errors import InputError, Place
from tests.components.aws.registered import LOCK, of_kind, registered
from tools.console import SetupError
from tools.pin_add_ons import main

PLACE = Place("stack.yaml", "target")
DAY = date(2026, 11, 21)


def test_each_add_on_is_registered_in_its_pinned_version():
    versions = {
        each.name: each.inputs["addonVersion"] for each in of_kind("Addon", registered("prod"))
    }
    assert versions == LOCK["1.36"]


def test_network_policies_are_enforced():
    [cni] = [each for each in registered("prod") if each.name == "vpc-cni"]
    assert json.loads(cni.inputs["configurationValues"]) == {"enableNetworkPolicy": "true"}


def test_volumes_are_made_with_a_role_of_their_own():
    [csi] = [each for each in registered("prod") if each.name == "aws-ebs-csi-driver"]
    [association] = csi.inputs["podIdentityAssociations"]
    assert association["serviceAccount"] == "ebs-csi-controller-sa"
    assert association["roleArn"].endswith(":ebs-csi")


@pytest.mark.parametrize(
    ("lock", "missing"),
    [
        ({}, "vpc-cni"),
        ({"1.36": {**LOCK["1.36"], "coredns": ""}}, "no version of coredns;"),
    ],
    ids=["version of Kubernetes", "add-on"],
)
def test_what_is_not_pinned_is_refused_with_the_command_that_pins_it(lock, missing):
    with pytest.raises(InputError, match=missing) as refused:
        add_on_versions("1.36", lock, PLACE)
    [problem] = refused.value.problems
    assert problem.field == "target.cluster.version"
    assert problem.remedy.startswith("python tools/pin_add_ons.py 1.36")


def answer(name: str, minor: str) -> str:
    """Answer as AWS does: the newest first, and the default one somewhere."""
    return json.dumps(
        {
            "addons": [
                {
                    "addonName": name,
                    "addonVersions": [
                        {"addonVersion": f"v9-{name}", "compatibilities": [fits(minor)]},
                        {
                            "addonVersion": f"v1-{name}",
                            "compatibilities": [fits("1.30"), fits(minor, default=True)],
                        },
                    ],
                }
            ]
        }
    )


def fits(minor: str, *, default: bool = False) -> dict[str, object]:
    return {"clusterVersion": minor, "defaultVersion": default}


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "add_ons.yaml"
    file.write_text('# why\n"1.35":\n  checked: "2026-01-01"\n  versions: {vpc-cni: v0}\n')
    return file


def test_the_default_versions_are_written_down_and_the_rest_stays(lock):
    assert main(["1.36"], file=lock, ask=answer, today=DAY) == 0
    text = lock.read_text()
    assert text.startswith("# why\n")
    assert "checked: '2026-11-21'" in text
    assert parse_lock(text) == {
        "1.35": {"vpc-cni": "v0"},
        "1.36": {name: f"v1-{name}" for name in ADD_ONS},
    }


def test_a_known_version_stays_until_it_is_renewed(lock):
    assert main(["1.35"], file=lock, ask=answer, today=DAY) == 0
    assert parse_lock(lock.read_text())["1.35"]["vpc-cni"] == "v0"
    assert main(["1.35", "--renew"], file=lock, ask=answer, today=DAY) == 0
    assert parse_lock(lock.read_text())["1.35"]["vpc-cni"] == "v1-vpc-cni"


def test_check_writes_nothing_and_says_whether_something_is_missing(lock):
    before = lock.read_text()
    assert main(["1.36", "--check"], file=lock, ask=answer, today=DAY) == 1
    assert lock.read_text() == before
    main(["1.36"], file=lock, ask=answer, today=DAY)
    assert main(["1.36", "--check"], file=lock, ask=answer, today=DAY) == 0


def refuses(name: str, minor: str) -> str:
    raise SetupError(f"no credentials to ask for {name} of {minor}")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (refuses, "no credentials to ask for vpc-cni of 1.36"),
        (lambda _name, _minor: "<html>", "not JSON"),
        (lambda name, _minor: answer(name, "1.30"), "no default version of vpc-cni"),
    ],
    ids=["refused", "something else", "no such version"],
)
def test_where_aws_does_not_say_nothing_is_written(lock, capsys, ask, said):
    before = lock.read_text()
    assert main(["1.36"], file=lock, ask=ask, today=DAY) == 1
    assert said in capsys.readouterr().err
    assert lock.read_text() == before
