"""`prices`: the dated facts, their age and their source."""

import argparse
import json
from typing import TYPE_CHECKING

from gate.cli.numbers import day
from gate.clock import as_of_day
from stacks.errors import Place

if TYPE_CHECKING:
    from gate.cli.break_even_flags import Commands

PRICES = """\
The dated facts that decisions are made of: GPUs, instances and their prices,
models, infrastructure, and the providers of hosted prices (name one to see its
models). STALE is past max_age_days: an advisory; EXPIRED is past twice that: a
decision that needs such a price is indeterminate.
"""


def add_commands(commands: "Commands") -> None:
    """Add `prices`."""
    command = commands.add_parser(
        "prices",
        help="the dated facts with age and source",
        description=PRICES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("provider", nargs="?", help="a hosted provider whose models are listed")
    command.add_argument(
        "--as-of", type=day, metavar="DATE", help="age as of this day (default: today, UTC)"
    )
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="(default text)"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the facts."""
    from dataclasses import asdict  # noqa: PLC0415 - reading the facts is only wanted here

    from gate.facts.listing import all_facts, hosted_facts  # noqa: PLC0415
    from gate.lookup import answering  # noqa: PLC0415

    as_of = arguments.as_of or as_of_day()
    with answering(Place("command line", "provider")):
        found = list(
            hosted_facts(arguments.provider, as_of=as_of)
            if arguments.provider
            else all_facts(as_of)
        )
    if arguments.format == "json":
        print(json.dumps([asdict(fact) for fact in found], indent=2, default=str))
        return 0
    for fact in found:
        state = "EXPIRED" if fact.expired else "STALE" if fact.stale else "ok"
        age = f"{fact.checked}, {fact.age_days} of {fact.max_age_days} days"
        print(f"{fact.name:<48} {fact.value:>14,.6g} {fact.unit}")
        print(f"    {state}: {age}, {fact.source}")
    stale = sum(fact.stale for fact in found)
    print(f"{len(found)} facts as of {as_of}, {stale} past their max_age_days")
    return 0
