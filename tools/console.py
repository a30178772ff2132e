"""Say what is going on: progress lines that need neither a terminal nor colour, and errors."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# A silent minute reads as a hang, in a terminal as in a CI log.
HEARTBEAT_S = 15
TAIL_LINES = 15


class SetupError(Exception):
    """Something the machine lacks; the text says what was found and what to do about it."""


def say(text: str) -> None:
    """Print one progress line; standard output stays free for what a caller asked to have printed."""
    print(text, file=sys.stderr, flush=True)


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    remedy: str,
) -> None:
    """Run a long command quietly, with a heartbeat; show the end of its output if it fails."""
    started = time.monotonic()
    say(what)
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        with subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process:
            code = _wait(process, what, started)
        if code:
            log.seek(0)
            tail = "".join(log.readlines()[-TAIL_LINES:]).rstrip()
            msg = f"{what}: failed with exit code {code}\n{tail}\n{remedy}"
            raise SetupError(msg)
    say(f"  done in {time.monotonic() - started:.0f} s")


def _wait(process: "subprocess.Popen[bytes]", what: str, started: float) -> int:
    try:
        while True:
            try:
                return process.wait(HEARTBEAT_S)
            except subprocess.TimeoutExpired:
                say(f"  {what} ... {time.monotonic() - started:.0f} s")
    except BaseException:  # Ctrl-C too: the command would go on
        process.kill()
        raise
