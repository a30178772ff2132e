"""Wrong stacks: what each has wrong, and what the one message about it says."""

from pathlib import Path
from typing import NamedTuple

from tests.factories import Changes, a_stack, put, write_stack


class Wrong(NamedTuple):
    """One wrong stack, and the message it gets."""

    what: str
    """What is wrong, in a few words."""
    field: str
    """The field that the message names."""
    found: str
    """A part of what it says was found."""
    changes: Changes | None = None
    """What is put into the demo stack."""
    text: str | bytes | None = None
    """The whole stack file, where it is no stack at all."""
    trace: str | bytes | None = None
    """A load trace beside it; the message then names that file."""
    evidence: str | bytes | None = None
    """A measurement beside it; the message then names that file."""
    allowed: str = ""
    """A part of what it says is allowed."""
    remedy: str = ""
    """A part of what it says to do."""
    as_of: str = "2026-11-21"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the files; return the stack file, and the one that the message names."""
        stack_file = folder / "Pulumi.test.yaml"
        if self.text is not None:
            stack_file.write_bytes(_bytes(self.text))
            return stack_file, stack_file
        stack, named = a_stack({LOAD: DIURNAL, **(self.changes or {})}), stack_file
        if self.trace is not None:
            named = folder / "trace.csv"
            put(stack, LOAD, {"kind": "trace", "file": named.name})
        if self.evidence is not None:
            named = folder / "evidence.json"
            put(stack, LOAD, {"kind": "measured_utilization", "evidence": named.name})
        if named is not stack_file:
            named.write_bytes(_bytes(self.trace or self.evidence or b""))
        return write_stack(folder, stack), named


LOAD = "models[0].workload.load"
DIURNAL = {"kind": "diurnal", "peak_to_mean": 1.4, "weekend_factor": 0.8}
"""In place of the demo's trace, which would be read anew for each row."""


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
