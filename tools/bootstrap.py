"""Prepare this machine: the virtual environment and the programs of a goal, each only if missing.

`python3 tools/bootstrap.py GOAL`: `demo` for `pulumi up`, `test` for all tests, `fast` for those
that need no engine, `live` for a deployment on this machine that answers requests. The official
Pulumi CLI is used where it is on PATH. Where it is not, and for the Kubernetes API of the tests, what
is needed is built from pinned Go modules; live traffic takes wheels and Debian packages besides. All
of it goes into a cache outside this folder (`breakeven` in XDG_CACHE_HOME or ~/.cache; it may be
deleted at any time).
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import data_plane, environment
from tools.build import build, built
from tools.catalog import AUTOSCALER, CONTROL_PLANE, DATA_PLANE, KARPENTER, PULUMI, Tool
from tools.console import SetupError, say
from tools.local_pulumi import install_plugin, official_cli

BUILDS_AT_ONCE = 2
"""While one build links, on one core, the other compiles."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What one make target needs."""

    requirements: tuple[str, ...]
    """Requirements files; the last includes the others."""
    pulumi: bool = True
    """Whether programs are run by the engine."""
    tools: tuple[Tool, ...] = ()
    """What is built besides, always from the pins: the tests' own Kubernetes API and more."""
    data_plane: bool = False
    """Whether requests are answered: Envoy, vLLM and all between and around them."""


GOALS = {
    "demo": Goal(requirements=environment.RUNTIME),
    "fast": Goal(requirements=environment.DEVELOPMENT, pulumi=False),
    "live": Goal(
        requirements=environment.DEVELOPMENT, tools=CONTROL_PLANE + DATA_PLANE, data_plane=True
    ),
    "test": Goal(
        requirements=environment.DEVELOPMENT,
        tools=CONTROL_PLANE + DATA_PLANE + AUTOSCALER + KARPENTER,
        data_plane=True,
    ),
}


def tools_of(goal: str) -> tuple[Tool, ...]:
    """Return what a goal builds on this machine, what the demo needs first."""
    wanted = GOALS[goal]
    pulumi = PULUMI if wanted.pulumi and not official_cli() else ()
    return pulumi + wanted.tools


def prepare(goal: str) -> list[Path]:
    """Install and build what is missing; return the folders to put first on PATH."""
    wanted = GOALS[goal]
    # Asked first: without Go or apt it fails here and not after a minute of pip.
    missing = [tool for tool in tools_of(goal) if not built(tool)]
    if wanted.data_plane:
        data_plane.require_means()
    environment.install(wanted.requirements)
    if wanted.pulumi and (cli := official_cli()):
        install_plugin(cli)
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
        builds = [pool.submit(build, tool) for tool in missing]
        try:
            if wanted.data_plane:
                data_plane.prepare()
            for each in builds:
                each.result()
        except BaseException:  # Ctrl-C too: builds that did not begin are not waited for
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return directories(goal)


def search_path(goal: str) -> str:
    """Return a PATH that has a goal's programs first, or raise SetupError if one is missing."""
    return os.pathsep.join([*map(str, directories(goal)), os.environ.get("PATH", os.defpath)])


def directories(goal: str) -> list[Path]:
    """Return the folders to put first on PATH, or raise SetupError if one is missing."""
    folders = {tool.name: built(tool) for tool in tools_of(goal)}
    if missing := [name for name, folder in folders.items() if folder is None]:
        msg = f"not built yet: {', '.join(missing)}. Run `python3 tools/bootstrap.py {goal}`."
        raise SetupError(msg)
    return [environment.BIN, *(folder for folder in folders.values() if folder)]


def main() -> int:
    """Prepare the goal named on the command line and print the folders to put on PATH."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("goal", choices=GOALS)
    parser.add_argument("--print-path", action="store_true", help="print them as one PATH value")
    arguments = parser.parse_args()
    try:
        folders = [str(folder) for folder in prepare(arguments.goal)]
    except SetupError as error:
        say(f"error: {error}")
        return 1
    if arguments.print_path:
        print(os.pathsep.join(folders))
    else:
        say("\n  ".join([f"ready for `{arguments.goal}`; first on PATH:", *folders]))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; run again to go on, what is finished is kept")
