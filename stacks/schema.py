"""The JSON schema of a stack file: completion and checks in editors, before anything runs."""

from typing import Any

from pydantic import BaseModel

from stacks.documentation import json_schema
from stacks.numbers import Declared
from stacks.reading import PROJECT, STACK_KEY
from stacks.stack import Stack


def stack_file_schema() -> dict[str, Any]:
    """Return the schema of a whole `Pulumi.<stack>.yaml`."""
    stack = json_schema(Stack, _models())
    definitions = stack.pop("$defs")
    _numbers_as_text(stack)
    for definition in definitions.values():
        _numbers_as_text(definition)
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
                },
            }
        },
        "$defs": definitions,
    }


def _numbers_as_text(definition: dict[str, Any]) -> None:
    """Let a number be the text that `pulumi config set --path` writes for it."""
    for field in definition.get("properties", {}).values():
        for form in (field, *field.get("anyOf", ())):
            if form.get("type") in ("number", "integer"):
                form["type"] = [form["type"], "string"]


def _models() -> dict[str, type[BaseModel]]:
    """Return every declared model by class name."""
    return {str(model.__name__): model for model in Declared.__subclasses__()}
