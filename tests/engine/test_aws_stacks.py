"""Target eks: each stack comes up in a stand-in AWS account and a real Kubernetes API, and goes again.

Nodes are kwok's; the account is that of tests/aws/README.md. AWS itself was never reached.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.engine.aws_account import AwsAccount, empty_chart, live, pin, secrets
from tests.engine.control_plane import ControlPlane, run_control_plane
from tests.engine.declared import Changes, dearer_nodes, declare, new_project
from tests.engine.keda import add_definitions
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import created, errors

STACKS = ("shadow", "staging", "regulated", "prod")
UP_S, DOWN_S = 600, 120
GROUP = "support-chat"
"""The GPU nodes of the shadow's model."""
STORAGE_CLASSES = ("", "gp3")
AUDITED = ("s3.Bucket", "s3.BucketPolicy", "s3.BucketObjectLockConfiguration")
"""What stays of a stack with an audit: its trail, which nobody may delete before its time."""
CREATED_IN_ORDER = [
    ("cloudwatch.LogGroup::control-plane", "eks.Cluster::*"),
    ("iam.RolePolicyAttachment::cluster-*", "eks.Cluster::*"),
    ("ec2.RouteTableAssociation::private-*", "eks.NodeGroup::*"),
    ("ec2.VpcEndpoint::*", "eks.NodeGroup::*"),
    ("eks.Addon::vpc-cni", "eks.NodeGroup::*"),
    ("eks.NodeGroup::system", "eks.Addon::coredns"),
]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack in an account of its own."""

    name: str
    project: PulumiProject
    account: AwsAccount
    plane: ControlPlane

    def declare(self, changes: Changes | None = None) -> None:
        """Declare the checked-in stack, pinned, with some changes."""
        declare(
            self.project,
            self.name,
            {**live(self.name), **(changes or {})},
            base=f"{self.name}-base",
            secrets=secrets(self.name),
        )

    def up(self) -> None:
        self.project.up(self.name, timeout_s=UP_S).expect()

    def order(self, method: str) -> list[str]:
        """Return what was created or deleted, first to last."""
        calls = self.account.calls(method, preview=False)
        return [f"{call.kind}::{call.name}" for call in calls if not call.error]


@pytest.fixture(scope="module")
def plane(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The Kubernetes API of one cluster after another: nothing in it but what AWS would have there."""
    with run_control_plane(tools_path, tmp_path_factory.mktemp("eks")) as plane:
        add_definitions(plane)
        for name in STORAGE_CLASSES:
            plane.add_volumes(20, storage_class=name)
        yield plane


def new(folder: Path, tools_path: str, plane: ControlPlane, name: str) -> Deployment:
    """Return a checked-in stack, pinned, in an account of its own; nothing is deployed yet."""
    project, account = new_project(folder, tools_path), AwsAccount(folder / "account", plane)
    account.plug_into(project)
    pin(project)
    deployment = Deployment(name=name, project=project, account=account, plane=plane)
    stacks = project.directory / "stacks"
    shutil.copy(stacks / f"Pulumi.{name}.yaml", stacks / f"Pulumi.{name}-base.yaml")
    deployment.declare()
    project.init(name)
    return deployment


def in_order(done: list[str], pairs: list[tuple[str, str]]) -> None:
    for first, then in pairs:
        firsts = [index for index, each in enumerate(done) if fnmatch(each, first)]
        thens = [index for index, each in enumerate(done) if fnmatch(each, then)]
        assert firsts, first
        assert thens, then
        assert max(firsts) < min(thens), f"{first} before {then}"


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_comes_up_stays_as_it_is_and_goes(
    tmp_path: Path, tools_path: str, plane: ControlPlane, name: str
):
    stack = new(tmp_path, tools_path, plane, name)

    stack.project.preview(name).expect()
    assert stack.account.things() == [], "a preview makes nothing"
    stack.up()
    stack.project.preview(name, "--expect-no-changes").expect()
    assert_available(plane, name)
    in_order(stack.order("Create"), CREATED_IN_ORDER)

    stack.project.destroy(name, timeout_s=DOWN_S).expect()
    in_order(stack.order("Delete"), [(then, first) for first, then in CREATED_IN_ORDER[1:]])
    assert {thing.kind for thing in stack.account.things()} <= set(AUDITED)
    assert not plane.api.exists(f"/api/v1/namespaces/serving-{name}")
    assert plane.api.items("/api/v1/nodes") == []


def assert_available(plane: ControlPlane, name: str) -> None:
    deployments = plane.api.items(f"/apis/apps/v1/namespaces/serving-{name}/deployments")
    short = {
        each["metadata"]["name"]: each["status"]
        for each in deployments
        if each["status"].get("availableReplicas", 0) != each["spec"]["replicas"]
    }
    assert deployments
    assert short == {}


