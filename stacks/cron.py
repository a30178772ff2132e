"""Cron expressions, as KEDA reads them: five fields, and nothing that only other crons know."""

import re
from typing import Final, NamedTuple

from stacks.errors import ContradictionError


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    """Names that stand for the numbers from `least` on."""


_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)
_ENTRY: Final = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)
"""`*`, a value or a range, and every how many of them."""


def cron(text: str) -> str:
    """Return the expression, e.g. `0 7 * * mon-fri`.

    Raises:
        ContradictionError: it has not five fields, or one of them is no list of numbers, names,
            ranges and steps within its bounds.
    """
    parts = text.split(" ")
    wrong = "" if len(parts) == len(_FIELDS) else f"{text!r}, which has not five fields"
    if not wrong:
        pairs = zip(_FIELDS, parts, strict=True)
        bad = next(((field, part) for field, part in pairs if not _is_field(part, field)), None)
        wrong = f"{text!r}, with {bad[1]!r} as {bad[0].name}" if bad else ""
    if wrong:
        raise ContradictionError(
            found=wrong[:160],
            allowed="minute (0-59) hour (0-23) day (1-31) month (1-12 or jan-dec) weekday (0-6 or "
            "sun-sat), each *, a value, a range, a step or a list of them",
            remedy="write it like 0 7 * * 1-5, with one blank between the fields",
        )
    return text


def _is_field(text: str, field: _Field) -> bool:
    return all(_is_entry(entry, field) for entry in text.lower().split(","))


def _is_entry(text: str, field: _Field) -> bool:
    found = _ENTRY.fullmatch(text)
    if not found:
        return False
    first = field.least if found["first"] is None else _number(found["first"], field)
    last = first if found["last"] is None else _number(found["last"], field)
    steps = found["step"] is None or 1 <= int(found["step"]) <= field.most
    return steps and field.least <= first <= last <= field.most


def _number(text: str, field: _Field) -> int:
    """Return the number a value stands for; -1, which no field takes, for an unknown name."""
    if text.isdigit():
        return int(text)
    return field.least + field.names.index(text) if text in field.names else -1
