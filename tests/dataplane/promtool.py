"""Runs Prometheus' own checker, built beside it."""

import subprocess

import pytest

from tools import data_plane
from tools.console import SetupError


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        path = data_plane.ready().promtool
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
