"""The questions of an evaluation out of their file; every mistake is answered once, by its line."""

import json
import re
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from stacks.errors import InputError, Place, Problem
from stacks.evaluation import Question
from stacks.mistakes import described, problems_of

MAX_BYTES: Final = 2**19
"""It travels in a ConfigMap, which holds 1 MiB."""
WAYS: Final = ("equals", "contains", "matches")


def read_dataset(path: Path, place: Place) -> tuple[Question, ...]:
    """Return the questions of a JSON lines file; `place` is where the stack names it.

    Raises:
        InputError: it cannot be read, is too large or empty, or lines of it are wrong; all at once.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    for number, line in enumerate(_text(path, place).split("\n"), 1):
        if line.strip():
            found = _question(line, Place(str(path), f"line {number}"))
            if isinstance(found, Question):
                questions.append(found)
            else:
                problems += found
    if problems:
        raise InputError(*problems)
    if not questions:
        raise _unreadable(place, "no question in it")
    return tuple(questions)


def dataset_text(questions: tuple[Question, ...]) -> str:
    """Return the questions as JSON lines; an equal dataset is the same text, however it was written."""
    lines = (question.model_dump(exclude_none=True) for question in questions)
    return "".join(json.dumps(line) + "\n" for line in lines)


def _text(path: Path, place: Place) -> str:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(place, (error.strerror or "an error").lower()) from None
    except UnicodeDecodeError:
        raise _unreadable(place, "bytes that are not UTF-8") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(place, f"{len(content):,} bytes")
    return text


def _unreadable(place: Place, found: str) -> InputError:
    return place.error(
        found=found,
        allowed=f"a JSON lines file in UTF-8 with a question in it, at most {MAX_BYTES:,} bytes",
        remedy="check the path, relative to the folder of the stack file, and what is in it",
    )


def _question(line: str, place: Place) -> Question | list[Problem]:
    try:
        declared = json.loads(line)
    except (ValueError, RecursionError):
        return [_wrong(place, "no JSON")]
    if not isinstance(declared, dict):
        return [_wrong(place, described(declared))]
    try:
        question = Question.model_validate(declared)
    except ValidationError as error:
        problems = problems_of(error, Question, file=place.file)
        return [each._replace(field=f"{place.path}, {each.field}") for each in problems]
    ways = [name for name in WAYS if getattr(question, name) is not None]
    if len(ways) != 1:
        return [_wrong(place, " and ".join(ways) or "no expected answer")]
    try:
        re.compile(question.matches or "")
    except re.error as error:
        return [_wrong(place, f"a regular expression that is none ({error})")]
    return question


def _wrong(place: Place, found: str) -> Problem:
    return place.problem(
        found=found,
        allowed='{"prompt": ...} with one of "equals", "contains", "matches"',
        remedy="mend that line: one question, and one way to tell a right answer",
    )
