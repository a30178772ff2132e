"""Why a fact cannot be given: what was asked for, what is known, and the nearest name.

FactError
└── UnknownFact  nothing is recorded under that name, or not yet on that day
"""

from collections.abc import Iterable
from typing import Final

SHOWN: Final = 20
"""Known names that fit in a message."""


class FactError(Exception):
    """A fact cannot be given."""


class UnknownFact(FactError):  # noqa: N818  (it names what is missing; the base carries Error)
    """Nothing is recorded under a name: the gate never guesses in its place."""

    def __init__(self, *, kind: str, found: str, allowed: Iterable[str]) -> None:
        self.kind = kind
        """What was looked up, e.g. "GPU"."""
        self.found = found
        """The name that was asked for."""
        self.allowed = sorted(allowed)
        """Every name that is known."""
        self.nearest = nearest(found, self.allowed)
        """The known name most like it, or None."""
        super().__init__(self._message())

    def _message(self) -> str:
        """Return the finding in one sentence and the known names in another."""
        hint = f"; did you mean {self.nearest}?" if self.nearest else "."
        names = ", ".join(self.allowed[:SHOWN]) or "none"
        more = f" and {len(self.allowed) - SHOWN} more" if len(self.allowed) > SHOWN else ""
        return f"unknown {self.kind} {self.found!r}{hint} Known: {names}{more}."


def nearest(found: str, allowed: Iterable[str]) -> str | None:
    """Return the name most like `found`, by its last part too ("Qwen3-8B" is Qwen/Qwen3-8B)."""
    import difflib  # noqa: PLC0415  (only a refusal pays for it)

    held = list(allowed)
    inside = [name for name in held if found and found.lower() in name.lower()]
    if inside:
        return min(inside, key=len)
    names = {form: name for name in held for form in (name.split("/")[-1].lower(), name.lower())}
    close = difflib.get_close_matches(found.lower(), names, n=1, cutoff=0.5)
    return names[close[0]] if close else None
