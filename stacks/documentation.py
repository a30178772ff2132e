"""The attribute docstrings of the schema: one text for the reader of the code, the editor and errors."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel


@functools.cache
def field_docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the docstring below each field of a model, its bases' included.

    Read out of the source when it is asked for: pydantic would read all of it at each start.
    """
    documented: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
            if isinstance(body, ast.ClassDef):
                documented |= dict(_documented(body))
    return documented


def _documented(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for pair in zip(body.body, body.body[1:], strict=False):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())


def json_schema(model: type[BaseModel], models: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Return the JSON schema of `model`, each field described by its docstring.

    `models` maps the name of each definition to its class.
    """
    schema = model.model_json_schema()
    for name, definition in schema.get("$defs", {}).items():
        _describe(definition, models[name])
    _describe(schema, model)
    return schema


def _describe(definition: dict[str, Any], model: type[BaseModel]) -> None:
    for name, text in field_docstrings(model).items():
        definition["properties"][name]["description"] = text
