"""Run the Pulumi CLI against a program in a temporary folder, with state of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.processes import kill_group, program_on, tied
from tools import local_pulumi

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("Pulumi.yaml", "__main__.py", "requirements.txt", "stacks", "gate", "components")
FOREIGN = ("PULUMI_", "KUBECONFIG", "KUBE_", "AWS_")
"""Variables that would let a login or a cluster of whoever runs the tests in."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one command said."""

    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, for a search that does not care which one a line went to."""
        return f"{self.stdout}\n{self.stderr}"

    def expect(self, code: int = 0) -> "Result":
        """Return itself, or fail with the whole output if the exit code is another one."""
        if self.code != code:
            raise AssertionError(f"exit code {self.code}, expected {code}\n{self.output}")
        return self


class PulumiProject:
    """A Pulumi program in `directory` with its state in `state`; nothing else is touched.

    `kubeconfig` is the only cluster that the program can see: HOME is the state's folder too, so
    that no test finds one of whoever runs it.
    """

    def __init__(
        self, directory: Path, *, state: Path, search_path: str, kubeconfig: Path | None = None
    ) -> None:
        self.directory = directory
        self._state = state
        (state / "backend").mkdir(parents=True, exist_ok=True)
        (state / "home").mkdir(exist_ok=True)
        _share_plugins(state / "home")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        cluster = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        self.environment: dict[str, str] = (
            inherited
            | cluster
            | {
                "HOME": str(state),
                "TMPDIR": str(state),  # the provider leaves kubeconfigs behind
                "PATH": search_path,
                "PULUMI_BACKEND_URL": (state / "backend").as_uri(),
                "PULUMI_HOME": str(state / "home"),
                "PULUMI_CONFIG_PASSPHRASE": "",
                "PULUMI_SKIP_UPDATE_CHECK": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        )

    def init(self, stack: str) -> Result:
        """Make a stack; its stacks/Pulumi.<stack>.yaml, if there is one, is its configuration."""
        return self.run("stack", "init", stack).expect()

    def config_set(
        self, stack: str, key: str, value: str, *, path: bool = False, secret: bool = False
    ) -> Result:
        """Set a configuration value; with `path`, the key is one such as `breakeven:stack.price`."""
        flags = [*(["--path"] if path else []), *(["--secret"] if secret else [])]
        return self.run("config", "set", "--stack", stack, *flags, key, value).expect()

    def preview(self, stack: str, *flags: str, timeout_s: float = 120) -> Result:
        """Preview."""
        return self.run("preview", "--stack", stack, *flags, timeout_s=timeout_s)

    def up(self, stack: str, *flags: str, timeout_s: float = 300) -> Result:
        """Deploy without a preview before it: what refuses must refuse in the update itself."""
        return self.run(
            "up", "--yes", "--skip-preview", "--stack", stack, *flags, timeout_s=timeout_s
        )

    def refresh(self, stack: str, *flags: str, timeout_s: float = 300) -> Result:
        """Read the live state back."""
        return self.run(
            "refresh", "--yes", "--skip-preview", "--stack", stack, *flags, timeout_s=timeout_s
        )

    def destroy(self, stack: str, *flags: str, timeout_s: float = 300) -> Result:
        """Delete all that the stack deployed."""
        return self.run(
            "destroy", "--yes", "--skip-preview", "--stack", stack, *flags, timeout_s=timeout_s
        )

    def stack_export(self, stack: str) -> dict[str, Any]:
        """Return the stack's deployment as the state holds it."""
        exported = json.loads(self.run("stack", "export", "--stack", stack).expect().stdout)
        return dict(exported["deployment"])

    def resources(self, stack: str) -> list[dict[str, Any]]:
        """Return the resources in the stack's state."""
        return list(self.stack_export(stack).get("resources") or [])

    def outputs(self, stack: str) -> dict[str, Any]:
        """Return the stack's outputs, secrets in the clear."""
        shown = self.run("stack", "output", "--stack", stack, "--json", "--show-secrets").expect()
        return dict(json.loads(shown.stdout))

    def run(
        self, *arguments: str, timeout_s: float = 60, environment: Mapping[str, str] | None = None
    ) -> Result:
        """Run any command of the CLI; past the timeout it is killed and the test fails."""
        program = program_on(self.environment["PATH"], "pulumi")
        command = tied(program, *arguments, "--non-interactive", "--color=never")
        with subprocess.Popen(
            command,
            cwd=self.directory,
            env=self.environment | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired as expired:
                kill_group(process)
                stdout, stderr = process.communicate()
                raise AssertionError(
                    f"`pulumi {' '.join(arguments)}` took more than {timeout_s} s\n{stdout}\n{stderr}"
                ) from expired
            except BaseException:  # Ctrl-C too: the engine is a group of its own and would go on
                kill_group(process)
                raise
        return Result(code=process.returncode, stdout=stdout, stderr=stderr)


def copy_program(destination: Path) -> Path:
    """Copy this repository's program, and no more, to a folder that a test may change."""
    destination.mkdir(parents=True)
    for name in PROGRAM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, destination / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif source.exists():
            shutil.copy2(source, destination / name)
    # The official language host looks for it where Pulumi.yaml says, in the program's folder.
    (destination / ".venv").symlink_to(ROOT / ".venv")
    return destination


def _share_plugins(home: Path) -> None:
    plugins = local_pulumi.home() / "plugins"
    if plugins.is_dir() and not (home / "plugins").exists():
        (home / "plugins").symlink_to(plugins)
