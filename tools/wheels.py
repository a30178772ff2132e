"""Programs that come as Python wheels, each in a virtual environment of its own in the cache.

Each has a folder of its own here with its requirements.txt, all pinned. Never in the project's
`.venv`: what a router asks for is no business of the gate.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from tools import cache
from tools.console import run
from tools.environment import PIP_REMEDY, VENV_REMEDY

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """One program and where its environment keeps it."""

    name: str
    """The folder in tools/ that holds its requirements.txt."""
    program: str
    """Path in the environment; a pattern, as it names the version of Python."""


ENVOY = Wheel(name="envoy", program="lib/python*/site-packages/envoy/_bin/envoy")
VLLM_ROUTER = Wheel(name="vllm-router", program="bin/vllm-router")
WHEELS = (ENVOY, VLLM_ROUTER)


def installed(wheel: Wheel) -> Path | None:
    """Return the program, or None if it is not installed yet."""
    folder = _folder(wheel)
    return next(folder.glob(wheel.program), None) if cache.is_made(folder) else None


def install(wheel: Wheel) -> None:
    """Make the wheel's environment unless it is there."""
    cache.make_once(_folder(wheel), lambda folder: _make(wheel, folder))


def _make(wheel: Wheel, folder: Path) -> None:
    venv = (sys.executable, "-m", "venv", str(folder))
    run(f"making an environment for {wheel.name}", venv, cwd=HERE, remedy=VENV_REMEDY)
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check")
    run(
        f"installing {wheel.name} from its wheel, about half a minute",
        (*pip, "-r", str(_requirements(wheel))),
        cwd=HERE,
        remedy=PIP_REMEDY,
    )


def _requirements(wheel: Wheel) -> Path:
    return HERE / wheel.name / "requirements.txt"


def _folder(wheel: Wheel) -> Path:
    # The environment links to the interpreter that made it: another one, another environment.
    pinned = _requirements(wheel).read_text()
    return cache.named(wheel.name, pinned, sys.version_info[:2], sys.base_prefix)
