"""The command line: `python -m gate COMMAND`; works without Pulumi installed."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from gate.cli import break_even, check, facts
from gate.cli.output import silence
from stacks.errors import InputError

USAGE_ERROR = 64
"""sysexits.h EX_USAGE: the command line itself is wrong."""

EPILOG = """\
exit codes:
  0   deploying is allowed (wins, below_break_even, mandated, finite)
  1   deploying is refused (infinite, beyond_cap; below_break_even where the
      stack says refuse)
  2   it cannot be judged (indeterminate): an input is missing, stale,
      inconsistent or impossible
  64  the command line is wrong

Nothing here needs a network, a cloud account or Pulumi. Every figure and
formula: docs/model.md.
"""


class _Parser(argparse.ArgumentParser):
    """Leaves exit code 2 to what cannot be judged."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = _Parser(
        prog="python -m gate",
        description="Decide whether self-hosting a language model is worth its money.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (break_even, check, facts):
        module.add_commands(commands)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except InputError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        silence()
        return 0
    return code
