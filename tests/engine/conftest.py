from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.control_plane import ControlPlane, run_control_plane
from tests.engine.keda import add_definitions
from tests.engine.pulumi_cli import PulumiProject, copy_program

HERE = Path(__file__).parent
MakeProject = Callable[..., PulumiProject]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def control_plane(
    tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """One control plane for the whole run: tests use namespaces and node names of their own."""
    directory = tmp_path_factory.mktemp("control-plane")
    with run_control_plane(tools_path, directory, aggregation=True) as plane:
        plane.add_gpu_node("cpu", gpus=0, taint=False)
        plane.add_volumes(20)
        add_definitions(plane)
        yield plane


@pytest.fixture
def make_project(tools_path: str, tmp_path: Path) -> MakeProject:
    """A function: a folder with a program, and optionally a kubeconfig, to a PulumiProject."""

    def make(directory: Path, kubeconfig: Path | None = None) -> PulumiProject:
        state = tmp_path / f"state of {directory.name}"
        return PulumiProject(directory, state=state, search_path=tools_path, kubeconfig=kubeconfig)

    return make


@pytest.fixture
def project(make_project: MakeProject, tmp_path: Path) -> PulumiProject:
    """This repository's program in a folder of its own, with no cluster."""
    return make_project(copy_program(tmp_path / "program"))


@pytest.fixture(scope="module")
def eks_plane(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The Kubernetes API of one EKS cluster after another: in it is what AWS would have there."""
    with run_control_plane(tools_path, tmp_path_factory.mktemp("eks")) as plane:
        add_definitions(plane)
        for storage_class in ("", "gp3"):
            plane.add_volumes(20, storage_class=storage_class)
        yield plane
