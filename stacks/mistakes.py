"""From pydantic's errors to ours: the path as a human writes it, what is allowed, and the remedy."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stacks.aws.values import FORMS as AWS_FORMS
from stacks.documentation import field_docstrings
from stacks.errors import ContradictionError, Problem
from stacks.numbers import FORMS as OWN_FORMS
from stacks.paths import Location, Spot, spot, tags

_FORMS: Final = OWN_FORMS | AWS_FORMS
_ALLOWED: Final = {
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number from {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number up to {le:g}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number up to 1,000,000,000",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_too_short": "text of at least {min_length} characters",
    "too_short": "at least {min_length} of them",
    "literal_error": "{expected}",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "date_from_datetime_parsing": "a day as YYYY-MM-DD",
    "date_parsing": "a day as YYYY-MM-DD",
    "date_type": "a day as YYYY-MM-DD",
    "date_from_datetime_inexact": "a day as YYYY-MM-DD, without a time",
    "invalid_key": "keys that are text: put it in quotes",
    "recursion_loop": "values that do not hold themselves",
}


def problems_of(error: ValidationError, root: type[BaseModel], *, file: str) -> list[Problem]:
    """Return one problem for each thing that pydantic found wrong.

    A list whose only entry is wrong also counts as too short: that says nothing new and is left out.
    A value that fits none of several types is answered once.
    """
    details = error.errors(include_url=False)
    inner = [detail["loc"] for detail in details]
    told = [d for d in details if not any(_above(d["loc"], location) for location in inner)]
    problems: dict[tuple[str, str], Problem] = {}
    for problem in (_problem(detail, root, file) for detail in told):
        same = problems.get((problem.field, problem.found))
        allowed = f"{same.allowed} or {problem.allowed}" if same else problem.allowed
        problems[problem.field, problem.found] = Problem(
            file=file,
            field=problem.field,
            found=problem.found,
            allowed=allowed,
            remedy=problem.remedy,
        )
    return list(problems.values())


def described(value: object) -> str:
    """Return a declared value in a few words."""
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            return "an encrypted value"
        return f"a mapping with {', '.join(map(str, value)) or 'nothing in it'}"[:160]
    if isinstance(value, list | tuple | set):
        return f"a list of {len(value)}"
    if isinstance(value, date):
        return value.isoformat()
    return "nothing" if value is None else repr(value)[:120]


def _above(outer: Location, inner: Location) -> bool:
    return len(outer) < len(inner) and inner[: len(outer)] == outer


def _problem(detail: ErrorDetails, root: type[BaseModel], file: str) -> Problem:
    where, value = spot(root, detail["loc"]), detail["input"]
    meaning = field_docstrings(where.owner).get(where.name, "") if where.owner else ""
    told = f"{where.name} ({meaning.rstrip('.')})" if meaning else "the value"
    field, found = where.path, described(value)
    allowed, remedy = _allowed(detail, where), f"correct {told}"
    reason = detail.get("ctx", {}).get("error")
    if isinstance(reason, ContradictionError):
        field = (field + reason.field).lstrip(".")
        found, allowed, remedy = reason.found, reason.allowed, reason.remedy
    elif detail["type"] == "missing":
        found, allowed, remedy = "nothing", "a value", f"add {told}"
    elif detail["type"] == "extra_forbidden":
        known = list(where.owner.model_fields) if where.owner else []
        found, remedy = "an unknown key", _did_you_mean(where.name, known, "remove it")
    elif detail["type"] == "union_tag_invalid":
        tag = detail["ctx"]["tag"]
        field, found = f"{field}.kind", repr(tag)
        remedy = _did_you_mean(tag, _kinds(where), f"take one of them: {told}")
    elif found == "an encrypted value":
        remedy = "`pulumi preview` decrypts it; for `python -m gate` write it in plain"
    return Problem(file=file, field=field, found=found, allowed=allowed, remedy=remedy)


def _allowed(detail: ErrorDetails, where: Spot) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return ", ".join(where.owner.model_fields) if where.owner else ""
    if kind == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], f"text of the form {context['pattern']}")
    if kind == "string_type":
        plain = isinstance(detail["input"], int | float | date)
        return "text, in quotes" if plain else "text"
    if kind == "union_tag_invalid":
        return ", ".join(_kinds(where))
    if kind in ("union_tag_not_found", "model_attributes_type", "model_type"):
        return f"a mapping with {_outline(where)}"
    return _ALLOWED.get(kind, detail["msg"]).format(**context)


def _kinds(where: Spot) -> list[str]:
    return [str(tag) for model in where.expected for tag in tags(model)]


def _outline(where: Spot) -> str:
    """Return the keys that a mapping at this place needs."""
    if len(where.expected) != 1:
        return f"kind: {', '.join(_kinds(where))}"
    fields = where.expected[0].model_fields
    needed = [name for name, field in fields.items() if field.is_required()]
    return ", ".join(needed or fields)


def _did_you_mean(name: str, known: Iterable[Any], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise
