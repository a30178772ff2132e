"""All is closed, so a kind of pod that the table of flows forgets reaches nothing."""

import pytest

from components.labels import APP, INSTANCE
from tests.components.network.opened import EXTERNAL, OPERATOR, Changes
from tests.components.registered import Registered, registered

EXISTING = {
    "observability.langfuse": {"kind": "existing", "url": "https://langfuse.example.com/"},
}
EVALUATED = {
    "models[0].serving.evaluation": {
        "kind": "command",
        "image": "registry.example/evaluations@sha256:" + 64 * "a",
        "command": ["./evaluate"],
    }
}


def made(resources: tuple[Registered, ...]) -> set[tuple[str, str]]:
    """Return name and instance of every kind of pod that is made."""
    labels = [pod["metadata"]["labels"] for each in resources for pod in each.pods()]
    return {(each[APP], each[INSTANCE]) for each in labels}


def named(resources: tuple[Registered, ...]) -> set[tuple[str, str]]:
    """Return the same of every kind of pod that has a policy of its own."""
    policies = [each.inputs["spec"] for each in resources if each.kind == "NetworkPolicy"]
    labels = [spec.get("podSelector", {}).get("matchLabels") for spec in policies]
    return {(each[APP], each[INSTANCE]) for each in labels if each}


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, {("langfuse-prices", "langfuse"), ("vllm", "support-chat")}),
        (EXISTING, {("langfuse-prices", "langfuse"), ("otel-collector", "otel-collector")}),
        (EVALUATED, {("evaluation", "support-chat")}),
        ({"observability.langfuse.stores": EXTERNAL}, {("langfuse-worker", "langfuse")}),
        ({"observability.prometheus": OPERATOR}, {("gateway-limits", "gateway-limits")}),
    ],
    ids=["autoscaled", "existing", "evaluated", "external", "operator"],
)
def test_every_pod_is_named_in_the_table_of_flows(changes: Changes, own: set[tuple[str, str]]):
    resources = registered(changes)

    assert own <= made(resources), "what the case is there for"
    assert made(resources) - named(resources) == set()
