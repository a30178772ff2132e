from collections.abc import Iterator

import pytest

from tests.dataplane.process_node.network import PodNetwork
from tests.dataplane.process_node.node import ProcessNode, process_node
from tests.dataplane.serving.declared import changes
from tests.dataplane.serving.deployed import Deployed, deployed
from tests.dataplane.serving.programs import images_of
from tests.dataplane.serving.stand_ins import Hosted, Langfuse, stand_ins
from tests.engine.control_plane import ControlPlane
from tools import data_plane
from tools.console import SetupError
from tools.data_plane import DataPlane


@pytest.fixture(scope="session")
def programs() -> DataPlane:
    """The programs that carry requests."""
    try:
        return data_plane.ready()
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def outside(network: PodNetwork) -> Iterator[tuple[Hosted, Langfuse]]:
    """A hosted API and a receiver of spans, which pods reach at the machine's address."""
    with stand_ins(network.host_address) as made:
        yield made


@pytest.fixture(scope="package")
def node(
    live_control_plane: ControlPlane,
    network: PodNetwork,
    programs: DataPlane,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ProcessNode]:
    """A node that runs the images of a stack."""
    root = tmp_path_factory.mktemp("serving-node")
    images = images_of(programs)
    with process_node(
        live_control_plane.api, network=network, images=images, root=root, name="serving-node"
    ) as made:
        yield made


@pytest.fixture(scope="package")
def whole_stack(  # noqa: PLR0917 - fixtures
    live_control_plane: ControlPlane,
    node: ProcessNode,
    programs: DataPlane,
    outside: tuple[Hosted, Langfuse],
    tools_path: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    """Two gateways, two routers, two real engines and all around them."""
    hosted, langfuse = outside
    with deployed(
        live_control_plane,
        node,
        changes(programs, hosted_url=hosted.url, langfuse_url=langfuse.url),
        name="live",
        folder=tmp_path_factory.mktemp("live"),
        search_path=tools_path,
        stand_ins=outside,
    ) as made:
        yield made


@pytest.fixture
def stack(whole_stack: Deployed) -> Deployed:
    """The same for one test: the outside is well, and has seen nothing yet."""
    for outside in (whole_stack.hosted, whole_stack.langfuse):
        outside.mood = "well"
    whole_stack.hosted.requests.clear()
    whole_stack.langfuse.spans.clear()
    return whole_stack
