"""The user's cache: what is made once per machine, each thing in a folder named after its recipe."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

COMPLETE = ".complete"


def root() -> Path:
    """Return the folder of everything that may be deleted at any time and is then made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "breakeven"


def named(name: str, *recipe: object) -> Path:
    """Return the folder of what this recipe makes: another recipe, another folder."""
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]
    return root() / f"{name}-{digest}"


def is_made(folder: Path) -> bool:
    """Return whether the folder was made and finished."""
    return (folder / COMPLETE).is_file()


def make_once(folder: Path, make: Callable[[Path], None]) -> None:
    """Call `make(folder)` unless it has succeeded before; what a failed run left is thrown away.

    Made in its final place, because a virtual environment cannot be moved.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if is_made(folder):
            return
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make(folder)
        except BaseException:  # Ctrl-C too: nothing half made stays
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / COMPLETE).touch()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock, so that two runs at once do not make the same folder."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
