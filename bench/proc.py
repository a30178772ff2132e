"""What Linux says of processes and of the machine: CPU time, memory, load."""

import os
import re
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu_s(process: int) -> float:
    """Return the CPU time of a process so far, user and system, all threads; to 10 ms."""
    fields = (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_mib(process: int) -> float:
    """Return the resident memory of a process."""
    status = (PROC / str(process) / "status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def busy_s() -> float:
    """Return the CPU time of everything on the machine so far, and what its host took away."""
    user, nice, system, _, _, irq, soft_irq, steal = map(
        int, (PROC / "stat").read_text().split(maxsplit=9)[1:9]
    )
    return (user + nice + system + irq + soft_irq + steal) / TICKS_PER_S


def machine() -> str:
    """Return cores and CPU model: `2 cores, AMD EPYC`."""
    found = re.search(r"model name\s*: (.*)", (PROC / "cpuinfo").read_text())
    return f"{os.cpu_count()} cores, {found[1] if found else 'CPU unknown'}"
