"""The file system that a container sees: this machine's, with a layer of the container's own.

Called in a new mount namespace, by `launch`. Lower layer is the machine's root, upper a tmpfs that
ends with the container, as a container's own layer does. Volumes are bound into it.
"""

import contextlib
import ctypes
import os
import platform
from pathlib import Path
from typing import Any

READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC = 0x1, 0x2, 0x4, 0x8
REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
DETACH = 2
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
KERNELS = ("/proc", "/sys", "/dev", "/run")
DISK_TYPES = ("ext", "xfs", "btrfs", "zfs", "nfs", "9p", "virtiofs", "f2fs", "tmpfs")
SHARED_MEMORY = "size=64m,mode=1777"  # the container runtimes' default
ANYBODY_PASSES = 0o055
OLD = "/.machine"
POD = "/.pod"
LIBC = ctypes.CDLL(None, use_errno=True)
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def build(plan: dict[str, Any]) -> None:
    """Make the plan's file system and move into it."""
    _mount("none", "/", flags=RECURSIVE | PRIVATE)
    disks = ["/", *_other_disks()]
    os.chdir(plan["stage"])
    _mount("tmpfs", ".", "tmpfs", options="mode=755")
    os.chdir(plan["stage"])  # the folder that was there is now below
    for number, disk in enumerate(disks):
        _layer(number, disk)
    os.chdir("root")
    Path(OLD[1:]).mkdir()
    call("syscall", PIVOT_ROOT[platform.machine()], b".", OLD[1:].encode())
    os.chdir("/")
    _kernel_files()
    _names(plan)
    # Before volumes, below which they may come to lie.
    for folder in plan["reached"]:
        Path(folder).chmod(Path(folder).stat().st_mode | ANYBODY_PASSES)
    for volume in plan["volumes"]:
        _bind(volume["source"], volume["target"], read_only=volume["read_only"])
    Path(plan["directory"]).mkdir(parents=True, exist_ok=True)
    call("umount2", OLD.encode(), DETACH)
    Path(OLD).rmdir()
    if plan["read_only"]:
        for disk in disks:
            _mount("none", disk, flags=REMOUNT | BIND | READ_ONLY)


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library; raise OSError if it fails."""
    if getattr(LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _layer(number: int, disk: str) -> None:
    upper, work = f"upper{number}", f"work{number}"
    for name in (upper, work):
        Path(name).mkdir()
    Path("root").mkdir(exist_ok=True)
    options = f"lowerdir={disk},upperdir={upper},workdir={work}"
    _mount("overlay", f"root{disk}", "overlay", options=options)


def _kernel_files() -> None:
    _mount("proc", "/proc", "proc", flags=NO_SUID | NO_DEVICES | NO_EXEC)
    _mount("sysfs", "/sys", "sysfs", flags=NO_SUID | NO_DEVICES | NO_EXEC | READ_ONLY)
    _mount("tmpfs", "/dev", "tmpfs", flags=NO_SUID, options="mode=755")
    for name in DEVICES:
        Path("/dev", name).touch()
        _mount(f"{OLD}/dev/{name}", f"/dev/{name}", flags=BIND)
    for name, stream in STREAMS.items():
        Path("/dev", name).symlink_to(f"/proc/self/fd{stream}")
    Path("/dev/shm").mkdir()  # noqa: S108 - the container's own
    _mount("tmpfs", "/dev/shm", "tmpfs", flags=NO_SUID | NO_DEVICES, options=SHARED_MEMORY)  # noqa: S108


def _names(plan: dict[str, Any]) -> None:
    """Lead names to the pod's hosts file, in a folder, where it can be replaced in one step."""
    _bind(plan["pod_files"], POD, read_only=True)
    own = {
        "resolv.conf": "",
        "host.conf": "multi on\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "hostname": f"{plan['hostname']}\n",
    }
    for name in (*own, "hosts"):
        with contextlib.suppress(FileNotFoundError):
            Path("/etc", name).unlink()
    for name, text in own.items():
        Path("/etc", name).write_text(text)
    Path("/etc/hosts").symlink_to(f"{POD}/hosts")


def _other_disks() -> list[str]:
    """Return where other disks are mounted: over the root's alone, their files would be missing."""
    found = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        target = fields.split()[4]
        plain = not set(target) & set(":,\\")  # what overlayfs would take for syntax
        kernels = target == "/" or target.startswith(KERNELS)
        if kind.startswith(DISK_TYPES) and plain and not kernels and Path(target).is_dir():
            found.add(target)
    return sorted(found)  # the outer before the inner


def _bind(source: str, target: str, *, read_only: bool) -> None:
    at = f"{OLD}{source}"
    if Path(at).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    _mount(at, target, flags=BIND | RECURSIVE)
    if read_only:
        _mount("none", target, flags=REMOUNT | BIND | READ_ONLY)


def _mount(
    source: str, target: str, kind: str = "none", *, flags: int = 0, options: str = ""
) -> None:
    arguments = (source.encode(), target.encode(), kind.encode())
    try:
        call("mount", *arguments, ctypes.c_ulong(flags), options.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {kind} {source} on {target}") from None
