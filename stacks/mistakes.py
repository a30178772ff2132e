"""From pydantic's errors to ours: the path as a human writes it, what is allowed, and the remedy."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stacks.documentation import field_docstrings
from stacks.errors import Problem

Location = tuple[int | str, ...]

_ALLOWED: Final = {
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number from {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number up to {le}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "string_too_short": "text of at least {min_length} characters",
    "too_short": "at least {min_length} of them",
    "string_pattern_mismatch": "text of the form {pattern}",
    "literal_error": "{expected}",
    "union_tag_invalid": "one of {expected_tags}",
    "union_tag_not_found": "a mapping with {discriminator}",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "date_from_datetime_parsing": "a day as YYYY-MM-DD",
    "date_parsing": "a day as YYYY-MM-DD",
    "date_type": "a day as YYYY-MM-DD",
    "date_from_datetime_inexact": "a day as YYYY-MM-DD, without a time",
}


def problems_of(error: ValidationError, root: type[BaseModel], *, file: str) -> list[Problem]:
    """Return one problem for each thing that pydantic found wrong.

    A list whose only entry is wrong also counts as too short: that says nothing new and is left out.
    """
    details = error.errors(include_url=False)
    inner = [detail["loc"] for detail in details]
    told = [d for d in details if not any(_above(d["loc"], location) for location in inner)]
    return [_problem(detail, root, file) for detail in told]


def _above(outer: Location, inner: Location) -> bool:
    return len(outer) < len(inner) and inner[: len(outer)] == outer


def _problem(detail: ErrorDetails, root: type[BaseModel], file: str) -> Problem:
    path, owner = _walk(root, detail["loc"])
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path, owner, name, file)
    meaning = field_docstrings(owner).get(name, "") if owner else ""
    remedy = f"{name}: {meaning}" if meaning else "correct the value"
    if detail["type"] == "missing":
        return Problem(
            file=file, field=path, found="nothing", allowed="a value", remedy=f"add {remedy}"
        )
    if detail["type"] in ("value_error", "assertion_error"):
        reason = str(detail["ctx"]["error"]) if "ctx" in detail else detail["msg"]
        allowed = "a plain number" if "is no number" in reason else reason
        return Problem(
            file=file, field=path, found=_found(detail["input"]), allowed=allowed, remedy=remedy
        )
    pattern = _ALLOWED.get(detail["type"], detail["msg"])
    allowed = pattern.format(**detail.get("ctx", {}))
    return Problem(
        file=file, field=path, found=_found(detail["input"]), allowed=allowed, remedy=remedy
    )


def _unknown_key(path: str, owner: type[BaseModel] | None, name: str, file: str) -> Problem:
    known = list(owner.model_fields) if owner else []
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else "remove it"
    return Problem(
        file=file, field=path, found="an unknown key", allowed=", ".join(known), remedy=remedy
    )


def _found(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'nothing in it'}"[:160]
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "nothing" if value is None else repr(value)[:120]


def _walk(root: type[BaseModel], location: Location) -> tuple[str, type[BaseModel] | None]:
    """Return the path as it stands in the file, and the model that owns its last part."""
    path, here = "", [root]
    owner: type[BaseModel] | None = root
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        tagged = [model for model in here if len(here) > 1 and part in _tags(model)]
        if tagged:  # pydantic names the branch of a union; the file does not
            here, owner = tagged, tagged[0]
            continue
        owner = next(
            (model for model in here if part in model.model_fields), here[0] if here else None
        )
        path += f".{part}" if path else part
        field = owner.model_fields.get(part) if owner else None
        here = list(_models_in(field.annotation)) if field else []
    return path, owner


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind else ()


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, through unions, tuples and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    for argument in arguments:
        yield from _models_in(argument)
