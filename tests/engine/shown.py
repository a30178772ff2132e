"""What the CLI showed of a run: its plan, and its complaints without the engine's own about itself."""

import re

from tests.engine.pulumi_cli import Result

ENGINE_ITSELF = ("from $PATH", "is expected to have version", "an unhandled error occurred")
"""How plugins were found, and that a program which failed has failed."""


def errors(result: Result) -> list[str]:
    """Return each error of the run once, with the lines that belong to it."""
    return _complaints(result, "error")


def warnings(result: Result) -> list[str]:
    """Return the first line of each warning of the run."""
    return [warning.splitlines()[0] for warning in _complaints(result, "warning")]


def created(result: Result) -> set[str]:
    """Return the types of the resources that the run created, or a preview planned to."""
    return set(re.findall(r"^ \+  (\S+) \S+ creat", result.stdout, flags=re.MULTILINE))


def table(result: Result) -> str:
    """Return the diagnostics, in which the decision table stands, as one line without breaks."""
    return " ".join(_diagnostics(result).split())


def _complaints(result: Result, severity: str) -> list[str]:
    # Every entry begins with four spaces and its severity; all that follows is part of it.
    entries = re.split(r"^    (?=error: |warning: )", _diagnostics(result), flags=re.MULTILINE)
    ours = (entry.strip() for entry in entries if entry.startswith(f"{severity}: "))
    return [entry for entry in ours if not any(words in entry for words in ENGINE_ITSELF)]


def _diagnostics(result: Result) -> str:
    found = re.search(r"^Diagnostics:\n((?: .*\n|\n)*)", result.stdout, flags=re.MULTILINE)
    return found[1] if found else ""
