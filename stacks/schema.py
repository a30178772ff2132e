"""The JSON schema of a stack file: completion and checks in editors, before anything runs."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from stacks.documentation import json_schema
from stacks.numbers import Declared
from stacks.reading import PROJECT, STACK_KEY
from stacks.stack import Stack


def stack_file_schema() -> dict[str, Any]:
    """Return the schema of a whole `Pulumi.<stack>.yaml`."""
    stack = json_schema(Stack, _models())
    definitions = stack.pop("$defs")
    for definition in (stack, *definitions.values()):
        for field in definition.get("properties", {}).values():
            for form in (field, *field.get("anyOf", ())):
                _numbers_as_text(form)
                _bounds_by_name(form)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of the break-even gate",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [f"{PROJECT}:{STACK_KEY}"],
                "properties": {
                    f"{PROJECT}:{STACK_KEY}": stack,
                    f"{PROJECT}:huggingface_token": {
                        "description": "Token of the model hub; set with `pulumi config set --secret`.",
                        "type": "object",
                    },
                    f"{PROJECT}:secrets": {
                        "description": "Secrets by name (docs/serving.md); set with tools/new_secrets.py.",
                        "type": "object",
                    },
                },
            }
        },
        "$defs": definitions,
    }


def _numbers_as_text(form: dict[str, Any]) -> None:
    """Let a number be the text that `pulumi config set --path` writes for it."""
    if form.get("type") in ("number", "integer"):
        form["type"] = [form["type"], "string"]
        if "enum" in form:
            form["enum"] += [str(value) for value in form["enum"]]


_BOUNDS: Final = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}


def _bounds_by_name(form: dict[str, Any]) -> None:
    """Name the bounds as JSON schema does; pydantic leaves those that narrow a type as they are."""
    for name, standard in _BOUNDS.items():
        if name in form:
            form[standard] = form.pop(name)


def _models() -> dict[str, type[BaseModel]]:
    """Return every declared model by class name."""
    return {str(model.__name__): model for model in _below(Declared)}


def _below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _below(model)
