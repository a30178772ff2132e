"""Dump the arguments of the vLLM that this interpreter imports, as JSON, into the file named.

Run by vllm_arguments.py with the interpreter of the environment that it makes; alone it needs vLLM.
"""

import argparse
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

# The parser's converters, by what they take. A name that is not here stands for itself.
CONVERTERS = {
    "loads": "json",
    "parse_dataclass": "json",
    "union_dict_and_str": "json or str",
    "human_readable_int": "int or 8k or 8K",
    "human_readable_int_or_auto": "int or 8k or 8K or auto",
    "parse_reasoning_parser": "str",
    "<lambda>": "str",
}
# In an argument's own help: "Deprecated: ..." or "--x is deprecated", not "allow deprecated methods".
DEPRECATED = re.compile(r"^deprecated\b|^--[\w-]+ is deprecated", re.IGNORECASE | re.MULTILINE)


def parser_contents() -> dict[str, Any]:
    """Return the arguments and environment variables of the vLLM that this interpreter imports."""
    sys.argv = ["vllm", "--help"]  # vLLM leaves the help texts out of its parser otherwise
    utils = importlib.import_module("vllm.utils.argparse_utils")
    entry = importlib.import_module("vllm.entrypoints.common.cli_args")
    parser = entry.make_arg_parser(utils.FlexibleArgumentParser(prog="vllm serve"))
    old = parser._deprecated  # noqa: SLF001  # the parser keeps them nowhere else
    arguments = [described(action, marked=action in old) for action in parser._actions]  # noqa: SLF001
    environment = importlib.import_module("vllm.envs").environment_variables
    return {
        "arguments": sorted(arguments, key=lambda a: str(a["flags"])),
        "environment": sorted(environment),
    }


def described(action: Any, *, marked: bool) -> dict[str, Any]:
    """Return one argument: flags as vLLM's help shows them, then what it takes."""
    negatives = sorted(getattr(action, "negative_option_strings", ()))
    flags = [flag for flag in action.option_strings if flag not in negatives]
    deprecated = marked or type(action).__name__.startswith("Deprecated")
    entry: dict[str, Any] = {
        "flags": sorted(flags, key=lambda f: not f.startswith("--")) or [action.dest],
        "negatives": negatives,
        "type": converter_name(action.type),
        "nargs": action.nargs,
        "choices": sorted(map(str, action.choices or ())),
        "deprecated": deprecated or bool(DEPRECATED.search(action.help or "")),
    }
    entry = {key: value for key, value in entry.items() if value not in (None, [])}
    if action.default != argparse.SUPPRESS and is_json(action.default):
        entry["default"] = action.default
    return entry


def converter_name(converter: Any) -> str | None:
    """Return what an argument's converter takes; one that wraps another is named by the inner one."""
    if converter is None:
        return None
    for cell in getattr(converter, "__closure__", None) or ():
        if converter.__name__ in {"_optional_type", "_parse_type"} and callable(cell.cell_contents):
            return converter_name(cell.cell_contents)
    return CONVERTERS.get(converter.__name__, str(converter.__name__))


def is_json(value: object) -> bool:
    """Return whether JSON can hold the value."""
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(json.dumps(parser_contents()))
