"""What a gateway may declare: a mirror in the cluster, and keys that can be told from each other."""

import pytest

from stacks.errors import InputError, Problem
from stacks.reading import parse_stack
from tests.factories import Changes, a_stack


def problem(changes: Changes) -> Problem:
    """Return the one thing that is wrong."""
    with pytest.raises(InputError) as told:
        parse_stack(a_stack(changes), file="s.yaml")
    (found,) = told.value.problems
    return found


def mirror(host: str) -> Changes:
    return {"gateway.mirror": {"host": host, "fraction": 0.1}}


@pytest.mark.parametrize(
    "host",
    [
        "gateway.serving-shadow",
        "gateway.serving-shadow.svc",
        "gateway.serving-shadow.svc.cluster.local",
        "g.2nd",
        "g" * 63 + "." + "n" * 63,
    ],
)
def test_a_mirror_is_a_service_of_the_cluster(host: str):
    declared = parse_stack(a_stack(mirror(host)), file="s.yaml").gateway.mirror

    assert declared is not None
    assert declared.host == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        "gateway",
        "8.8.8.8",
        "8.8",
        "evil.example.com",
        "gateway.shadow.svc.example.com",
        "gateway.shadow.svc.cluster.local.",
        "gateway.shadow:8080",
        "http://gateway.shadow",
        "Gateway.shadow",
        "gateway.-shadow",
        "gateway..svc",
        "gateway.shadow\n",
        "g" * 64 + ".shadow",
        "[::1]",
    ],
)
def test_any_other_host_is_refused(host: str):
    found = problem(mirror(host))

    assert found.field.endswith("gateway.mirror.host")
    assert "<service>.<namespace>" in found.allowed


@pytest.mark.parametrize(
    ("aliases", "taken"),
    [
        (("web", "web"), "web"),
        (("web", "web-next"), "web-next"),
        (("web-next", "web"), "web-next"),
    ],
)
def test_an_alias_is_no_other_keys_name(aliases: tuple[str, str], taken: str):
    found = problem({f"gateway.keys[{i}].alias": alias for i, alias in enumerate(aliases)})

    assert found.field.endswith("gateway.keys[1].alias")
    assert found.found == f"{aliases[1]}, where {taken} is a name already"


def test_one_secret_of_the_cluster_is_not_two_keys():
    found = problem({f"gateway.keys[{i}].existing_secret": "the-key" for i in (0, 1)})

    assert found.field.endswith("gateway.keys[1].existing_secret")
    assert found.found == "the-key, which web-chat has"


def test_each_key_may_have_a_secret_of_its_own():
    changes = {f"gateway.keys[{i}].existing_secret": f"key-{i}" for i in (0, 1)}

    keys = parse_stack(a_stack(changes), file="s.yaml").gateway.keys
    assert [key.existing_secret for key in keys] == ["key-0", "key-1"]
