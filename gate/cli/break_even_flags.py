"""The flags of `break-even`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gate.cli.numbers import count, number

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

DESCRIPTION = """\
Where does self-hosting break even? Give the price of a replica, what it serves,
and the hosted price of the same tokens; then either a utilization, or a load
trace from which it is computed.

  python -m gate break-even --replica-hourly-usd 6.88 \\
      --tokens-per-second 22789 --hosted-usd-per-mtok 0.20 --utilization 0.6
"""


def add_break_even(commands: "Commands", run: Callable[[argparse.Namespace], int]) -> None:
    """Add `break-even`, which calls `run`."""
    command = commands.add_parser(
        "break-even",
        help="the model on plain numbers",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    _add_bills(command)
    _add_load(command)
    _add_pool(command)


def _add_bills(command: argparse.ArgumentParser) -> None:
    bills = command.add_argument_group("the two bills")
    bills.add_argument(
        "--replica-hourly-usd", type=number(above=0), required=True, metavar="USD",
        help="one replica-hour; with --replicas-per-node, one node-hour",
    )  # fmt: skip
    bills.add_argument(
        "--tokens-per-second", type=number(above=0), required=True, metavar="N",
        help="input and output tokens that one replica serves at the SLO, fully used",
    )  # fmt: skip
    bills.add_argument(
        "--hosted-usd-per-mtok", type=number(above=0), required=True, metavar="USD",
        help="hosted price of a million tokens of the same mix",
    )  # fmt: skip
    bills.add_argument(
        "--marginal-usd-per-mtok", type=number(least=0), default=0.0, metavar="USD",
        help="self-hosted cost that grows with the tokens (default 0)",
    )  # fmt: skip
    bills.add_argument(
        "--fixed-monthly-usd", type=number(least=0), default=0.0, metavar="USD",
        help="people, updates, control plane, observability (default 0)",
    )  # fmt: skip
    bills.add_argument(
        "--monthly-tokens", type=number(above=0), metavar="V",
        help="judge at this volume: wins or below_break_even",
    )  # fmt: skip


def _add_load(command: argparse.ArgumentParser) -> None:
    load = command.add_argument_group("the load: one of the two")
    either = load.add_mutually_exclusive_group(required=True)
    either.add_argument(
        "--utilization", type=number(above=0, most=1), metavar="U",
        help="tokens served over tokens possible, 0 to 1, as measured",
    )  # fmt: skip
    either.add_argument(
        "--load-trace", type=Path, metavar="FILE.csv",
        help="hour,requests,input_tokens,output_tokens or TIMESTAMP,ContextTokens,GeneratedTokens",
    )  # fmt: skip
    load.add_argument(
        "--burst-factor", type=number(least=1), metavar="B",
        help="peak minute over the mean of its interval (default: as the trace shows it, else 1)",
    )  # fmt: skip
    load.add_argument(
        "--missing-hours", choices=("exclude", "zero", "refuse"), default="exclude",
        help="what an hour without a row means (default: exclude, it is unknown)",
    )  # fmt: skip


def _add_pool(command: argparse.ArgumentParser) -> None:
    pool = command.add_argument_group("the pool")
    pool.add_argument("--autoscaled", action="store_true", help="follow the load trace")
    pool.add_argument(
        "--lead-minutes", type=number(least=0), metavar="L",
        help="with --autoscaled: cold start, capacity is ordered this long before the load",
    )  # fmt: skip
    pool.add_argument(
        "--hold-minutes", type=number(least=0), metavar="H",
        help="with --autoscaled: cool-down, capacity stays this long after the load",
    )  # fmt: skip
    pool.add_argument("--min-replicas", type=count(least=0), default=1, metavar="N", help="floor (default 1)")  # fmt: skip
    pool.add_argument("--max-replicas", type=count(least=1), metavar="N", help="cap (default: none)")  # fmt: skip
    pool.add_argument(
        "--replicas-per-node", type=count(least=1), default=1, metavar="N",
        help="replicas that share a node, bought whole; floor and cap are rounded up to nodes",
    )  # fmt: skip
    pool.add_argument("--format", choices=("text", "json"), default="text", help="(default text)")
