"""What is answered when something declared cannot be judged: file, field, found, allowed and remedy.

InputError is the only exception that reaches a user; whatever else is raised is a bug and keeps its
traceback.
"""

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with what was declared."""

    file: str
    """The stack or trace file, as the user named it."""
    field: str
    """Where in the file: a dotted path, a line, or empty for the file itself."""
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        """Return the message: one line, for terminals and logs alike."""
        place = f"{self.file}: {self.field}" if self.field else self.file
        text = f"{place}: found {self.found}; allowed: {self.allowed}; remedy: {self.remedy}"
        return " ".join(text.splitlines())


class Place(NamedTuple):
    """A place in a file, from which the problems found there take their names."""

    file: str
    path: str = ""

    def at(self, field: str) -> "Place":
        """Return the place of a field below this one."""
        return Place(self.file, f"{self.path}.{field}" if self.path else field)

    def problem(self, *, found: str, allowed: str, remedy: str) -> Problem:
        """Return what is wrong here."""
        return Problem(file=self.file, field=self.path, found=found, allowed=allowed, remedy=remedy)

    def error(self, *, found: str, allowed: str, remedy: str) -> "InputError":
        """Return the error for what is wrong here."""
        return InputError(self.problem(found=found, allowed=allowed, remedy=remedy))


class ContradictionError(ValueError):
    """Declared values that do not go together; raised by a validator, for the place it validates."""

    def __init__(self, *, found: str, allowed: str, remedy: str, field: str = "") -> None:
        self.field = field
        """The part of that place, e.g. `.max`; empty for the whole."""
        self.found, self.allowed, self.remedy = found, allowed, remedy
        super().__init__(f"found {found}; allowed: {allowed}")


class InputError(Exception):
    """What was declared cannot be judged; `problems` says why, each on its own."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
