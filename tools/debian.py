"""Redis: the one on PATH, else Debian's package unpacked into the user's cache.

Nothing is installed: apt keeps its lists and its downloads in a scratch folder, checks the archive's
signature as always, and needs no rights. The packages' shared libraries come along; a script per
program tells the loader where they are.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import cache
from tools.console import SetupError, run, say

PROGRAMS = ("redis-server",)
PACKAGES = ("redis-server",)
MEGABYTES = 12
"""Package lists and packages together, fetched in about 20 seconds."""
REMEDY = "Install Redis 7, so that `redis-server` is on PATH, and run again."
WRAPPER = """#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")/unpacked
export LD_LIBRARY_PATH="$root/usr/lib/{triplet}:$root/lib/{triplet}"
exec "$root/usr/bin/{program}" "$@"
"""
EACH = 'for archive; do dpkg-deb -x "$archive" "$0"; done'


def programs() -> dict[str, Path]:
    """Return where each program is; one that is neither on PATH nor unpacked is left out."""
    found = {name: shutil.which(name) or _unpacked(name) for name in PROGRAMS}
    return {name: Path(path) for name, path in found.items() if path}


def require_means() -> None:
    """Raise unless the programs are there or apt can fetch them."""
    missing = [name for name in PROGRAMS if name not in programs()]
    lacking = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
    if missing and lacking:
        msg = f"found neither {' and '.join(missing)} nor {' and '.join(lacking)}. {REMEDY}"
        raise SetupError(msg)


def prepare() -> None:
    """Unpack the packages if one of the programs is missing; each is then started once."""
    if len(programs()) < len(PROGRAMS):
        cache.make_once(_folder(), _unpack)
    for name in PROGRAMS:
        _try(name)


def _try(name: str) -> None:
    path = programs().get(name)
    if path is None:
        msg = f"the package of {name} does not bring it on this system. {REMEDY}"
        raise SetupError(msg)
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if answer.returncode:
        msg = f"{path} does not start: {answer.stderr.strip()}. {REMEDY}"
        raise SetupError(msg)


def _unpacked(name: str) -> Path | None:
    path = _folder() / "bin" / name
    return path if cache.is_made(_folder()) and path.is_file() else None


def _folder() -> Path:
    # Libraries that this release already has are not fetched: another release, another folder.
    release = Path("/etc/os-release")
    text = release.read_text() if release.is_file() else ""
    return cache.named("debian", PACKAGES, WRAPPER, text)


def _unpack(folder: Path) -> None:
    (folder / "unpacked").mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="breakeven-apt-") as scratch:
        archives = _download(Path(scratch))
        _run("unpacking", ["sh", "-ec", EACH, folder / "unpacked", *archives])
    _write_wrappers(folder)


def _download(scratch: Path) -> list[Path]:
    for name in ("lists/partial", "archives/partial"):
        (scratch / name).mkdir(parents=True)
    say(f"fetching Redis with apt, {MEGABYTES} MB, about half a minute")
    options = (
        f"Dir::State::lists={scratch}/lists",
        f"Dir::Cache={scratch}",
        f"Dir::Cache::archives={scratch}/archives",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=1",
    )
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    _run("reading the package lists", [*apt, "update"])
    fetch = ["install", "--download-only", "--no-install-recommends", "--yes", *PACKAGES]
    _run("downloading the packages", [*apt, *fetch])
    return sorted((scratch / "archives").glob("*.deb"))


def _run(what: str, command: list[str | Path]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    run(f"  {what}", command, cwd=Path(tempfile.gettempdir()), env=environment, remedy=REMEDY)


def _write_wrappers(folder: Path) -> None:
    unpacked = folder / "unpacked"
    (folder / "bin").mkdir()
    triplet = next((path.name for path in unpacked.glob("usr/lib/*-linux-gnu*")), "none")
    for program in PROGRAMS:
        if (unpacked / "usr" / "bin" / program).exists():
            script = folder / "bin" / program
            script.write_text(WRAPPER.format(triplet=triplet, program=program))
            script.chmod(0o755)