def test_what_is_protected_stays_all_of_it(tmp_path: Path, tools_path: str, plane: ControlPlane):
    stack = new(tmp_path, tools_path, plane, "shadow")
    stack.declare({"target.protect": True})
    stack.up()
    before = stack.account.things()

    refused = stack.project.destroy("shadow", timeout_s=DOWN_S)
    assert refused.code != 0
    assert stack.account.things() == before
    assert_available(plane, "shadow")

    stack.declare({"target.protect": False})
    stack.up()
    stack.project.destroy("shadow", timeout_s=DOWN_S).expect()
    assert stack.account.things() == []


def test_a_refused_stack_asks_aws_nothing(tmp_path: Path, tools_path: str, plane: ControlPlane):
    stack = new(tmp_path, tools_path, plane, "prod")
    dearer_nodes(stack.project, 30)

    refused = stack.project.up("prod")

    assert refused.code != 0
    assert "verdict" in errors(refused)[0]
    assert stack.account.calls() == []
    assert [each["type"] for each in stack.project.resources("prod")] == ["pulumi:pulumi:Stack"]


def test_karpenter_has_a_role_a_queue_and_limits_before_anything_is_made(
    tmp_path: Path, tools_path: str, plane: ControlPlane
):
    """Its nodes come from itself, and nobody plays it here: tests/engine/test_in_cluster.py goes on."""
    stack = new(tmp_path, tools_path, plane, "shadow")
    empty_chart(stack.project.directory / "charts", "karpenter")
    charts = {"karpenter": "./charts/karpenter", "keda": "./charts/keda"}
    stack.declare({"target.gpu_nodes.scaler": "karpenter", "target.charts": charts})

    shown = stack.project.preview("shadow").expect()

    assert {"aws:sqs:Queue", "aws:iam:InstanceProfile"} <= set(created(shown))
    assert "kubernetes:karpenter.sh/v1:NodePool" in created(shown)
    assert stack.account.things() == []


def test_a_stack_of_another_account_is_refused(
    tmp_path: Path, tools_path: str, plane: ControlPlane
):
    stack = new(tmp_path, tools_path, plane, "shadow")
    stack.account.set(account="210987654321")

    refused = stack.project.up("shadow")

    assert refused.code != 0
    assert "AWS account ID not allowed: 210987654321" in refused.output
    assert stack.account.things() == []


@pytest.fixture(scope="module")
def shadow(
    tools_path: str, plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The smallest stack, deployed; each test leaves it as it was declared, but for the last one."""
    stack = new(tmp_path_factory.mktemp("shadow"), tools_path, plane, "shadow")
    stack.up()
    yield stack
    stack.account.fail("Delete", "none", "", times=0)
    stack.project.destroy("shadow", timeout_s=DOWN_S).expect()


def test_nodes_that_the_scaler_added_are_no_difference(shadow: Deployment):
    shadow.account.change("eks.NodeGroup", GROUP, "scalingConfig.desiredSize", 5)

    shadow.project.refresh("shadow", timeout_s=UP_S).expect()

    shadow.project.preview("shadow", "--expect-no-changes").expect()


def test_another_endpoint_replaces_nothing_in_the_cluster(shadow: Deployment):
    """As after an endpoint that was opened or closed; `/` makes it another one."""
    before = kubernetes_objects(shadow)
    shadow.account.set(endpoint=f"{shadow.account.settings.endpoint}/")

    shadow.project.refresh("shadow", timeout_s=UP_S).expect()
    shadow.up()

    assert kubernetes_objects(shadow) == before


def kubernetes_objects(stack: Deployment) -> dict[str, str]:
    """Return the identity of all objects that the stack deployed."""
    found = {}
    for each in stack.project.resources(stack.name):
        if each["type"].startswith("kubernetes:") and each["custom"]:
            metadata: dict[str, Any] = each.get("outputs", {}).get("metadata") or {}
            found[each["urn"]] = metadata.get("uid", "")
    assert any(found.values())
    return found


def test_a_larger_disk_keeps_the_node_group_and_another_machine_replaces_it(shadow: Deployment):
    before = shadow.account.thing("eks.NodeGroup", GROUP).id
    shadow.account.forget_calls()
    shadow.declare({"target.gpu_nodes.disk_gib": 300})
    shadow.up()
    assert shadow.account.thing("eks.NodeGroup", GROUP).id == before
    assert shadow.order("Delete") == []

    shadow.declare({"target.system_nodes.instance_type": "m7i.2xlarge"})
    shadow.up()
    assert [each for each in shadow.order("Delete") if each.startswith("eks.")] == [
        "eks.NodeGroup::system"
    ]
    assert_available(shadow.plane, "shadow")


def test_a_destruction_that_failed_is_finished_by_the_next(shadow: Deployment):
    # The last test with this stack.
    shadow.account.fail("Delete", "eks.NodeGroup::system", "ResourceInUseException: wait")

    failed = shadow.project.destroy("shadow", timeout_s=DOWN_S)
    assert failed.code != 0
    assert "ResourceInUseException: wait" in failed.output
    assert shadow.account.things("eks.Cluster")

    shadow.project.destroy("shadow", timeout_s=DOWN_S).expect()
    assert shadow.account.things() == []
