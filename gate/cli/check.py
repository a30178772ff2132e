"""`check`, `explain`, `approve` and `schema`: what is asked of a stack file."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gate.cli.numbers import day
from gate.cli.output import show
from gate.clock import as_of_day
from stacks.errors import InputError, Place

if TYPE_CHECKING:
    from gate.cli.break_even_flags import Commands
    from gate.decision import Decision

CHECK = """\
The full decision of one stack: both bills line by line, utilization and where
it comes from, where the bills cross, what would change the verdict, constraints
and findings. What makes judging impossible is told on stderr as well, a line
each: file, field, found, allowed, remedy.
"""
EXPLAIN = "Every formula of docs/model.md with the numbers of this stack put in."
APPROVE = """\
Prints the approval block of each hard constraint, bound to the decision as it
stands today: its inputs and its monthly premium. The approver puts it into the
stack file (docs/overriding.md).
"""
SCHEMA = """\
The JSON schema of a stack file, for editors and validators; checked in as
stacks/stack.schema.json.
"""


def add_commands(commands: "Commands") -> None:
    """Add the commands."""
    check = _command(commands, "check", "the full decision of one stack", CHECK)
    check.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="(default text)"
    )
    check.set_defaults(run=run_check)
    explain = _command(commands, "explain", "its formulas with its numbers", EXPLAIN)
    explain.set_defaults(run=run_explain)
    approve = _command(commands, "approve", "bind hard constraints to the decision", APPROVE)
    approve.set_defaults(run=run_approve)
    schema = commands.add_parser(
        "schema",
        help="the JSON schema of a stack",
        description=SCHEMA,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    schema.set_defaults(run=run_schema)


def _command(
    commands: "Commands", name: str, summary: str, description: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument(
        "stackfile", type=Path, metavar="STACKFILE", help="stacks/Pulumi.<stack>.yaml"
    )
    command.add_argument(
        "--as-of",
        type=day,
        metavar="DATE",
        help="judge as of this day, YYYY-MM-DD (default: today, UTC)",
    )
    return command


def _decision(arguments: argparse.Namespace) -> "Decision":
    from gate.decision import decide  # noqa: PLC0415 - a third of the start-up time, only needed here
    from stacks.reading import read_stack  # noqa: PLC0415

    path: Path = arguments.stackfile
    stack = read_stack(path)
    as_of = arguments.as_of or as_of_day()
    return decide(stack, file=str(path), folder=path.parent, as_of=as_of)


def run_check(arguments: argparse.Namespace) -> int:
    """Print the decision; return its exit code."""
    decision = _decision(arguments)
    return _tell(decision, _formatted(decision, arguments.format))


def _tell(decision: "Decision", report: str) -> int:
    """Print a report, and to stderr why nothing can be judged; return the exit code.

    Whoever gets a 2 finds the reasons in one place and form, whether there is a report or not.
    """
    show(report)
    for problem in decision.blocking:
        print(f"error: {problem}", file=sys.stderr)
    return decision.exit_code


def _formatted(decision: "Decision", form: str) -> str:
    if form == "json":
        from gate.record import with_basis  # noqa: PLC0415 - one format a run

        return json.dumps(with_basis(decision), indent=2, allow_nan=False)
    if form == "markdown":
        from gate.report.markdown import markdown  # noqa: PLC0415

        return markdown(decision)
    from gate.report.text import text  # noqa: PLC0415

    return text(decision)


def run_explain(arguments: argparse.Namespace) -> int:
    """Print the formulas; return the decision's exit code."""
    from gate.report.explain import explain  # noqa: PLC0415

    decision = _decision(arguments)
    return _tell(decision, explain(decision))


def run_approve(arguments: argparse.Namespace) -> int:
    """Print an approval block for each constraint."""
    from gate.constraints import approval_of  # noqa: PLC0415

    decision = _decision(arguments)
    if decision.blocking:
        raise InputError(*decision.blocking)
    if not decision.constraints:
        raise Place(decision.file, "constraints").error(
            found="no hard constraint",
            allowed="one or more",
            remedy="describe it first, without approval (docs/overriding.md)",
        )
    for index, status in enumerate(decision.constraints):
        constraint = status.constraint
        approval = approval_of(
            constraint,
            inputs_hash=decision.inputs_hash,
            premium_usd_per_month=status.premium_usd_per_month,
        )
        print(
            f"# constraints[{index}], {constraint.category}: to be put in by {constraint.approver}"
        )
        print("approval:")
        print(f'  inputs_hash: "{approval.inputs_hash}"')
        print(f"  premium_usd_per_month: {approval.premium_usd_per_month:.2f}")
        print(f'  seal: "{approval.seal}"')
    return 0


def run_schema(arguments: argparse.Namespace) -> int:
    """Print the JSON schema of a stack file."""
    del arguments
    from stacks.schema import stack_file_schema  # noqa: PLC0415

    print(json.dumps(stack_file_schema(), indent=2))
    return 0
