"""`python -m gate break-even` as the process that it is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.gate.cli.break_even_flags import AUTOSCALED, FULLY_USED

ROOT = Path(__file__).parents[3]


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_imports_neither_pulumi_nor_anything_that_is_slow_to_start():
    ended = in_a_process("-X", "importtime", "-m", "gate", "break-even", *AUTOSCALED)

    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.returncode == 0, ended.stderr
    assert "gate.cli.break_even" in imported
    for slow in ("pydantic", "numpy", "pulumi", "polars", "yaml"):
        assert slow not in imported, f"{slow} is imported: import it where it is needed"


def test_a_reader_that_has_seen_enough_ends_it_quietly():
    command = f"{sys.executable} -m gate break-even {' '.join(FULLY_USED)} | true"

    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
