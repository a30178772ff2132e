"""A checked-in stack of target eks in a stand-in account, with a real Kubernetes API behind its cluster."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.engine.aws_account import AwsAccount, live, pin, secrets
from tests.engine.control_plane import ControlPlane
from tests.engine.declared import Changes, declare, new_project
from tests.engine.kubernetes_api import Manifest
from tests.engine.pulumi_cli import PulumiProject

UP_S = 600


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


def assert_available(plane: ControlPlane, name: str) -> None:
    """Fail if a Deployment is short of replicas, and stays so: pods of a node that went move first."""
    deployments = f"/apis/apps/v1/namespaces/serving-{name}/deployments"
    assert plane.api.items(deployments)
    plane.api.wait_for(deployments, all_available, timeout_s=120)


def all_available(deployments: Manifest) -> bool:
    return all(
        each["status"].get("availableReplicas", 0) == each["spec"]["replicas"]
        for each in deployments["items"]
    )
