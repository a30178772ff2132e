"""The log of what the engine asked the stand-in for: one JSON line a call."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

CALLS: Final = "calls.jsonl"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call, written when it was answered: what depends on it comes later in the log."""

    method: str
    kind: str
    """The class of pulumi_aws, such as eks.NodeGroup; of an invoke, its function."""
    name: str
    """What the program calls the resource."""
    preview: bool = False
    timeout_s: float = 0
    """What the program lets it take; 0: the provider's default."""
    inputs: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    """Why it was refused, if it was."""


def write(folder: Path, call: Call) -> None:
    """Add a call; one write, so that lines of several processes do not mix."""
    with (folder / CALLS).open("a") as log:
        log.write(json.dumps(asdict(call)) + "\n")


def read(folder: Path) -> list[Call]:
    """Return all calls so far."""
    log = folder / CALLS
    lines = log.read_text().splitlines() if log.exists() else []
    return [Call(**json.loads(line)) for line in lines]
