"""Build a pinned tool once per machine: the cache is addressed by what goes into the build."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import cache
from tools.catalog import Mend, Tool
from tools.console import SetupError, run

HERE = Path(__file__).resolve().parent
REMEDY = (
    "Go needs its module proxy (see `go env GOPROXY GOTOOLCHAIN`) and the version that the "
    "go.mod names. Where it cannot have them: install the official Pulumi CLI, "
    "https://www.pulumi.com/docs/install/, and run again."
)


def built(tool: Tool) -> Path | None:
    """Return the folder with the tool's binaries, or None if it is not built yet."""
    folder = _folder(tool)
    return folder if folder.is_dir() else None


def build(tool: Tool) -> Path:
    """Return the folder with the tool's binaries, building them if need be."""
    folder = _folder(tool)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its final place, so that the rename is atomic: an interrupted build leaves no tool.
    with tempfile.TemporaryDirectory(prefix=f".{tool.name}-", dir=folder.parent) as scratch:
        source, binaries = Path(scratch, "source"), Path(scratch, "bin")
        shutil.copytree(HERE / tool.name, source)
        binaries.mkdir()
        if tool.module:
            module = _module_folder(tool, source)
            _take_module_files(tool, module, source, binaries)
            _mend(tool, module, source)
        flags = ["-trimpath", f"-ldflags={_ldflags(tool)}", f"-tags={','.join(tool.tags)}"]
        for binary, package in tool.binaries.items():
            run(
                f"building {binary} from source, {_estimate(tool)}",
                ["go", "build", *flags, "-o", binaries / binary, package],
                cwd=source,
                env=_environment(),
                remedy=REMEDY,
            )
        if not folder.is_dir():
            binaries.rename(folder)
    return folder


def _estimate(tool: Tool) -> str:
    shared = f" with the others of {tool.name}" if len(tool.binaries) > 1 else ""
    return f"about {tool.minutes:g} min on 2 cores{shared}"


def _take_module_files(tool: Tool, module: Path, source: Path, binaries: Path) -> None:
    for name in tool.embedded:
        shutil.copyfile(module / name, source / Path(name).name)
    for name in tool.scripts:
        script = binaries / Path(name).name
        shutil.copyfile(module / name, script)
        script.chmod(0o755)
    if tool.resources:
        (binaries / "crds").mkdir()
        for definition in sorted((module / tool.resources).glob("*.yaml")):
            shutil.copyfile(definition, binaries / "crds" / definition.name)


def _mend(tool: Tool, module: Path, source: Path) -> None:
    if tool.mend is None:
        return
    copy = source / "mended"
    # The module cache is read-only.
    shutil.copytree(module, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*/")):
        path.chmod(0o755)
    file = copy / tool.mend.file
    file.write_text(mended(file.read_text("utf-8"), tool.mend), "utf-8")
    replacement = f"-replace={tool.module}=./{copy.name}"
    _go("mod", "edit", replacement, source=source, failed=f"cannot replace {tool.module}")


def mended(text: str, mend: Mend) -> str:
    """Return the mended text of the file.

    Raises SetupError where it reads otherwise than when the mend was written.
    """
    for before, after in mend.reads.items():
        if text.count(before) != 1:
            msg = (
                f"{mend.file} of the pinned module has not once {before.strip()!r}: the mend in "
                "tools/catalog.py is for another version; see whether it is still needed"
            )
            raise SetupError(msg)
        text = text.replace(before, after)
    return text


def _module_folder(tool: Tool, source: Path) -> Path:
    failed = f"cannot download the Go module {tool.module}"
    answer = _go("mod", "download", "-json", tool.module, source=source, failed=failed)
    return Path(json.loads(answer)["Dir"])


def _go(*arguments: str, source: Path, failed: str) -> str:
    answer = subprocess.run(
        ["go", *arguments],
        cwd=source,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        msg = f"{failed}\n{answer.stdout}{answer.stderr}{REMEDY}"
        raise SetupError(msg)
    return answer.stdout


def _folder(tool: Tool) -> Path:
    return cache.root() / "tools" / f"{tool.name}-{_digest(tool)}"


def _digest(tool: Tool) -> str:
    recipe: tuple[object, ...] = (tool.binaries, _ldflags(tool), tool.module)
    recipe += (tool.embedded, tool.scripts)
    recipe += tuple(more for more in (tool.resources, tool.tags, tool.mend) if more)
    digest = hashlib.sha256(f"{recipe} {_go_version()}".encode())
    for path in sorted((HERE / tool.name).glob("*.*")):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _ldflags(tool: Tool) -> str:
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in tool.variables.items())])


def _environment() -> dict[str, str]:
    # No C compiler, no workspace of the reader's, no flags of theirs: the same binaries everywhere.
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}


@functools.cache
def _go_version() -> str:
    if not shutil.which("go"):
        msg = (
            "found neither what is to be run nor `go` on PATH to build it. For the demo install the "
            "official Pulumi CLI, https://www.pulumi.com/docs/install/; for the tests install "
            "Go, https://go.dev/doc/install. Then open a new shell and run again."
        )
        raise SetupError(msg)
    return subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
