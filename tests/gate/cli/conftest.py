"""What the tests of a command share."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from gate.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def break_even(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function: flags to exit code, output and errors."""

    def call(*flags: str) -> tuple[int, str, str]:
        try:
            code = main(["break-even", *flags])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def figures(break_even: Run) -> Callable[..., dict[str, Any]]:
    """A function: flags to the JSON that is printed."""

    def refuse(constant: str) -> NoReturn:
        pytest.fail(f"{constant} is not JSON: print null where there is no number")

    def call(*flags: str) -> dict[str, Any]:
        _, output, errors = break_even(*flags, "--format=json")
        assert not errors
        result: dict[str, Any] = json.loads(output, parse_constant=refuse)
        return result

    return call
