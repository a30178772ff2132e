"""Parse argument lists with the vLLM that this interpreter imports; run by test_engine_arguments.py.

Reads a JSON list of argument lists from standard input and writes, for each, an error or what the
parser made of it, as JSON on the last line of standard output.
"""

import dataclasses
import json
import sys
from typing import Any

from vllm.entrypoints.common.cli_args import (  # type: ignore[import-not-found]
    make_arg_parser,
    validate_parsed_serve_args,
)
from vllm.utils.argparse_utils import FlexibleArgumentParser  # type: ignore[import-not-found]


class Refused(Exception):  # noqa: N818 - the parser's answer, not an error of this program
    """What the parser would print before it ends the engine."""


class Parser(FlexibleArgumentParser):  # type: ignore[misc]
    """vLLM's parser, which raises where it would end the process."""

    def error(self, message: str) -> None:
        """Raise instead."""
        raise Refused(message)


def parsed(words: list[str]) -> dict[str, Any]:
    """Return the values by name, or what is refused under `error`."""
    try:
        values = make_arg_parser(Parser(prog="vllm serve")).parse_args(words)
        validate_parsed_serve_args(values)
    except (Refused, ValueError, TypeError) as error:
        return {"error": str(error)}
    return {name: plain(value) for name, value in vars(values).items()}


def plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in vars(value).items()}
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)


if __name__ == "__main__":
    print("\n" + json.dumps([parsed(words) for words in json.load(sys.stdin)], default=str))  # noqa: T201
