"""Be the parent of one container: give it namespaces and a root of its own, and run its program.

A script of its own, on the standard library, as it changes itself beyond return. Its plan is one
line of JSON on standard input, which stays open for as long as the node lives: when it closes, the
container ends. On the descriptor it is told it writes `pid N`, and `error TEXT` if the program
cannot be started. It ends with the container's exit code, 128 and the signal if that killed it.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

# `-I` leaves out this repository's folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.dataplane.process_node import rootfs

NEW_NETWORK, NEW_MOUNTS, NEW_HOSTNAME = 0x40000000, 0x00020000, 0x04000000
NEW_IPC, NEW_PIDS = 0x08000000, 0x20000000
SET_PARENT_DEATH_SIGNAL, DROP_FROM_BOUNDING_SET, SET_NO_NEW_PRIVILEGES = 1, 24, 38
CAPABILITIES_VERSION = 0x20080522
CAPABILITIES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
DEFAULT_CAPABILITIES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SYS_CHROOT",
    "MKNOD",
    "AUDIT_WRITE",
    "SETFCAP",
]
"""What container runtimes leave to a container that asks for nothing."""
NOT_STARTED = 128

Plan = dict[str, Any]


def main() -> int:
    """Run the plan's program to its end, or to the node's."""
    status = int(sys.argv[1])
    plan: Plan = json.loads(_line(sys.stdin.fileno()))
    network = os.open(plan["network"], os.O_RDONLY)
    rootfs.call("setns", network, NEW_NETWORK)
    os.close(network)
    rootfs.call("unshare", NEW_MOUNTS | NEW_HOSTNAME | NEW_IPC | NEW_PIDS)
    output, written = os.pipe()
    child = os.fork()
    if child == 0:
        _become(plan, status, written)
    os.close(written)
    os.write(status, f"pid {child}\n".encode())
    os.close(status)
    return _wait(child, output)


def _become(plan: Plan, status: int, output: int) -> None:
    os.set_inheritable(status, False)  # noqa: FBT003 - closing tells the node that it started
    try:
        os.setsid()
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python's own choice outlives an exec
        rootfs.build(plan)
        socket.sethostname(plan["hostname"])
        os.chdir(plan["directory"])
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, sys.stdin.fileno())
        # A pipe, as from a container runtime: /dev/stdout can be opened, by the container's user.
        os.fchown(output, plan["user"], -1)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output, stream.fileno())
        _drop_privileges(plan)
        os.execvpe(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606
    except BaseException as error:  # noqa: BLE001 - nothing may return from here
        traceback.print_exc()
        sys.stderr.flush()
        os.write(status, f"error {error}\n".encode())
    os._exit(NOT_STARTED)


def _drop_privileges(plan: Plan) -> None:
    kept = 0
    for bit, name in enumerate(CAPABILITIES):
        if name in _capabilities(plan):
            kept |= 1 << bit
        else:
            with contextlib.suppress(OSError):  # a kernel that does not know it yet
                rootfs.call("prctl", DROP_FROM_BOUNDING_SET, bit, 0, 0, 0)
    os.setgroups(plan["groups"])
    os.setresgid(plan["group"], plan["group"], plan["group"])
    os.setresuid(plan["user"], plan["user"], plan["user"])
    if plan["user"] == 0:
        low, high = kept & 0xFFFFFFFF, kept >> 32
        header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
        rootfs.call("capset", header, (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0))
    if plan["no_new_privileges"]:
        rootfs.call("prctl", SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    rootfs.call("prctl", SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)


def _capabilities(plan: Plan) -> set[str]:
    dropped, added = set(plan["drop"]), set(plan["add"])
    kept = set() if "ALL" in dropped else set(DEFAULT_CAPABILITIES) - dropped
    return kept | (set(CAPABILITIES) if "ALL" in added else added)


def _wait(child: int, output: int) -> int:
    """Copy the container's output to the log until it ends; end it when the node does."""
    ended, lifeline = os.pidfd_open(child), sys.stdin.fileno()
    poll = select.poll()
    awaited = {ended, output}  # a program may close its output and run on
    for descriptor in (*awaited, lifeline):
        poll.register(descriptor, select.POLLIN)
    while awaited:
        for descriptor, _ in poll.poll():
            if descriptor == lifeline:
                os.kill(child, signal.SIGKILL)  # the first of a namespace takes all along
            elif descriptor == output and (piece := os.read(output, 1 << 16)):
                os.write(sys.stdout.fileno(), piece)
                continue
            poll.unregister(descriptor)
            awaited.discard(descriptor)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def _line(descriptor: int) -> bytes:
    read = b""
    while not read.endswith(b"\n"):
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            raise SystemExit(NOT_STARTED)
        read += piece
    return read


if __name__ == "__main__":
    sys.exit(main())
