"""Commands that the documents tell a reader to type are ones that the tools take."""

import importlib
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.docs.documents import DOCUMENTS, FENCES, ROOT, prose

TOOL = re.compile(r"python tools/(\w+)\.py(.*)", re.DOTALL)
READ_APART = {"copy_images", "pin_add_ons", "pin_images"}
"""Tools that read their command line in a function of its own."""


def commands() -> Iterator[tuple[str, str, str]]:
    """Yield where a command stands, its tool and what follows, out of prose and fenced blocks."""
    said = [(path, code) for path in DOCUMENTS for code in re.findall(r"`([^`]+)`", prose(path))]
    said += [(fence.document, line) for fence in FENCES for line in fence.text.splitlines()]
    for path, text in said:
        if found := TOOL.match(text.removeprefix("$ ").strip()):
            yield str(path.relative_to(ROOT)), found[1], found[2]


def test_the_documents_show_each_of_them():
    assert {tool for _, tool, _ in commands()} >= READ_APART


@pytest.mark.parametrize(
    ("document", "tool", "arguments"), [each for each in commands() if each[1] in READ_APART]
)
def test_a_tool_takes_the_command_that_is_shown(document, tool, arguments):
    parser = importlib.import_module(f"tools.{tool}").parser()

    try:
        parser.parse_args(shlex.split(arguments, comments=True))
    except SystemExit:
        pytest.fail(f"{document}: python tools/{tool}.py{arguments}")
