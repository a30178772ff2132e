"""The table of images: which programs of this machine stand for which image."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Image:
    """What stands for an image."""

    entrypoint: tuple[str, ...] = ()
    """The image's ENTRYPOINT, as a command of this machine."""
    arguments: tuple[str, ...] = ()
    """The image's CMD: used where the manifest gives neither command nor args."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The image's ENV; the manifest's own variables win."""
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a manifest's command begins with, and what runs here: vllm, and an interpreter."""
    user: int = 0
    """The image's USER."""
    working_directory: str = "/"
    """The image's WORKDIR."""
    reads: tuple[Path, ...] = ()
    """Files and folders, other than its programs, that it must reach as any user."""

    def command(self, command: list[str], args: list[str]) -> list[str]:
        """Return what runs for a manifest's command and args, in Kubernetes' way."""
        if command:
            first, *rest = command
            return [*self.commands.get(first, (first,)), *rest, *args]
        return [*self.entrypoint, *(args or self.arguments)]

    def reached(self) -> list[str]:
        """Return the folders on the way to its programs, links followed step by step."""
        programs = [command[0] for command in (self.entrypoint, *self.commands.values()) if command]
        found = [Path(at) for program in programs if (at := shutil.which(program))]
        return sorted({str(folder) for path in (*found, *self.reads) for folder in _way(path)})


def repository(image: str) -> str:
    """Return an image's repository: docker.io/library/redis:8@sha256:00 is redis."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = f"{folder}{slash}{last.partition(':')[0]}"
    registry, slash, rest = name.partition("/")
    if slash and ("." in registry or ":" in registry or registry == "localhost"):
        name = rest
    return name.removeprefix("library/")


def _way(path: Path) -> set[Path]:
    """Return all folders that lead to a path and to where its links lead."""
    folders: set[Path] = set()
    while True:
        folders |= set(path.parents)
        if path.is_symlink():
            path = path.parent / path.readlink()
        elif (real := path.resolve()) != path:
            path = real
        else:
            return folders | ({path} if path.is_dir() else set())
