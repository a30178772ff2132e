"""The manifest of a folder of weights: a line of `<sha256>  <file>` for each file, by name. Pure.

Standard library only: it runs in the pod of prefetch.py too.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MANIFEST = "manifest.sha256"
"""Object that holds it. It is written last: with it a folder is whole."""
CHUNK_BYTES = 2**20


class RefusedError(Exception):
    """What was found is not what is declared, and another try finds the same."""


def manifest(digests: Mapping[str, str]) -> str:
    """Return the manifest of files by name: a line of `<sha256>  <file>` for each, sorted by name."""
    if strange := [name for name in digests if not name.isprintable() or "\\" in name]:
        message = f"{strange[0]!r} is no name that a line of a manifest can hold"
        raise RefusedError(message)
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def sha256(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of what comes in chunks."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text."""
    return sha256([text.encode()])


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return sha256(iter(lambda: file.read(CHUNK_BYTES), b""))


def is_weights(name: str) -> bool:
    """Return whether a file is one of a manifest: neither it itself nor hidden, as .git or .cache."""
    return name != MANIFEST and not any(part.startswith(".") for part in name.split("/"))


def folder_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by its name in it; links are followed."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: file_sha256(folder / name) for name in sorted(names) if is_weights(name)}


def changes(known: str, digests: Mapping[str, str]) -> Iterator[str]:
    """Yield what differs from a manifest."""
    lines = (line.partition("  ") for line in known.splitlines())
    expected = {name: digest for digest, _, name in lines}
    for name in sorted(expected.keys() | digests.keys()):
        if name not in digests:
            yield f"{name} is missing"
        elif name not in expected:
            yield f"{name} is not in the manifest"
        elif digests[name] != expected[name]:
            yield f"{name} has SHA-256 {digests[name]}, the manifest says {expected[name]}"
