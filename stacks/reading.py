"""From a stack file, or from what Pulumi hands over, to a `Stack`; every mistake is answered once."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from pydantic import ValidationError

from stacks.errors import InputError, Problem
from stacks.stack import Stack

PROJECT: Final = "breakeven"
"""Name of the Pulumi project, and so the prefix of its configuration keys."""
STACK_KEY: Final = "stack"
KNOWN_KEYS: Final = (STACK_KEY, "huggingface_token", "secrets")
MAX_BRACKETS: Final = 5000
"""A stack has a hundred; libyaml crashes on a hundred thousand of them in each other."""


def read_stack(path: Path) -> Stack:
    """Return the stack that a `Pulumi.<stack>.yaml` declares.

    Raises:
        InputError: the file cannot be read, or what it declares is wrong; all mistakes at once.
    """
    name = str(path)
    document = _load(path, name)
    config = document.get("config")
    if not isinstance(config, Mapping):
        raise _error(
            name,
            "config",
            _kind(config),
            f"a mapping with {PROJECT}:{STACK_KEY}",
            "copy the outline of stacks/Pulumi.demo.yaml",
        )
    refuse_unknown_keys(name, (str(key) for key in config))
    declared = config.get(f"{PROJECT}:{STACK_KEY}")
    if isinstance(declared, Mapping) and set(declared) == {"secure"}:
        raise _error(
            name,
            f"config.{PROJECT}:{STACK_KEY}",
            "an encrypted value",
            "a mapping in plain text",
            "encrypt single values of it, or run `pulumi preview`, which decrypts it",
        )
    return parse_stack(declared, file=name)


def parse_stack(declared: object, *, file: str) -> Stack:
    """Return the stack declared as plain data; `file` is what messages name.

    Raises:
        InputError: what is declared is wrong; all mistakes at once.
    """
    if not isinstance(declared, Mapping):
        raise _error(
            file,
            f"config.{PROJECT}:{STACK_KEY}",
            _kind(declared),
            "a mapping: purpose, target, operations, models",
            "copy the outline of stacks/Pulumi.demo.yaml",
        )
    try:
        return Stack.model_validate(declared)
    except ValidationError as error:
        from stacks.mistakes import problems_of  # noqa: PLC0415 - only a mistake pays for it

        raise InputError(*problems_of(error, Stack, file=file)) from None


def refuse_unknown_keys(file: str, keys: Iterable[str]) -> None:
    """Raise InputError for a key of this project that nothing reads.

    Keys of other namespaces (kubernetes:context, aws:region) belong to their providers.
    """
    known = [f"{PROJECT}:{key}" for key in KNOWN_KEYS]
    problems = []
    for key in keys:
        namespace = key.split(":", maxsplit=1)[0]
        foreign = ":" in key and not difflib.get_close_matches(namespace, [PROJECT], cutoff=0.8)
        if key in known or foreign:
            continue
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
        remedy = f"did you mean {near}?"
        problems.append(
            Problem(
                file=file,
                field=f"config.{key}",
                found="an unknown key",
                allowed=", ".join(known),
                remedy=remedy,
            )
        )
    if problems:
        raise InputError(*problems)


class _UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml is optional
    """A safe loader for which the same key twice is an error, as it is for Pulumi."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _refuse(key, found="a key that is no text")
            if key.value in seen:
                _refuse(key, found=f"the key {key.value} twice")
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except ValueError:  # 2026-02-30 is taken for a day, and is none
            _refuse(node, found=f"{node.value[:40]}, no day or number that exists")


class _RefusedError(yaml.MarkedYAMLError):
    """What is YAML, and no stack file."""


def _refuse(node: yaml.Node, *, found: str) -> NoReturn:
    raise _RefusedError(None, None, found, node.start_mark) from None


def _load(path: Path, name: str) -> Mapping[str, Any]:
    if path.is_dir():
        raise _error(
            name, "", "a directory", "a stack file", f"name a file in it: {name}/Pulumi.demo.yaml"
        )
    try:
        document = _parsed(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise _error(
            name, "", "bytes that are not UTF-8", "UTF-8 text", "save the file as UTF-8"
        ) from None
    except OSError as error:
        reason = (error.strerror or "an error").lower()
        raise _error(name, "", reason, "a readable stack file", "check the path") from None
    except yaml.YAMLError as error:
        raise _not_yaml(name, error) from None
    except RecursionError:
        raise _error(
            name, "", "thousands of brackets", "YAML", "copy stacks/Pulumi.demo.yaml"
        ) from None
    if not isinstance(document, Mapping):
        raise _error(
            name, "", _kind(document), "a mapping with config", "copy stacks/Pulumi.demo.yaml"
        )
    return document


def _parsed(text: str) -> object:
    """Return the content of a YAML text.

    Raises:
        RecursionError: it is nested deeper than can be read.
    """
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise RecursionError
    return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a subclass of the safe loader


def _not_yaml(name: str, error: yaml.YAMLError) -> InputError:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    what = str(getattr(error, "problem", None) or error)
    return _error(
        name,
        place,
        what if isinstance(error, _RefusedError) else f"broken YAML ({what})",
        "YAML with each key once",
        "mend that line; indent with spaces, quote text with a colon",
    )


def _kind(value: object) -> str:
    from stacks.mistakes import described  # noqa: PLC0415 - only a mistake pays for it

    return described(value)


def _error(file: str, field: str, found: str, allowed: str, remedy: str) -> InputError:
    return InputError(Problem(file=file, field=field, found=found, allowed=allowed, remedy=remedy))
