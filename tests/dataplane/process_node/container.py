"""One run of one container: a process behind `launch`, in namespaces of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import Signals

from tests.engine.processes import kill_group

TIMED_OUT = 124
LAUNCH = Path(__file__).with_name("launch.py")


class NotStartedError(Exception):
    """The program cannot be started: the text is the system's reason."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One volume in a container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that `launch` has to know; every name is one of its keys."""

    command: list[str]
    environment: Mapping[str, str]
    directory: str
    network: str
    """Where the pod's network namespace can be entered."""
    hostname: str
    stage: str
    """An empty folder to build the root file system on."""
    pod_files: str
    """The folder with the pod's hosts file."""
    volumes: list[Mount]
    reached: list[str]
    """Folders that every user may pass, in the container's view of them."""
    read_only: bool
    user: int
    group: int
    groups: list[int]
    drop: list[str] = field(default_factory=list)
    add: list[str] = field(default_factory=list)
    no_new_privileges: bool = False


class ContainerProcess:
    """A started container."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self._plan = plan
        read, write = os.pipe()
        with log.open("ab") as output, os.fdopen(read) as status:
            try:
                # -I and -S: it starts in 20 ms, and nothing of the tests' environment is in it.
                self._launcher = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(LAUNCH), str(write)],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=[write],
                    start_new_session=True,
                )
            finally:
                os.close(write)
            self._send_plan()
            said = {
                word: text for word, _, text in (line.rstrip().partition(" ") for line in status)
            }
        self.pid = int(said.get("pid", 0))
        """The program's process number on this machine."""
        if "error" in said or not self.pid:
            self.end()
            raise NotStartedError(said.get("error", "the launcher failed; see the container's log"))

    def exit_code(self) -> int | None:
        """Return the exit code, 128 and the signal if one killed it, or None while it runs."""
        code = self._launcher.poll()
        if code is not None and self._launcher.stdin:
            self._launcher.stdin.close()
        return code

    def signal(self, number: Signals) -> None:
        """Send a signal to the container's first process."""
        # The launcher has not been waited for: until then the number is not given to another.
        if self.exit_code() is None:
            os.kill(self.pid, number)

    def pause(self) -> None:
        """Stop all its processes where they are: it answers nothing, and is not gone."""
        self._signal_all(Signals.SIGSTOP)

    def resume(self) -> None:
        """Let all its processes go on."""
        self._signal_all(Signals.SIGCONT)

    def wait(self, timeout_s: float) -> bool:
        """Return whether it ended within the time."""
        try:
            self._launcher.wait(max(timeout_s, 0))
        except subprocess.TimeoutExpired:
            return False
        return self.exit_code() is not None

    def end(self) -> None:
        """Kill it with all that it started, and wait."""
        if self._launcher.stdin:
            self._launcher.stdin.close()
        self._launcher.wait()

    def run_inside(self, command: Sequence[str], *, timeout_s: float) -> tuple[int, str]:
        """Run a command in the container, as `kubectl exec` does; return its code and output."""
        target = ["nsenter", f"--target={self.pid}", "--all", "--root"]
        user = [f"--setuid={self._plan.user}", f"--setgid={self._plan.group}"]
        chdir = ["sh", "-c", 'cd "$0" && exec "$@"', self._plan.directory]
        with subprocess.Popen(
            [*target, *user, *chdir, *command],
            env=dict(self._plan.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                kill_group(process)
                return TIMED_OUT, f"took longer than {timeout_s} s"
        return process.returncode, output.decode(errors="replace")

    def _send_plan(self) -> None:
        assert self._launcher.stdin is not None
        try:
            self._launcher.stdin.write(json.dumps(asdict(self._plan)).encode() + b"\n")
            self._launcher.stdin.flush()
        except BrokenPipeError:
            self._launcher.wait()

    def _signal_all(self, number: Signals) -> None:
        own = _namespace(self.pid)
        for process in Path("/proc").glob("[0-9]*"):
            if own and _namespace(int(process.name)) == own:
                os.kill(int(process.name), number)


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None
