"""The gateway as it is generated, run on loopback: Envoy, its rate-limit service, Redis, two upstreams."""

import http.client
import json
import socket
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from components.gateway.envoy import envoy_text
from components.gateway.limits import FILE, limits_text
from components.gateway.plan import Addresses, GatewayPlan
from tests.components.gateway.plans import SECRETS, a_plan
from tests.dataplane.gateway.upstream import Upstream, upstream
from tests.engine.processes import Servers, free_ports
from tests.prometheus_text import Sample, samples
from tools.data_plane import DataPlane

LOOPBACK = "127.0.0.1"
MODEL = "support-chat"
FIRST_BYTE_S = 1


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A running gateway of the demo stack."""

    at: Addresses
    limits_metrics: int
    redis: int
    own: Upstream
    hosted: Upstream
    log: Path
    processes: dict[str, int]
    """Process ids, by the name of the program."""

    def open(
        self, path: str = "chat/completions", key: str = "key-web-chat", **body: Any
    ) -> http.client.HTTPResponse:
        """Return the answer to a POST to /v1/<path> as soon as it begins."""
        connection = http.client.HTTPConnection(LOOPBACK, self.at.edge, timeout=30)
        headers = {
            "authorization": f"Bearer {SECRETS[key]}",
            "content-type": "application/json",
            "connection": "close",
        }
        text = json.dumps({"model": MODEL} | body)
        connection.request("POST", f"/v1/{path}", body=text, headers=headers)
        return connection.getresponse()

    def ask(self, path: str = "chat/completions", **body: Any) -> Answer:
        """Return the complete answer; a broken one raises IncompleteRead."""
        response = self.open(path, **body)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, text=response.read().decode())

    def samples(self) -> list[Sample]:
        """Return what Prometheus would read at the gateway and at its limiter."""
        places = (f"{self.at.metrics}/stats/prometheus", f"{self.limits_metrics}/metrics")
        return [each for place in places for each in samples(f"http://{LOOPBACK}:{place}")]

    def charged(self, what: str) -> int:
        """Return what Redis has counted since the start, e.g. for spend_support-chat."""
        names = self._redis(f"KEYS breakeven_{what}_*")
        return sum(int(self._redis(f"GET {name}")[0]) for name in names)

    def lose_counters(self) -> None:
        """End Redis: the limiter can count no more."""
        self._redis("SHUTDOWN NOSAVE")

    def _redis(self, command: str) -> list[str]:
        with socket.create_connection((LOOPBACK, self.redis), timeout=5) as connection:
            connection.sendall(f"{command}\r\nQUIT\r\n".encode())
            lines = connection.makefile().read().splitlines()
        return [line for line in lines[:-1] if line[0] not in "*$"]

    def logged(self, response_id: str) -> dict[str, Any]:
        """Return the line of the request log of an x-request-id."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for line in self.log.read_text().splitlines():
                with suppress(ValueError):
                    entry = json.loads(line)
                    if entry["request_id"] == response_id:
                        return dict(entry)
            time.sleep(0.1)
        raise AssertionError(f"{response_id} is not logged")


class _Ports(NamedTuple):
    """Of all programs on loopback; taken together, so that they differ."""

    redis: int
    limits: int
    limits_health: int
    limits_metrics: int
    limits_debug: int
    edge: int
    metrics: int
    lifecycle: int
    admin: int
    inner: int
    pause: int


