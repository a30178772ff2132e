"""A stand-in AWS account for the programs of the tests: its provider, its `aws` command, its clusters.

What it refuses and what it does not show stands in tests/aws/README.md.
"""

import os
import stat
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from components.images import locked_images
from tests.aws import account as stand_in
from tests.aws import calls
from tests.aws.account import Account, Fault, Settings, Thing
from tests.aws.calls import Call
from tests.engine.control_plane import CERTIFICATE, ControlPlane
from tests.engine.declared import DAY, SECRETS, Changes
from tests.engine.pulumi_cli import ROOT, PulumiProject

PLUGIN = "pulumi-resource-aws"
OWN_ACQUISITION = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"


class AwsAccount:
    """An account in a folder, and what a test does to it behind the program's back."""

    def __init__(self, folder: Path, plane: ControlPlane | None = None) -> None:
        """`plane` answers as the Kubernetes API of every cluster that is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings = Settings()
        self._account = Account(folder)
        if plane:
            self.settings = replace(
                self.settings,
                endpoint=f"https://{plane.api.address}:{plane.api.port}",
                ca_file=str(plane.kubeconfig.parent / CERTIFICATE),
                token=plane.api.headers["Authorization"].removeprefix("Bearer "),
            )
        self._account.set(self.settings)
        _executable(folder / "plugin" / PLUGIN, "tests.aws.provider")
        _executable(folder / "bin" / "aws", "tests.aws.command")

    def plug_into(self, project: PulumiProject) -> None:
        """Let a project, a copy of a program, deploy to this account."""
        path = project.directory / "Pulumi.yaml"
        declared = yaml.safe_load(path.read_text())
        plugin = {"name": "aws", "path": str(self.folder / "plugin")}
        declared["plugins"] = {"providers": [plugin]}
        path.write_text(yaml.safe_dump(declared, sort_keys=False))
        search_path = project.environment["PATH"]
        project.environment |= {
            stand_in.FOLDER: str(self.folder),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{search_path}",
            OWN_ACQUISITION: "true",
        }

    def calls(self, *methods: str, preview: bool | None = None) -> list[Call]:
        """Return the calls of these methods, or all; of previews, of updates, or of both."""
        return [
            call
            for call in calls.read(self.folder)
            if (not methods or call.method in methods) and preview in (None, call.preview)
        ]

    def forget_calls(self) -> None:
        """Empty the log."""
        (self.folder / calls.CALLS).unlink(missing_ok=True)

    def things(self, *kinds: str) -> list[Thing]:
        """Return what is there of some kinds, such as eks.NodeGroup, or everything."""
        with self._account.held() as contents:
            return contents.of(*kinds) if kinds else contents.things

    def thing(self, kind: str, name: str) -> Thing:
        """Return the one of a kind that the program calls so."""
        return _one(self.things(kind), name)

    def change(self, kind: str, name: str, path: str, value: Any) -> None:
        """Change a property, such as scalingConfig.desiredSize, as somebody in the console would."""
        *parents, last = path.split(".")
        with self._account.held() as contents:
            owner = _one(contents.of(kind), name).inputs
            for key in parents:
                owner = owner[key]
            owner[last] = value

    def lose(self, kind: str, name: str) -> None:
        """Delete a thing as somebody in the console would."""
        with self._account.held() as contents:
            contents.things.remove(_one(contents.of(kind), name))

    def fail(self, method: str, match: str, error: str, *, times: int = 1) -> None:
        """Let a method fail for what matches, such as eks.NodeGroup::*; nothing else fails then."""
        self._account.fail(Fault(method=method, match=match, error=error, times=times))

    def set(self, **changes: str) -> None:
        """Change what the account is like: its number, who deploys, where clusters answer."""
        self.settings = Settings(**asdict(self.settings) | changes)
        self._account.set(self.settings)


def pin(project: PulumiProject) -> None:
    """Put into a copy of the program what only others could say: versions of add-ons, a chart."""
    path = project.directory / "components/aws/add_ons.yaml"
    locked = yaml.safe_load(path.read_text())
    for of_version in locked.values():
        versions = dict.fromkeys(of_version["versions"], "v1.0.0-eksbuild.1")
        of_version |= {"checked": DAY, "versions": versions}
    path.write_text(yaml.safe_dump(locked))
    empty_chart(project.directory / "charts", "keda")


def empty_chart(folder: Path, name: str) -> None:
    """Write a Helm chart that installs next to nothing."""
    (folder / name / "templates").mkdir(parents=True, exist_ok=True)
    metadata = {"apiVersion": "v2", "name": name, "version": "0.0.0"}
    (folder / name / "Chart.yaml").write_text(yaml.safe_dump(metadata))
    installed = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    (folder / name / "templates/installed.yaml").write_text(yaml.safe_dump(installed))


def checked_in(stack: str) -> dict[str, Any]:
    """Return what a checked-in stack file declares."""
    document = yaml.safe_load((ROOT / f"stacks/Pulumi.{stack}.yaml").read_text())
    return dict(document["config"]["breakeven:stack"])


def secrets(stack: str) -> dict[str, str]:
    """Return secrets for a checked-in stack: one for each key, and those of all tests."""
    aliases = [key["alias"] for key in checked_in(stack)["gateway"]["keys"]]
    return SECRETS | {f"key-{alias}": f"a-key-of-{alias}-in-tests" for alias in aliases}


def live(stack: str) -> Changes:
    """Return the changes that make a checked-in stack one for the account: digests, a chart."""
    declared = checked_in(stack)
    registry = f"{stand_in.NUMBER}.dkr.ecr.us-east-1.amazonaws.com/breakeven-{stack}/"
    where = registry if declared["target"].get("registry") else ""
    images = {name: f"{where}{name}@sha256:{64 * 'b'}" for name in locked_images()}
    changes: dict[str, Any] = {"images": images, "target.protect": False}
    changes["target.charts"] = {"keda": "./charts/keda"}
    for index, model in enumerate(declared["models"]):
        serving = f"models[{index}].serving"
        changes[f"{serving}.image"] = f"{where}vllm/vllm-openai@sha256:{64 * 'a'}"
        if "manifest_sha256" in model["serving"].get("source", {}):
            changes[f"{serving}.source.manifest_sha256"] = 64 * "c"
    return changes


def _one(things: list[Thing], name: str) -> Thing:
    (found,) = (thing for thing in things if thing.name == name)
    return found


def _executable(path: Path, module: str) -> None:
    """Write a program that runs a module of this repository, whatever the folder and the PATH."""
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m {module} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
