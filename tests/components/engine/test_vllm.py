"""The registered Deployment: who owns the number of replicas."""

from typing import Any
from unittest.mock import patch

import pulumi
import pytest

from components.engine import vllm
from components.engine.vllm import Vllm, VllmArgs
from tests.components.engine.models import a_model, plan_of


def deployment(*, replicas: int, autoscaled: bool) -> tuple[dict[str, Any], Any]:
    """Return the Deployment's spec and its options as they are handed to Pulumi."""
    args = VllmArgs(
        plan=plan_of(a_model()),
        replicas=replicas,
        autoscaled=autoscaled,
        namespace="serving-demo",
        token_secret=None,
        reads={},
        labels={},
        node_selector={},
    )
    with (
        patch.object(pulumi.ComponentResource, "__init__", return_value=None),
        patch.object(pulumi.ComponentResource, "register_outputs"),
        patch.object(vllm, "ResourceOptions", side_effect=lambda **given: given),
        patch.object(vllm, "k8s") as kubernetes,
    ):
        Vllm("support-chat", args)
    given = kubernetes.apps.v1.Deployment.call_args.kwargs
    return given["spec"], given["opts"]


@pytest.mark.parametrize(
    ("replicas", "autoscaled", "ignored"),
    [(2, False, None), (2, True, ["spec.replicas"]), (0, True, ["spec.replicas"])],
)
def test_an_update_leaves_the_replicas_to_the_autoscaler_and_only_to_one(
    replicas: int, autoscaled: bool, ignored: list[str] | None
):
    spec, options = deployment(replicas=replicas, autoscaled=autoscaled)

    assert spec["replicas"] == replicas, "what a new Deployment begins with"
    assert options["ignore_changes"] == ignored