@contextmanager
def gateway(
    programs: DataPlane,
    folder: Path,
    daily_cap_usd: float = 200,
    *,
    router: int | None = None,
    workers: int = 1,
    collector: int | None = None,
    changes: Mapping[str, Any] | None = None,
    hold_s: int = 0,
    secrets: Mapping[str, str] = SECRETS,
) -> Iterator[Rig]:
    """Run the demo stack's gateway; it waits a second for a first byte.

    `router` is the loopback port of what stands in for the model's router; left out, it is `own`.
    `collector` is that of a receiver of spans; left out, none are sent. `changes` are to the stack.
    `hold_s` is how long requests are held that may not fall back.
    """
    ports = _Ports(*free_ports(len(_Ports._fields)))
    with upstream() as own, upstream() as hosted, Servers(folder) as servers:
        at = _addresses(ports, router=router or own.port, collector=collector or 0)
        plan = _plan(at, hosted, daily_cap_usd, hold_s, changes or {})
        plan = replace(plan, traces=collector is not None)
        _start_redis(servers, programs.redis_server, ports.redis)
        (folder / "ratelimit" / "config").mkdir(parents=True)
        (folder / "ratelimit" / "config" / FILE).write_text(limits_text(plan))
        _start_limits(servers, programs.ratelimit, folder, ports)
        (folder / "envoy.json").write_text(envoy_text(plan, secrets))
        _start_envoy(servers, programs.envoy, workers, ports.lifecycle)
        yield Rig(
            at=at,
            limits_metrics=ports.limits_metrics,
            redis=ports.redis,
            own=own,
            hosted=hosted,
            log=folder / "envoy.log",
            processes=servers.ids(),
        )


def _addresses(ports: _Ports, *, router: int, collector: int) -> Addresses:
    return Addresses(
        listen=LOOPBACK,
        edge=ports.edge,
        metrics=ports.metrics,
        lifecycle=ports.lifecycle,
        admin=ports.admin,
        inner=ports.inner,
        pause=ports.pause,
        routers={MODEL: (LOOPBACK, router)},
        limits=(LOOPBACK, ports.limits),
        collector=(LOOPBACK, collector),
    )


def _plan(
    at: Addresses, hosted: Upstream, daily_cap_usd: float, hold_s: int, more: Mapping[str, Any]
) -> GatewayPlan:
    url = f"http://{LOOPBACK}:{hosted.port}/inference/v1"
    fallback = "models[0].serving.fallback"
    changes = {f"{fallback}.base_url": url, f"{fallback}.daily_cap_usd": daily_cap_usd}
    plan = a_plan(changes | {"gateway.replicas": 1} | dict(more))
    (model,) = plan.models
    model = replace(model, first_byte_s=FIRST_BYTE_S, hold_s=hold_s)
    return replace(plan, at=at, models=(model,))


def _start_redis(servers: Servers, program: Path, port: int) -> None:
    servers.start(program, "--port", str(port), "--bind", LOOPBACK, "--save", "")
    servers.wait("redis-server", lambda: _listens(port))


def _start_limits(servers: Servers, program: Path, folder: Path, ports: _Ports) -> None:
    settings = {
        "REDIS_URL": f"{LOOPBACK}:{ports.redis}",
        "GRPC_PORT": str(ports.limits),
        "PORT": str(ports.limits_health),
        "PROMETHEUS_ADDR": f"{LOOPBACK}:{ports.limits_metrics}",
        "DEBUG_PORT": str(ports.limits_debug),
        "RUNTIME_ROOT": str(folder),
        "RUNTIME_SUBDIRECTORY": "ratelimit",
        "RUNTIME_WATCH_ROOT": "false",
        "REDIS_SOCKET_TYPE": "tcp",
        "USE_STATSD": "false",
        "USE_PROMETHEUS": "true",
        "HOST": LOOPBACK,
        "GRPC_HOST": LOOPBACK,
        "DEBUG_HOST": LOOPBACK,
    }
    servers.start(program, environment=settings)
    servers.wait("ratelimit", lambda: _answers(ports.limits_health, "/healthcheck"))


def _start_envoy(servers: Servers, program: Path, workers: int, lifecycle: int) -> None:
    flags = ("--config-path", "envoy.json", "--concurrency", str(workers), "--log-level", "warning")
    servers.start(program, *flags, "--disable-hot-restart")
    servers.wait("envoy", lambda: _answers(lifecycle, "/ready"))


def _read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def _answers(port: int, path: str) -> bool:
    with suppress(OSError):
        return bool(_read(port, path)) or True
    return False
