"""What is registered after what: made in this order, taken down in the other."""

import pytest

from tests.components.network.test_every_pod import EVALUATED, EXISTING
from tests.components.registered import Registered, before, registered, within
from tests.factories import Changes

OBJECTS = {"Secret", "ConfigMap"}
NAMED_BY = {
    "secretKeyRef": "name",
    "configMapKeyRef": "name",
    "secretRef": "name",
    "configMapRef": "name",
    "secret": "secretName",
    "configMap": "name",
}
"""How a pod refers to one, and where its name stands there."""


def one(resources: tuple[Registered, ...], kind: str, name: str) -> Registered:
    (found,) = [each for each in resources if (each.kind, each.name) == (kind, name)]
    return found


def test_an_autoscaler_comes_after_the_engine_that_it_scales_and_goes_before_it():
    resources = registered()
    scaler = one(resources, "ScaledObject", "support-chat")
    engine = one(resources, "Deployment", "support-chat")

    assert engine in before(scaler, resources)
    assert scaler not in before(engine, resources)


def read(work: Registered) -> set[str]:
    """Return the names of the Secrets and ConfigMaps that its pods read."""
    references = [
        (each[way], key)
        for each in within(work.pods())
        for way, key in NAMED_BY.items()
        if way in each
    ]
    return {reference[key] for reference, key in references}


@pytest.mark.parametrize("changes", [{}, EXISTING, EVALUATED], ids=["own", "existing", "evaluated"])
def test_pods_come_after_what_they_read(changes: Changes):
    resources = registered(changes)
    read_by = {each.urn: read(each) for each in resources if each.pods()}
    assert "langfuse" in read_by[one(resources, "Job", "langfuse-prices").urn]
    assert "gateway-counters" in read_by[one(resources, "Deployment", "gateway-limits").urn]
    assert {"engine-key", "hub-token"} <= read_by[one(resources, "Deployment", "support-chat").urn]
    for work in resources:
        there = {
            each.inputs["metadata"]["name"]
            for each in before(work, resources)
            if each.kind in OBJECTS
        }
        assert read_by.get(work.urn, set()) <= there, work.urn
