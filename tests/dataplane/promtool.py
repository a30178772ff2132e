"""Runs Prometheus' own checker, from PATH or out of Debian's package."""

import subprocess

import pytest

from tools import debian


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    path = debian.programs().get("promtool")
    if path is None:
        pytest.fail(
            f"promtool is missing: run the whole test suite's set-up once (`make test`). {debian.REMEDY}"
        )
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
