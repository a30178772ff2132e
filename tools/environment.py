"""The virtual environment: made once, and brought up to date only when a requirements file changed."""

import hashlib
import os
import sys
from pathlib import Path

from tools.console import run

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
RUNTIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")
VENV_REMEDY = (
    "On Debian and Ubuntu the module is a package of its own: install python3-venv. Or name another "
    "Python, for example `make PYTHON=python3.12 demo`."
)
PIP_REMEDY = (
    "pip needs a package index that has these versions: see `pip config list` and the PIP_INDEX_URL "
    "variable for the one that it asks."
)


def install(requirements: tuple[str, ...]) -> None:
    """Make `.venv` hold what the last of the files asks for (it includes the others)."""
    if not (BIN / "pip").exists():
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        run("making .venv", command, cwd=ROOT, remedy=VENV_REMEDY)
    if _is_current(requirements):
        return
    wanted = requirements[-1]
    run(
        f"installing {wanted} into .venv (about a minute the first time)",
        [BIN / "python", "-m", "pip", "install", "--disable-pip-version-check", "-r", wanted],
        cwd=ROOT,
        remedy=PIP_REMEDY,
    )
    for covered in (RUNTIME, DEVELOPMENT):
        if set(covered) <= set(requirements):
            _stamp(covered).write_text(_digest(covered))


def _is_current(requirements: tuple[str, ...]) -> bool:
    stamp = _stamp(requirements)
    return stamp.is_file() and stamp.read_text() == _digest(requirements)


def _stamp(requirements: tuple[str, ...]) -> Path:
    return VENV / f"{requirements[-1]}.sha256"


def _digest(requirements: tuple[str, ...]) -> str:
    return hashlib.sha256(
        b"\n".join((ROOT / name).read_bytes() for name in requirements)
    ).hexdigest()
