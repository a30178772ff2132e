"""Target eks: what a change, a scaler, a refusal or a protection does, on the smallest stack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.components.eks.plans import KARPENTER
from tests.engine.aws_account import empty_chart
from tests.engine.aws_stack import UP_S, Deployment, assert_available, new
from tests.engine.control_plane import ControlPlane
from tests.engine.declared import dearer_nodes
from tests.engine.shown import created, errors

GROUP = "support-chat"
"""The GPU nodes of the shadow's model."""


def test_what_is_protected_stays_all_of_it(
    tmp_path: Path, tools_path: str, eks_plane: ControlPlane
):
    stack = new(tmp_path, tools_path, eks_plane, "shadow")
    stack.declare({"target.protect": True})
    stack.up()
    before = stack.account.things()

    refused = stack.project.destroy("shadow")
    assert refused.code != 0
    assert stack.account.things() == before
    assert_available(eks_plane, "shadow")

    stack.declare({"target.protect": False})
    stack.up()
    stack.project.destroy("shadow").expect()
    assert stack.account.things() == []


def test_a_refused_stack_asks_aws_nothing(tmp_path: Path, tools_path: str, eks_plane: ControlPlane):
    stack = new(tmp_path, tools_path, eks_plane, "prod")
    dearer_nodes(stack.project, 30)

    refused = stack.project.up("prod")

    assert refused.code != 0
    assert "verdict" in errors(refused)[0]
    assert stack.account.calls() == []
    assert [each["type"] for each in stack.project.resources("prod")] == ["pulumi:pulumi:Stack"]
    assert stack.project.outputs("prod")["decision"]["allowed"] is False
    stack.project.destroy("prod").expect()


def test_karpenter_has_a_role_a_queue_and_limits_before_anything_is_made(
    tmp_path: Path, tools_path: str, eks_plane: ControlPlane
):
    """Its nodes come from itself, and nobody plays it here: tests/engine/test_in_cluster.py goes on."""
    stack = new(tmp_path, tools_path, eks_plane, "shadow")
    empty_chart(stack.project.directory / "charts", "karpenter")
    charts = {"karpenter": "./charts/karpenter", "keda": "./charts/keda"}
    stack.declare({**KARPENTER, "target.charts": charts})

    shown = stack.project.preview("shadow").expect()

    assert {"aws:sqs:Queue", "aws:iam:InstanceProfile"} <= set(created(shown))
    assert "kubernetes:karpenter.sh/v1:NodePool" in created(shown)
    assert stack.account.things() == []


def test_a_stack_of_another_account_is_refused(
    tmp_path: Path, tools_path: str, eks_plane: ControlPlane
):
    stack = new(tmp_path, tools_path, eks_plane, "shadow")
    stack.account.set(account="210987654321")

    refused = stack.project.up("shadow")

    assert refused.code != 0
    assert "AWS account ID not allowed: 210987654321" in refused.output
    assert stack.account.things() == []


@pytest.fixture(scope="module")
def shadow(
    tools_path: str, eks_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The smallest stack, deployed; each test declares all that it has."""
    stack = new(tmp_path_factory.mktemp("shadow"), tools_path, eks_plane, "shadow")
    stack.up()
    yield stack
    stack.project.destroy("shadow").expect()


def test_nodes_that_the_scaler_added_are_no_difference(shadow: Deployment):
    shadow.account.change("eks.NodeGroup", GROUP, "scalingConfig.desiredSize", 5)

    shadow.project.refresh("shadow", timeout_s=UP_S).expect()

    shadow.project.preview("shadow", "--expect-no-changes").expect()


def test_a_higher_cap_keeps_the_nodes_that_the_scaler_added(shadow: Deployment):
    """With --refresh, as docs/aws.md says: without it the provider would ask for the floor again."""
    shadow.account.change("eks.NodeGroup", GROUP, "scalingConfig.desiredSize", 3)
    shadow.account.forget_calls()
    shadow.declare({"models[0].pool.replicas.max": 4, "shadow.spending_cap_usd": 100_000})

    shadow.project.up("shadow", "--refresh", timeout_s=UP_S).expect()

    (update,) = [
        call.inputs["scalingConfig"]
        for call in shadow.account.calls("Update", preview=False)
        if (call.kind, call.name) == ("eks.NodeGroup", GROUP)
    ]
    assert update == {"minSize": 1, "maxSize": 4, "desiredSize": 3}
    shadow.account.change("eks.NodeGroup", GROUP, "scalingConfig.desiredSize", 1)
    shadow.declare()
    shadow.project.up("shadow", "--refresh", timeout_s=UP_S).expect()


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


def test_a_larger_disk_keeps_the_node_group(shadow: Deployment):
    before = shadow.account.thing("eks.NodeGroup", GROUP).id
    shadow.account.forget_calls()
    shadow.declare({"target.gpu_nodes.disk_gib": 300})

    shadow.up()

    assert shadow.account.thing("eks.NodeGroup", GROUP).id == before
    assert shadow.order("Delete") == []


def test_other_gpus_replace_the_group_under_its_engines(shadow: Deployment):
    shadow.account.forget_calls()
    shadow.declare(
        {
            "models[0].pool.node.instance_type": "p5.48xlarge",
            "shadow.spending_cap_usd": 1_000_000,
        }
    )

    shadow.up()

    assert [each for each in shadow.order("Delete") if each.startswith("eks.")] == [
        f"eks.NodeGroup::{GROUP}"
    ]
    assert_available(shadow.plane, "shadow")
