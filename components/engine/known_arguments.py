"""What the pinned `vllm serve` accepts, read from the list that was made from its wheel.

tools/vllm_arguments.py makes the list. A flag that is not on it ends the engine with exit code 2
once its GPU node runs; checked against the list, the answer comes before anything is bought.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("vllm_arguments.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArgument:
    """One argument of the pinned vLLM, as its own parser has it."""

    flags: tuple[str, ...]
    """The flag, then its aliases and short form; the bare name of the one positional argument."""
    negatives: tuple[str, ...]
    """What turns a switch off; empty for an argument that takes a value."""
    type: str | None
    """What a value must be: str, int, float, json and so on; None where vLLM does not say."""
    nargs: int | str | None
    """0 for a switch, "+" for one word or more, None for one value."""
    choices: tuple[str, ...]
    """Every value that is accepted; empty when that is not a fixed set."""
    deprecated: bool
    """Whether vLLM says that it will go."""

    @property
    def negative(self) -> str | None:
        """The form of a switch that turns it off, in the spelling that vLLM's help shows."""
        return min(self.negatives, key=lambda flag: flag.startswith("--no-"), default=None)


@functools.cache
def _contents() -> Mapping[str, Any]:
    contents: dict[str, Any] = json.loads(LIST.read_text())
    return contents


def pinned_version() -> str:
    """Return the vLLM version that the list was made from."""
    return str(_contents()["vllm"])


def wheel() -> tuple[str, str]:
    """Return the file name and the SHA-256 (hex) of the wheel that the list was made from."""
    return str(_contents()["wheel"]), str(_contents()["sha256"])


def known_variables() -> frozenset[str]:
    """Return the environment variables that the pinned vLLM declares; other libraries read more."""
    return frozenset(_contents()["environment"])


@functools.cache
def known_arguments() -> Mapping[str, KnownArgument]:
    """Return every flag of the pinned vLLM, aliases and short forms included, with its argument."""
    arguments = (
        KnownArgument(
            flags=tuple(entry["flags"]),
            negatives=tuple(entry.get("negatives", ())),
            type=entry.get("type"),
            nargs=entry.get("nargs"),
            choices=tuple(entry.get("choices", ())),
            deprecated=entry["deprecated"],
        )
        for entry in _contents()["arguments"]
    )
    return {flag: known for known in arguments for flag in known.flags}


@functools.cache
def negative_forms() -> Mapping[str, KnownArgument]:
    """Return every form that turns a switch off, with the argument that it turns off."""
    return {flag: known for known in known_arguments().values() for flag in known.negatives}


def argument_of(flag: str) -> KnownArgument | None:
    """Return the argument of a long flag, or of `--flag.key` for a key of a JSON one, else None."""
    base, dot, _ = flag.partition(".")
    known = known_arguments().get(base) if base.startswith("--") else None
    return None if known and dot and "json" not in (known.type or "") else known
