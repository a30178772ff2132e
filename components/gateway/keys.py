"""Whether the values of keys are worth the name; asked before anything is deployed. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from stacks.errors import Problem

LEAST: Final = 22
"""Characters of 64 kinds: 22 have 132 bits, which nobody guesses."""
ALLOWED: Final = re.compile(r"[A-Za-z0-9_.~-]+")


def check_keys(secrets: Mapping[str, str], aliases: tuple[str, ...]) -> tuple[Problem, ...]:
    """Return what is wrong with the values of key-<alias> and key-<alias>-next; never a value."""
    return tuple(_problems(secrets, aliases))


def _problems(secrets: Mapping[str, str], aliases: tuple[str, ...]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for alias in aliases:
        if f"key-{alias}" not in secrets:
            yield _problem(f"key-{alias}", found="none", allowed="a value for every key")
        for name in (f"key-{alias}", f"key-{alias}-next"):
            if (value := secrets.get(name)) is None:
                continue
            if len(value) < LEAST:
                found = f"{len(value)} characters"
                yield _problem(name, found=found, allowed=f"at least {LEAST}, random")
            if not ALLOWED.fullmatch(value):
                allowed = "letters, digits and - _ . ~"
                yield _problem(name, found="other characters", allowed=allowed)
            if value in owners:
                found = f"the value of {owners[value]} again"
                yield _problem(name, found=found, allowed="a value of its own for each key")
            owners.setdefault(value, name)


def _problem(name: str, *, found: str, allowed: str) -> Problem:
    return Problem(
        file="the stack's secrets",
        field=f"config.breakeven:secrets.{name}",
        found=found,
        allowed=allowed,
        remedy="make one (openssl rand -base64 32 | tr '+/' '-_' | tr -d =) and set it with --secret",
    )
