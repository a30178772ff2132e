import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dataplane.live import Live
from tests.dataplane.manifests import IMAGES
from tests.dataplane.process_node.network import PodNetwork, pod_network, why_not
from tests.dataplane.process_node.node import ProcessNode, process_node
from tests.engine.control_plane import ControlPlane, run_control_plane

HERE = Path(__file__).parent
LEAVE_OUT = "BREAKEVEN_WITHOUT_ROOT"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = [item for item in items if HERE in item.path.parents and _runs_pods(item)]
    for item in here:
        item.add_marker(pytest.mark.dataplane)
        item.add_marker(pytest.mark.engine)
    if here and os.environ.get(LEAVE_OUT) == "1":
        items[:] = [item for item in items if item not in here]
        config.hook.pytest_deselected(items=here)
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"{LEAVE_OUT}=1: {len(here)} tests that run pods are left out")


@pytest.fixture(scope="session")
def network() -> Iterator[PodNetwork]:
    """The bridge that pods are on; without root a test fails here, unless it is left out."""
    if reason := why_not():
        pytest.fail(f"{reason}. {LEAVE_OUT}=1 leaves these tests out.", pytrace=False)
    with pod_network() as made:
        yield made


@pytest.fixture(scope="session")
def live_control_plane(
    tools_path: str, network: PodNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A control plane that pods can reach: tests use namespaces and node names of their own."""
    directory = tmp_path_factory.mktemp("live-control-plane")
    with run_control_plane(
        tools_path, directory, address=network.host_address, aggregation=True
    ) as plane:
        yield plane


@pytest.fixture(scope="module")
def small_node(
    live_control_plane: ControlPlane, network: PodNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProcessNode]:
    """A process node whose images are small Python programs."""
    root = tmp_path_factory.mktemp("small-node")
    with process_node(live_control_plane.api, network=network, images=IMAGES, root=root) as made:
        yield made


@pytest.fixture
def live(
    live_control_plane: ControlPlane, small_node: ProcessNode, request: pytest.FixtureRequest
) -> Live:
    """The small node, and a namespace named after the test."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    live_control_plane.add_namespace(name)
    return Live(plane=live_control_plane, node=small_node, namespace=name)


def _runs_pods(item: pytest.Item) -> bool:
    return "network" in getattr(item, "fixturenames", ())
