"""How long `python -m gate check` takes as a cold process, beside what pydantic alone takes.

    python bench/cold_start.py [--rounds 15]

Each round runs every command once, in turn, so that a slow spell of the machine meets all of them.
CPU time (user and system) of the whole process is compared: it does not wait for other work.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = "python -c 'from pydantic import BaseModel'"
ONE_MODEL = "from pydantic import BaseModel\nclass Model(BaseModel):\n    x: int = 1"
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
"""Byte code is kept between runs, as it is for a user; without it every start compiles the sources."""
CHECK = ["-m", "gate", "check", "stacks/Pulumi.demo.yaml", "--as-of", "2026-11-21"]
COMMANDS = {
    LIMIT: ["-c", "from pydantic import BaseModel"],
    "the same, and one model of one field": ["-c", ONE_MODEL],
    "the same, and yaml": ["-c", f"{ONE_MODEL}\nimport yaml"],
    "python -m gate break-even": [
        *("-m", "gate", "break-even", "--replica-hourly-usd", "6.88"),
        *("--tokens-per-second", "27159", "--hosted-usd-per-mtok", "0.2", "--utilization", "0.5"),
    ],
    "python -m gate check": CHECK,
}


def cpu_seconds(arguments: list[str]) -> float:
    """Return the CPU time of one fresh interpreter."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{arguments} failed: {process.stderr.read().decode() if process.stderr else ''}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the median of each command and its ratio to the first, round by round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    taken = [{name: cpu_seconds(run) for name, run in COMMANDS.items()} for _ in range(rounds + 1)]
    for name in COMMANDS:
        # The first round warms the file cache and is not counted.
        median = statistics.median(each[name] for each in taken[1:])
        ratio = statistics.median(each[name] / each[LIMIT] for each in taken[1:])
        print(f"{name:<48}{median * 1000:7.0f} ms CPU   {ratio:5.2f} x")
    print(f"{rounds} rounds; limit for `gate check`: 2 x the first line")


if __name__ == "__main__":
    main()
