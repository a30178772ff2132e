"""The secrets of a stack: which ones it needs, what form they have, and which can be made up. Pure.

They live in the stack's configuration, `breakeven:secrets.<name>`, encrypted by Pulumi. None is ever
generated while deploying: a value that changes by accident would end sessions, or lose what it encrypts.
"""

import re
import secrets as random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.engine.keys import CURRENT, OTHER
from components.gateway.keys import check_keys
from components.observability.langfuse_environment import SECRET_KEYS
from stacks.errors import InputError, Place, Problem
from stacks.observability import ExistingLangfuse, NoLangfuse, OwnLangfuse
from stacks.stack import Stack
from stacks.target import Render, Target

BYTES: Final = 32
PLACEHOLDER: Final = "replace-me-"
"""Beginning of what stands in rendered manifests for a secret that nobody gave."""
Make = Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One secret of a stack."""

    name: str
    purpose: str
    form: str = r"\S{16,}"
    """Regular expression of the whole value."""
    allowed: str = "at least 16 characters without a blank"
    """The same in words."""
    make: Make | None = None
    """Makes one up; None where somebody else gives it out."""
    opens: bool = False
    """It lets a client in: one that everybody can read is worse than none."""


def _token() -> str:
    return random.token_urlsafe(BYTES)


def needed_secrets(stack: Stack) -> tuple[Needed, ...]:
    """Return every secret that a stack needs."""
    return (*_of_gateway(stack), *_of_langfuse(stack))


def stack_secrets(
    stack: Stack, values: Mapping[str, str], *, file: str, target: Target
) -> Mapping[str, str]:
    """Return the value of each secret that the stack needs.

    In rendered manifests a missing one is a placeholder that says its name: they go to a folder, or to
    git, where no secret belongs. A missing key of a client stays missing, and lets nobody in.

    Raises:
        InputError: one has a wrong form, or is missing on a live target; no value is ever shown.
    """
    place, needed = Place(file, "config.breakeven:secrets"), needed_secrets(stack)
    if OTHER in values:
        needed = (*needed, _engine_key(OTHER, "what engines take as well"))
    renders = isinstance(target, Render)
    known = dict(values)
    if renders:
        known = {e.name: f"{PLACEHOLDER}{e.name}" for e in needed if not e.opens} | known
        needed = tuple(each for each in needed if each.name in known)
    problems = [
        problem for each in needed if (problem := _problem(each, known, place, renders=renders))
    ]
    given = (key.alias for key in stack.gateway.keys if f"key-{key.alias}" in known)
    if not problems:
        problems += check_keys(known, tuple(given))
    if problems:
        raise InputError(*problems)
    return known


def _problem(
    needed: Needed, values: Mapping[str, str], place: Place, *, renders: bool
) -> Problem | None:
    value = values.get(needed.name)
    placeholder = value is not None and value.startswith(PLACEHOLDER)
    if placeholder and renders and not needed.opens:
        return None
    if value is not None and not placeholder and re.fullmatch(needed.form, value):
        return None
    by_hand = f"pulumi config set --secret --path breakeven:secrets.{needed.name}"
    return place.at(needed.name).problem(
        found=_found(value, placeholder=placeholder),
        allowed=f"{needed.allowed} ({needed.purpose})",
        remedy="python tools/new_secrets.py STACK makes what is missing"
        if needed.make
        else by_hand,
    )


def _found(value: str | None, *, placeholder: bool) -> str:
    if value is None:
        return "none"
    return "a placeholder" if placeholder else f"{len(value)} characters of another form"


def _of_gateway(stack: Stack) -> Iterator[Needed]:
    for key in stack.gateway.keys:
        if not key.existing_secret:
            yield Needed(
                name=f"key-{key.alias}", purpose=f"API key of {key.alias}", make=_token, opens=True
            )
    yield _engine_key(CURRENT, "what the gateway shows the engines")
    yield Needed(name="counters-password", purpose="password of the limits' Redis", make=_token)
    for model in stack.models:
        if model.serving.fallback:
            yield Needed(name=f"hosted-{model.name}", purpose="API key at the hosted fallback")


def _engine_key(name: str, purpose: str) -> Needed:
    # vLLM reads it as a word of its command line, where a dash begins a flag.
    form, allowed = r"[^\s-]\S{15,}", f"{Needed.allowed}, not beginning with -"
    return Needed(
        name=name, purpose=purpose, form=form, allowed=allowed, make=lambda: f"e{_token()}"
    )


def _of_langfuse(stack: Stack) -> Iterator[Needed]:
    langfuse = stack.observability.langfuse
    if isinstance(langfuse, NoLangfuse):
        return
    elsewhere = isinstance(langfuse, ExistingLangfuse)
    stores_elsewhere = isinstance(langfuse, OwnLangfuse) and langfuse.stores.kind == "external"
    for key in SECRET_KEYS[:2] if elsewhere else SECRET_KEYS:
        given = elsewhere or (stores_elsewhere and key not in _LANGFUSE_OWN)
        yield Needed(
            name=f"langfuse-{key}",
            purpose=f"{key} of Langfuse",
            form=_FORMS.get(key, (Needed.form, Needed.allowed))[0],
            allowed=_FORMS.get(key, (Needed.form, Needed.allowed))[1],
            make=None if given else _MAKERS.get(key, _token),
        )


_LANGFUSE_OWN: Final = frozenset(SECRET_KEYS[:6])
"""Secrets of Langfuse itself; the others belong to its stores."""
_FORMS: Final = {
    "public-key": (r"pk-lf-\S{16,}", "pk-lf- and at least 16 characters"),
    "secret-key": (r"sk-lf-\S{16,}", "sk-lf- and at least 16 characters"),
    "encryption-key": (r"[0-9a-f]{64}", "64 hex digits"),
}
_MAKERS: Final[dict[str, Make]] = {
    "public-key": lambda: f"pk-lf-{_token()}",
    "secret-key": lambda: f"sk-lf-{_token()}",
    "encryption-key": lambda: random.token_hex(BYTES),
}
