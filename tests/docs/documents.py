"""The documents of the repository, and the blocks that they show."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {"out", "node_modules"}


def files(*suffixes: str) -> list[Path]:
    """Return the files of the repository that end so, without what tools and runs have made."""
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and name not in SKIPPED]
        found += [Path(folder, name) for name in names if name.endswith(suffixes)]
    return sorted(found)


DOCUMENTS = files(".md")


@dataclass(frozen=True)
class Fence:
    """A fenced block and the section it stands in."""

    document: Path
    line: int
    section: str
    language: str
    text: str

    def __str__(self):
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def fences(document: Path) -> Iterator[Fence]:
    section, opened, language, inside = "", 0, "", list[str]()
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if opened and line.strip() == "```":
            yield Fence(document, opened, section, language, "\n".join(inside) + "\n")
            opened, inside = 0, []
        elif opened:
            inside.append(line)
        elif line.startswith("```"):
            opened, language = number, line[3:].strip()
        elif line.startswith("#"):
            section = line.lstrip("# ")


def prose(document: Path) -> str:
    """Return the text without its fenced blocks."""
    return re.sub(
        r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


FENCES = [fence for document in DOCUMENTS for fence in fences(document)]
