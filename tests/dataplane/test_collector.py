"""The real collector with the stack's configuration: what leaves it, and what it keeps meanwhile."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from components.observability.alerts import LOST_SPANS, QUEUE_SHARE
from components.observability.collector import LIMIT_MIB, PORTS, collector_config
from tests.dataplane.live import until
from tests.dataplane.serving.stand_ins import Langfuse, stand_ins
from tests.engine.processes import Servers, free_ports
from tests.prometheus_text import total
from tools import data_plane

pytestmark = pytest.mark.dataplane
LOOPBACK = "127.0.0.1"
LISTED = {
    "langfuse.user.id": "web-chat",
    "langfuse.trace.metadata.team": "support",
    "langfuse.trace.metadata.upstream": "hosted",
    "langfuse.observation.type": "generation",
    "langfuse.observation.usage_details": '{"input":1,"output":2}',
    "gen_ai.request.model": "tiny",
    "gen_ai.response.model": "api.example.com/tiny",
    "http.status_code": "200",
}
UNLISTED = {
    "langfuse.observation.input": "a prompt",
    "gen_ai.prompt": "a prompt",
    "http.request.header.authorization": "Bearer a-key",
    "http.url": "http://gateway/v1/completions?key=a-key",
    "user_agent": "somebody",
}
BATCH = 512


class Running(NamedTuple):
    """A collector, and the stand-in for Langfuse behind it."""

    otlp: int
    metrics: int
    """Its ports."""
    langfuse: Langfuse

    def counted(self, metric: str) -> float:
        """Return one of its metrics, summed over its series."""
        return total(f"http://{LOOPBACK}:{self.metrics}/metrics", metric)

    def queue_share(self) -> float:
        """Return what the alert TracesBackUp computes."""
        size, capacity = (
            self.counted(f"otelcol_exporter_queue_{each}") for each in ("size", "capacity")
        )
        return size / capacity


def export(attributes: Mapping[str, str], *, name: str = "ingress") -> bytes:
    """Return an export of one span with an event, both with those attributes."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = name, b"t" * 16, b"s" * 8
    for holder in (span, span.events.add()):
        for key, value in attributes.items():
            entry = holder.attributes.add()
            entry.key, entry.value.string_value = key, value
    return bytes(request.SerializeToString())


@contextmanager
def collector(folder: Path, *, keep_prompts: bool, limit_mib: int = LIMIT_MIB) -> Iterator[Running]:
    """Run the collector in front of a stand-in for Langfuse."""
    ports = dict(zip(PORTS.values(), free_ports(len(PORTS)), strict=True))
    with stand_ins(LOOPBACK) as (_, langfuse), Servers(folder) as servers:
        config = collector_config(langfuse.url, keep_prompts=keep_prompts)
        for asked, free in ports.items():
            config = config.replace(f"0.0.0.0:{asked}", f"{LOOPBACK}:{free}")
            config = config.replace(f"port: {asked}", f"port: {free}")
        config = config.replace("host: 0.0.0.0", f"host: {LOOPBACK}")
        config = config.replace(f"limit_mib: {LIMIT_MIB}\n", f"limit_mib: {limit_mib}\n")
        config = config.replace(f"limit_mib: {LIMIT_MIB // 4}\n", f"limit_mib: {limit_mib // 4}\n")
        (folder / "config.yaml").write_text(config)
        servers.start(
            data_plane.ready().otelcol,
            "--config=config.yaml",
            environment={"AUTHORIZATION": "Basic x", "GOMEMLIMIT": f"{LIMIT_MIB}MiB"},
        )
        servers.wait("otelcol", lambda: answers(ports[PORTS["health"]]))
        yield Running(ports[PORTS["otlp-http"]], ports[PORTS["metrics"]], langfuse)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/", timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def send(port: int, *exports: bytes) -> None:
    for body in exports:
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{port}/v1/traces",
            data=body,
            headers={"content-type": "application/x-protobuf"},
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - our own


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(tmp_path_factory.mktemp("collector"), keep_prompts=False) as running:
        yield running


def test_what_nobody_listed_is_dropped_from_spans_and_their_events(harmless: Running):
    port, _, langfuse = harmless
    send(port, export(LISTED | UNLISTED))

    until(lambda: bool(langfuse.spans), timeout_s=15)
    assert langfuse.attributes() == [LISTED]
    assert [list(event.attributes) for event in langfuse.spans[0].events] == [[]]
    langfuse.spans.clear()


def test_the_gateways_calls_to_its_limiter_are_no_traces(harmless: Running):
    port, _, langfuse = harmless
    send(port, export(LISTED, name="async envoy.service egress"), export(LISTED, name="ingress"))

    until(lambda: bool(langfuse.spans), timeout_s=15)
    assert [span.name for span in langfuse.spans] == ["ingress"]


def test_a_stack_that_records_prompts_keeps_them(tmp_path: Path):
    with collector(tmp_path, keep_prompts=True) as (port, _, langfuse):
        send(port, export(LISTED | UNLISTED))

        until(lambda: bool(langfuse.spans), timeout_s=15)
        assert langfuse.attributes() == [LISTED | UNLISTED]


def test_behind_a_dead_langfuse_the_queue_is_nearly_full_before_a_span_is_lost(tmp_path: Path):
    spans = export(LISTED) * BATCH  # messages in a row are one message
    with collector(tmp_path, keep_prompts=False) as running:
        running.langfuse.mood = "broken"
        share = 0.0
        while not any(running.counted(metric) for metric in LOST_SPANS):
            share = running.queue_share()
            with suppress(urllib.error.HTTPError):  # it is counted
                send(running.otlp, *[spans] * 4)

    assert share > QUEUE_SHARE


def test_what_is_refused_for_want_of_memory_is_counted(tmp_path: Path):
    with collector(tmp_path, keep_prompts=False, limit_mib=16) as running:
        running.langfuse.mood = "broken"
        until(lambda: _is_refused(running, export(LISTED) * BATCH), timeout_s=30)

        assert running.counted("otelcol_receiver_refused_spans") > 0


def _is_refused(running: Running, spans: bytes) -> bool:
    try:
        send(running.otlp, spans)
    except urllib.error.HTTPError as error:
        return error.code == 503
    return False
