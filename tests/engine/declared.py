"""Stacks of the tests: a checked-in stack file with small changes, in a copy of the program."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components.images import locked_images
from tests.engine.pulumi_cli import PulumiProject, copy_program

DAY: Final = "2026-11-21"
"""The day that the tests judge on: raise it with the facts, or theirs lie in its future."""
STALE_DAY: Final = "2029-01-01"
"""A day on which every price in the repository is too old to judge by."""
LIVE: Final = {
    "target": {"kind": "kubernetes", "context": "tests"},
    "observability.langfuse": {"kind": "none"},
    "models[0].serving.image": f"vllm/vllm-openai@sha256:{64 * 'a'}",
    "images": {name: f"{name}@sha256:{64 * 'b'}" for name in locked_images()},
}
"""What makes a rendered stack one for the control plane of the tests."""
SECRETS: Final = {
    "key-batch": "a-key-of-the-batch-in-tests",
    "key-few": "a-key-of-the-few-in-tests",
    "key-new": "a-key-of-a-new-client-in-tests",
    "key-other": "a-key-of-the-others-in-tests",
    "hosted-tiny": "a-key-of-the-provider-in-tests",
    "key-web-chat": "a-key-of-the-web-chat-in-tests",
    "key-me": "a-key-of-the-local-stack-in-tests",
    "key-claims": "a-key-of-the-claims-in-tests",
    "engine-key": "a-key-of-the-engines-in-tests",
    "counters-password": "a-password-of-redis-in-tests",
    "hosted-support-chat": "a-key-of-the-provider-in-tests",
    "langfuse-encryption-key": 32 * "ab",
    "langfuse-public-key": "pk-lf-public-key-of-the-tests",
    "langfuse-secret-key": "sk-lf-secret-key-of-the-tests",
    **{
        f"langfuse-{name}": f"the-{name}-of-the-tests"
        for name in (
            *("salt", "nextauth-secret", "admin-password", "postgres-password"),
            *("clickhouse-password", "cache-password", "s3-access-key", "s3-secret-key"),
        )
    },
}
"""What the demo stack needs on a live target, in the clear: they open nothing."""
GONE: Final = object()
"""As a change: the field is left out."""

Changes = Mapping[str, Any]


def new_project(folder: Path, search_path: str, kubeconfig: Path | None = None) -> PulumiProject:
    """Return a copy of the program with state of its own; it judges on DAY."""
    copied, state = copy_program(folder / "program"), folder / "state"
    project = PulumiProject(copied, state=state, search_path=search_path, kubeconfig=kubeconfig)
    judge_on(project, DAY)
    return project


def judge_on(project: PulumiProject, day: str) -> None:
    """Let the program take a day for today."""
    project.environment["BREAKEVEN_AS_OF"] = day


def declare(
    project: PulumiProject,
    name: str,
    changes: Changes | None = None,
    *,
    base: str = "demo",
    secrets: Mapping[str, str] = SECRETS,
) -> Path:
    """Write stacks/Pulumi.<name>.yaml: the base with other values at paths such as `models[0].name`."""
    folder = project.directory / "stacks"
    document = yaml.safe_load((folder / f"Pulumi.{base}.yaml").read_text())
    for path, value in (changes or {}).items():
        put(document["config"]["breakeven:stack"], path, value)
    document["config"]["breakeven:secrets"] = dict(secrets)
    written = folder / f"Pulumi.{name}.yaml"
    written.write_text(yaml.safe_dump(document, sort_keys=False))
    return written


def put(stack: dict[str, Any], path: str, value: Any) -> None:
    """Set what is at a path, or take it out if it is to be GONE."""
    *parents, last = (int(key) if key.isdigit() else key for key in re.findall(r"[^.\[\]]+", path))
    owner: Any = stack
    for key in parents:
        owner = owner[key]
    if value is GONE:
        del owner[last]
    else:
        owner[last] = value


def dearer_nodes(project: PulumiProject, factor: float) -> None:
    """Let all prices of nodes in the project's own catalog rise, as a refresh of the facts might."""
    path = project.directory / "gate/data/instances.yaml"
    catalog = yaml.safe_load(path.read_text())
    for instance in catalog["instances"].values():
        for price in instance["prices"]:
            price["usd_per_hour"] *= factor
    path.write_text(yaml.safe_dump(catalog, sort_keys=False))


def gate(project: PulumiProject, *arguments: str) -> str:
    """Return what `python -m gate` prints in the project's folder, on the project's day."""
    ran = subprocess.run(
        [sys.executable, "-m", "gate", *arguments],
        cwd=project.directory,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.stderr:
        raise AssertionError(f"`python -m gate {' '.join(arguments)}` complained:\n{ran.stderr}")
    return ran.stdout


def approval_of(project: PulumiProject, stack: str) -> dict[str, Any]:
    """Return what the approver of a stack's one constraint puts into its file."""
    printed = yaml.safe_load(gate(project, "approve", f"stacks/Pulumi.{stack}.yaml"))
    return dict(printed["approval"])


def checked(project: PulumiProject, stack: str) -> dict[str, Any]:
    """Return the record that `gate check` gives of a stack file."""
    return dict(json.loads(gate(project, "check", f"stacks/Pulumi.{stack}.yaml", "--format=json")))
