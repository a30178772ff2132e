"""A bridge of this run, and a network namespace on it for each pod."""

import contextlib
import fcntl
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

LOCKS = Path("/run/lock/breakeven-process-node")
"""A lock for each bridge: it is free when the run that made the bridge is dead."""
NAMESPACES = Path("/run/netns")
NETWORKS = range(1, 200)
HOST, FIRST, LAST = 1, 10, 250
ADMINISTRATOR = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}


def why_not() -> str | None:
    """Return why no pods can run on this machine, or None if they can."""
    if sys.platform != "linux":
        return f"pods need Linux's namespaces; this is {sys.platform}"
    if os.geteuid() != 0:
        return "pods need root: it makes their network and mount namespaces"
    missing = [name for name in ("ip", "nsenter") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (packages iproute2 and util-linux)"
    status = Path("/proc/self/status").read_text()
    held = int(
        next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16
    )
    lacking = [name for name, bit in ADMINISTRATOR.items() if not held >> bit & 1]
    if lacking:
        return f"root lacks {' and '.join(lacking)} here, as in a container that is not privileged"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlayfs, which gives containers a root of their own"
    return None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One pod's place in the network."""

    address: str
    """Its IP address."""
    namespace: str
    """The name of its network namespace."""

    @property
    def path(self) -> Path:
        """Where a process can enter the namespace."""
        return NAMESPACES / self.namespace


class PodNetwork:
    """A /24 on a bridge: the machine is .1, pods are .10 and up."""

    def __init__(self, number: int) -> None:
        self.bridge = f"bkpn{number}"
        self.subnet = _subnet(number)
        self.host_address = str(self.subnet[HOST])
        self._free = [str(self.subnet[host]) for host in range(LAST, FIRST - 1, -1)]
        self._lock = threading.Lock()

    def attach(self) -> Attachment:
        """Make a namespace with an address of its own."""
        with self._lock:
            if not self._free:
                raise OSError(f"no address is left on {self.bridge}")
            address = self._free.pop()
        host = address.rpartition(".")[2]
        made = Attachment(address=address, namespace=f"{self.bridge}-{host}")
        link = f"{self.bridge}v{host}"
        _ip(
            f"netns add {made.namespace}",
            f"link add {link} type veth peer name eth0 netns {made.namespace}",
            f"link set {link} master {self.bridge} up",
        )
        _ip(
            f"addr add {address}/{self.subnet.prefixlen} dev eth0",
            "link set lo up",
            "link set eth0 up",
            f"route add default via {self.host_address}",
            namespace=made.namespace,
        )
        return made

    def detach(self, attachment: Attachment) -> None:
        """Remove a namespace; its link goes with it, its address is used again last."""
        _remove_namespace(attachment.namespace)
        with self._lock:
            self._free.insert(0, attachment.address)


@contextmanager
def pod_network() -> Iterator[PodNetwork]:
    """Make a bridge that no other run uses; clean up after runs that died."""
    if reason := why_not():
        raise AssertionError(reason)
    LOCKS.mkdir(parents=True, exist_ok=True)
    clean_leftovers()
    number, lock = _own_number()
    network = PodNetwork(number)
    with lock:
        try:
            _ip(
                f"link add {network.bridge} type bridge",
                f"addr add {network.host_address}/{network.subnet.prefixlen} dev {network.bridge}",
                f"link set {network.bridge} up",
            )
            yield network
        finally:
            _remove_network(network.bridge)


def clean_leftovers() -> None:
    """Remove the bridges, namespaces and processes of runs that are dead."""
    for path in LOCKS.glob("*.lock"):
        with path.open("a") as lock:
            if _locked(lock):
                _remove_network(f"bkpn{path.stem}")


def leftovers(bridge: str) -> list[str]:
    """Return what is on this machine of one network: links and namespaces."""
    namespaces = [path.name for path in NAMESPACES.glob(f"{bridge}-*")]
    shown = subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True)
    links = [str(link["ifname"]) for link in json.loads(shown.stdout)]
    return namespaces + [name for name in links if name == bridge or name.startswith(f"{bridge}v")]


def _own_number() -> tuple[int, TextIO]:
    shown = subprocess.run(["ip", "-json", "route"], check=True, capture_output=True, text=True)
    routes = [route["dst"] for route in json.loads(shown.stdout) if route["dst"] != "default"]
    taken = [ipaddress.ip_network(route) for route in routes]
    for number in NETWORKS:
        if any(_subnet(number).overlaps(network) for network in taken):
            continue
        lock = (LOCKS / f"{number}.lock").open("a")
        if _locked(lock):
            return number, lock
        lock.close()
    raise AssertionError("every network of process nodes on this machine is in use")


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _subnet(number: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"10.244.{number}.0/24")


def _remove_network(bridge: str) -> None:
    for path in NAMESPACES.glob(f"{bridge}-*"):
        _remove_namespace(path.name)
    subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)


def _remove_namespace(name: str) -> None:
    inside = subprocess.run(
        ["ip", "netns", "pids", name], check=False, capture_output=True, text=True
    )
    for pid in inside.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _ip(*commands: str, namespace: str | None = None) -> None:
    inside = ["-netns", namespace] if namespace else []
    done = subprocess.run(
        ["ip", *inside, "-batch", "-"],
        input="\n".join(commands),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise OSError(f"ip: {done.stderr.strip()}")
