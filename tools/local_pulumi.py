"""The Pulumi CLI on this machine: which one, its environment, and its Kubernetes plugin."""

import os
import re
import shutil
from functools import cache
from pathlib import Path

from tools.console import run, say
from tools.environment import ROOT

HOST = "pulumi-language-python"
PROVIDER = "pulumi-resource-kubernetes"
PLUGIN_REMEDY = (
    "The official CLI downloads its plugins from github.com or get.pulumi.com. Without a way there, "
    f"put {PROVIDER} of that version on PATH and run again."
)


@cache
def official_cli() -> Path | None:
    """Return the `pulumi` on PATH if its Python language host is there too, else None."""
    cli = shutil.which("pulumi")
    if cli is None:
        return None
    # Installers differ: some put all on PATH, some link only the CLI and keep the hosts beside it.
    if shutil.which(HOST) or shutil.which(HOST, path=str(Path(cli).resolve().parent)):
        return Path(cli)
    say(f"found {cli}, but {HOST} neither on PATH nor beside it: the pinned CLI is used instead")
    return None


def home() -> Path:
    """Return the CLI's own folder: the reader's if they are logged in or named one, else ours."""
    named = os.environ.get("PULUMI_HOME")
    theirs = Path(named) if named else Path.home() / ".pulumi"
    return theirs if named or (theirs / "credentials.json").is_file() else ROOT / ".pulumi" / "home"


def environment(folders: list[Path]) -> dict[str, str]:
    """Return the environment of a run against local state in this folder's `.pulumi/`.

    A login of the reader's stays as it is: the backend is named for this run only. The passphrase
    is empty because a stack that runs here keeps no secret.
    """
    path = [*(str(folder) for folder in folders), os.environ.get("PATH", "")]
    return os.environ | {
        "PATH": os.pathsep.join(path),
        "PULUMI_HOME": str(home()),
        "PULUMI_BACKEND_URL": ROOT.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }


def install_plugin(cli: Path) -> None:
    """Let the official CLI fetch the provider that requirements.txt pins, unless it is there."""
    pinned = re.search(
        r"^pulumi-kubernetes==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    if pinned is None or shutil.which(PROVIDER):
        return
    version = f"v{pinned[1]}"
    if (home() / "plugins" / f"resource-kubernetes-{version}").is_dir():
        return
    run(
        f"installing the Pulumi Kubernetes provider {version}",
        [cli, "plugin", "install", "resource", "kubernetes", version],
        cwd=ROOT,
        env=environment([]),
        remedy=PLUGIN_REMEDY,
    )
