"""A client's key in a Secret that is there before the stack: read, rotated, and refused where it is weak."""

import base64
import json
from collections.abc import Iterator

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import LIVE, SECRETS, declare, new_project
from tests.engine.kubernetes_api import KubernetesApi
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import errors

STACK = "existing"
SPACE = f"serving-{STACK}"
SECRET = "claims-of-another-team"  # noqa: S105 - its name
FIRST, NEXT = "a-first-key-of-the-claims", "a-next-key-of-the-claims"


@pytest.fixture(scope="module")
def existing(
    control_plane: ControlPlane, tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PulumiProject]:
    """As docs/serving.md says: the namespace and the Secret first."""
    api, pool = control_plane.api, {"pool": STACK}
    control_plane.add_gpu_node(STACK, gpus=2, labels=pool)
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    keep(api, key=FIRST)
    folder = tmp_path_factory.mktemp(STACK)
    project = new_project(folder, tools_path, control_plane.kubeconfig)
    changes = LIVE | {
        "models[0].serving.node_selector": pool,
        "gateway.keys[1].existing_secret": SECRET,
    }
    declare(
        project, STACK, changes, secrets={k: v for k, v in SECRETS.items() if k != "key-claims"}
    )
    project.init(STACK)
    yield project
    project.destroy(STACK).expect()


def keep(api: KubernetesApi, **values: str) -> None:
    data = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    place = {"name": SECRET, "namespace": SPACE}
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": place, "data": data})


def let_in(api: KubernetesApi) -> set[str]:
    """Return the values of keys that the gateway's configuration knows, of those in these tests."""
    held = api.items(f"/api/v1/namespaces/{SPACE}/secrets")
    texts = [base64.b64decode(v).decode() for s in held for v in s.get("data", {}).values()]
    routes = " ".join(text for text in texts if "static_resources" in text)
    return {key for key in (FIRST, NEXT) if json.dumps(f"Bearer {key}") in routes}


def test_it_is_read_when_the_stack_goes_up(existing: PulumiProject, control_plane: ControlPlane):
    existing.up(STACK).expect()

    assert let_in(control_plane.api) == {FIRST}
    assert FIRST not in json.dumps(existing.stack_export(STACK))


def test_both_values_are_good_while_it_is_rotated(
    existing: PulumiProject, control_plane: ControlPlane
):
    keep(control_plane.api, key=FIRST, next=NEXT)

    existing.up(STACK).expect()

    assert let_in(control_plane.api) == {FIRST, NEXT}


def test_a_weak_one_changes_nothing(existing: PulumiProject, control_plane: ControlPlane):
    keep(control_plane.api, key="weak", next=NEXT)

    refused = existing.up(STACK)

    assert refused.code != 0
    assert f"secret {SECRET}" in " ".join(errors(refused)).lower()
    assert let_in(control_plane.api) == {FIRST, NEXT}
    keep(control_plane.api, key=FIRST)
