"""Processes of the tests: in groups of their own, logged to files, ended for sure."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

WRAPPER = Path(__file__).with_name("die_with_parent.py")
TAIL_LINES = 20
PORTS = range(10_000, 32_000)
"""Below those that the system gives to outgoing connections, which would take a port again."""


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nothing listens on; held together, so that they differ."""
    with contextlib.ExitStack() as held:
        free = (port for port in random.sample(PORTS, len(PORTS)) if _takes(held, port))
        return list(itertools.islice(free, count))


def _takes(held: contextlib.ExitStack, port: int) -> bool:
    with contextlib.suppress(OSError):
        held.enter_context(socket.create_server(("127.0.0.1", port)))
        return True
    return False


def tied(program: Path, *arguments: str) -> list[str]:
    """Return the command that runs a program for as long as this process lives, at most."""
    return [sys.executable, "-S", str(WRAPPER), str(os.getpid()), str(program), *arguments]


class Servers:
    """Context manager of processes that all end when it is left."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, program: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start one server; its output goes to <name>.log in the directory."""
        inherited = {"HOME": str(self._directory), "PATH": os.environ["PATH"]}
        with self._log(program.name).open("wb") as log:
            self._processes[program.name] = subprocess.Popen(
                tied(program, *arguments),
                cwd=self._directory,
                env=inherited | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, name: str, ready: Callable[[], bool], *, timeout_s: float = 60) -> None:
        """Wait until `ready`; fail with the end of the server's log if it ends or takes longer."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            code = self._processes[name].poll()
            if code is not None or time.monotonic() > deadline:
                found = f"ended with exit code {code}" if code is not None else "is not ready"
                raise AssertionError(f"{name} {found}; the end of its log:\n{self.tail(name)}")
            time.sleep(0.05)

    def ids(self) -> dict[str, int]:
        """Return the process id of each server, by the name of its program."""
        return {name: process.pid for name, process in self._processes.items()}

    def tail(self, name: str) -> str:
        """Return the end of a server's log."""
        lines = self._log(name).read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes.values()):
            kill_group(process)

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"


def program_on(search_path: str, name: str) -> Path:
    """Return the program of that name on a search path."""
    found = shutil.which(name, path=search_path)
    if found is None:
        raise AssertionError(f"{name} is not built. Run `python3 tools/bootstrap.py test`.")
    return Path(found)


def kill_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """Kill a process that leads its own group, and all it started there; nothing is worth saving."""
    # It may be gone already; macOS says so as a lack of permission.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
