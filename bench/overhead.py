"""What gateway and router add to a stream: the same streams direct, through the router, through both.

    python bench/overhead.py [--rounds 4] [--seconds 15] [--streams 50] [--at-once] [--json]

Real are Envoy with the demo stack's configuration, its rate-limit service, Redis and vllm-router;
the engine is a mock (bench/mock_engine.py), so that its times are known. All are on loopback. Each
round runs every way once, each time another one first, so that a slow spell meets all of them.
`python3 tools/bootstrap.py test` prepares the programs. Linux only: it reads /proc.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.overhead_report import Measured, Report, report, text  # noqa: E402 - a script sees its own folder only
from bench.proc import busy_s, cpu_s, load, machine, rss_mib  # noqa: E402
from bench.streams import Slot  # noqa: E402
from components.gateway.workloads import WORKERS  # noqa: E402
from components.router import RESILIENCE, request_timeout_s  # noqa: E402
from stacks.reading import read_stack  # noqa: E402
from tests.components.gateway.plans import SECRETS  # noqa: E402
from tests.dataplane.gateway.rig import LOOPBACK, gateway  # noqa: E402
from tests.engine.processes import Servers, free_ports  # noqa: E402
from tools import data_plane  # noqa: E402

ENGINE, ROUTER = "mock engine", "vllm-router"
WARM_UP_S: Final = 2.0


class Parts:
    """Everything that runs: a port and a key for each way, and the processes by name."""

    def __init__(self, ports: dict[str, tuple[int, str]], processes: dict[str, int]) -> None:
        self.ports = ports
        self.processes = processes


@contextmanager
def parts(folder: Path) -> Iterator[Parts]:
    """Run engine, router and gateway until the context is left."""
    programs = data_plane.ready()
    engine, router, metrics = free_ports(3)
    with Servers(folder) as servers:
        python = Path(sys.executable)
        servers.start(python, str(ROOT / "bench" / "mock_engine.py"), str(engine))
        servers.wait(python.name, lambda: _well(engine, "/health"))
        servers.start(programs.vllm_router, *_router_arguments(engine, router, metrics))
        servers.wait(programs.vllm_router.name, lambda: _well(router, "/readiness"))
        (folder / "gateway").mkdir()
        with gateway(programs, folder / "gateway", router=router, workers=WORKERS) as rig:
            ids = servers.ids()
            yield Parts(
                {
                    "direct": (engine, SECRETS["engine-key"]),
                    "router": (router, SECRETS["engine-key"]),
                    "gateway + router": (rig.at.edge, SECRETS["key-web-chat"]),
                },
                {ENGINE: ids[python.name], ROUTER: ids[programs.vllm_router.name]} | rig.processes,
            )


def _router_arguments(engine: int, router: int, metrics: int) -> list[str]:
    """Return the arguments of components/router.py, without Kubernetes.

    power_of_two refuses a single worker that is named, so the policy is another one.
    """
    model = read_stack(ROOT / "stacks" / "Pulumi.demo.yaml").models[0]
    return [
        *("--host", LOOPBACK, "--port", str(router)),
        *("--prometheus-host", LOOPBACK, "--prometheus-port", str(metrics)),
        *("--policy", "round_robin", "--worker-urls", f"http://{LOOPBACK}:{engine}"),
        *("--request-timeout-secs", str(request_timeout_s(model))),
        *RESILIENCE,
        *("--api-key", SECRETS["engine-key"]),
    ]


def _well(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
