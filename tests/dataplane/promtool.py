"""Runs Prometheus' own checker, built beside it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import data_plane
from tools.console import SetupError


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        path = data_plane.ready().promtool
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


def evaluate(
    folder: Path,
    series: Mapping[str, str],
    expected: Mapping[str, Any],
    *,
    interval: str,
    rule_files: Sequence[str] = (),
) -> "subprocess.CompletedProcess[str]":
    """Let Prometheus hold what it makes of series, one sample an interval, against what is expected."""
    test = {
        "interval": interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [dict(expected)],
    }
    suite = {"rule_files": list(rule_files), "evaluation_interval": interval, "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(suite, width=1000))
    return promtool("test", "rules", str(folder / "test.yml"))
