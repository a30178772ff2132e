"""What gateway and router add to a stream: the same streams direct, through the router, through both.

    python bench/overhead.py [--rounds 4] [--seconds 15] [--streams 50] [--at-once] [--json]

Real are Envoy with the demo stack's configuration, its rate-limit service, Redis and vllm-router;
the engine is a mock (bench/mock_engine.py), so that its times are known. All are on loopback. Each
round runs every way once, each time another one first, so that a slow spell meets all of them.
`python3 tools/bootstrap.py test` prepares the programs. Linux only: it reads /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.overhead_report import (  # noqa: E402 - a script sees its own folder only
    DIRECT,
    LIMITED,
    Measured,
    Report,
    added,
    text,
    ways,
)
from bench.proc import busy_s, cpu_s, machine, rss_mib  # noqa: E402
from bench.streams import Slot  # noqa: E402
from components.gateway.workloads import WORKERS  # noqa: E402
from components.router import RESILIENCE, request_timeout_s  # noqa: E402
from stacks.reading import read_stack  # noqa: E402
from tests.components.gateway.plans import SECRETS  # noqa: E402
from tests.dataplane.gateway.rig import LOOPBACK, gateway  # noqa: E402
from tests.engine.processes import Servers, free_ports  # noqa: E402
from tools import data_plane  # noqa: E402

ENGINE: Final = "mock engine"
CLIENT: Final = "client"
WARM_UP_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that runs."""

    ways: Mapping[str, tuple[int, str]]
    """Port and key of each way."""
    processes: Mapping[str, int]
    """Process ids by name."""


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
                ways={
                    DIRECT: (engine, SECRETS["engine-key"]),
                    "router": (router, SECRETS["engine-key"]),
                    LIMITED: (rig.at.edge, SECRETS["key-web-chat"]),
                },
                processes={ENGINE: ids.pop(python.name)} | ids | rig.processes,
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


def measure(parts: Parts, way: str, load: list[str]) -> Measured:
    """Run the client once against one way."""
    port, key = parts.ways[way]
    client = [sys.executable, str(ROOT / "bench" / "streams.py"), str(port), key, *load]
    before = _taken_s(parts)
    ran = subprocess.run(client, stdout=subprocess.PIPE, text=True, check=True)
    slot = Slot(**json.loads(ran.stdout))
    taken = {name: after - before[name] for name, after in _taken_s(parts).items()}
    return Measured(way=way, slot=slot, cpu_s={CLIENT: slot.cpu_s} | taken)


def _taken_s(parts: Parts) -> dict[str, float]:
    return {name: cpu_s(process) for name, process in parts.processes.items()}


def run(rounds: int, seconds: float, streams: int, *, at_once: bool) -> Report:
    """Return the report of a whole run."""
    load = ["--streams", str(streams), *(["--at-once"] if at_once else [])]
    load_before = os.getloadavg()[0]
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder, parts(Path(folder)) as running:
        names = list(running.ways)
        for way in names:
            _progress(f"warming up: {way}")
            measure(running, way, [*load, "--seconds", str(WARM_UP_S)])
        busy_before_s, begun = busy_s(), time.monotonic()
        for number in range(rounds):
            first = number % len(names)
            for way in names[first:] + names[:first]:
                _progress(f"round {number + 1} of {rounds}: {way}")
                measured.append(measure(running, way, [*load, "--seconds", str(seconds)]))
        others_s = busy_s() - busy_before_s - sum(sum(each.cpu_s.values()) for each in measured)
        measured.sort(key=lambda each: names.index(each.way))
        return Report(
            machine=machine(),
            asked=f"{streams} streams {'at once' if at_once else 'spread'}, "
            f"{rounds} rounds of {seconds:g} s a way",
            load_before=load_before,
            others_cores=others_s / (time.monotonic() - begun),
            ways=ways(measured),
            added=added(measured),
            rss_mib={name: rss_mib(process) for name, process in running.processes.items()},
        )


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Print the report; a limit that is not met is no failure of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15, help="of a way in a round")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--at-once", action="store_true", help="begin all streams together")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    report = run(asked.rounds, asked.seconds, asked.streams, at_once=asked.at_once)
    print(json.dumps(asdict(report), indent=1) if asked.json else text(report))


if __name__ == "__main__":
    main()
