"""Images written into the text of a stack file: comments, order and layout stay as they are."""

import copy
import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final, NamedTuple

import yaml

from stacks.reading import PROJECT, STACK_KEY

Path = tuple[str | int, ...]
"""Where a value stands in the stack, e.g. ("models", 0, "serving", "image")."""

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
IMAGES: Final = "images"
STEP: Final = 2
"""Blanks by which the entries of a new mapping are indented."""


class LayoutError(Exception):
    """The file says something in a way that cannot be edited as text."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def with_images(text: str, images: Mapping[Path, str]) -> str:
    """Return the stack file's text with these images in it.

    An image that is there gets its digest changed; one that is not can only be one of `images`.

    Raises:
        LayoutError: the text would then say anything else than before, but for these images.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    stack = _at(root, ("config", f"{PROJECT}:{STACK_KEY}"))
    found = {path: _at(stack, path) for path in images}
    # An anchor may stand for several.
    edits = {_digest(text, node, images[path]) for path, node in found.items() if node}
    missing = {str(path[-1]): images[path] for path, node in found.items() if node is None}
    if missing:
        edits.add(_entries(text, stack, missing))
    written = text
    for edit in sorted(edits, reverse=True):
        written = written[: edit.start] + edit.text + written[edit.end :]
    if _read(written) != _expected(text, images):
        raise LayoutError
    return written


def _at(node: yaml.Node | None, path: Path) -> Any:
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node


def _digest(text: str, node: yaml.Node, image: str) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    return _Edit(start, end, DIGEST.sub(image.partition("@")[2], text[start:end]))


def _entries(text: str, stack: yaml.MappingNode, images: Mapping[str, str]) -> _Edit:
    """Return the edit that adds entries to `images`, and that itself where it is not there."""
    there = _at(stack, (IMAGES,))
    entries = [f"{name}: {image}" for name, image in images.items()]
    if there is not None:
        return _after_last(text, there, entries)
    if stack.flow_style:
        return _after_last(text, stack, [f"{IMAGES}: {{{', '.join(entries)}}}"])
    models = next(key for key, _ in stack.value if key.value == "models")
    column = models.start_mark.column
    lines = [f"{' ' * column}{IMAGES}:", *(f"{' ' * (column + STEP)}{each}" for each in entries)]
    at = _above(text, models.start_mark.index, column)
    return _Edit(at, at, "".join(line + _newline(text) for line in [*lines, ""]))


def _after_last(text: str, mapping: yaml.MappingNode, entries: list[str]) -> _Edit:
    if not mapping.value:
        at = text.index("{", mapping.start_mark.index) + 1
        return _Edit(at, at, ", ".join(entries))
    key, value = mapping.value[-1]
    at = value.end_mark.index
    if mapping.flow_style:
        return _Edit(at, at, "".join(f", {each}" for each in entries))
    at = text.index("\n", at) if "\n" in text[at:] else len(text)
    at -= text[:at].endswith("\r")
    start = _newline(text) + " " * key.start_mark.column
    return _Edit(at, at, "".join(start + each for each in entries))


def _above(text: str, index: int, column: int) -> int:
    """Return where the line of a key starts, or the comment right above it."""
    start = index - column
    before = reversed(text[:start].splitlines(keepends=True))
    return start - sum(
        map(len, takewhile(lambda line: line.startswith(" " * column + "#"), before))
    )


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _expected(text: str, images: Mapping[Path, str]) -> Any:
    document = copy.deepcopy(yaml.safe_load(text))
    for path, image in images.items():
        holder = document["config"][f"{PROJECT}:{STACK_KEY}"]
        holder.setdefault(IMAGES, {}) if path[0] == IMAGES else None
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = image
    return document
