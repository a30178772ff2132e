"""The real collector with the stack's configuration: what nobody listed does not leave it."""

import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from components.observability.collector import PORTS, collector_config
from tests.dataplane.live import until
from tests.dataplane.serving.stand_ins import Langfuse, stand_ins
from tests.engine.processes import Servers, free_ports
from tools import data_plane

pytestmark = pytest.mark.dataplane
LOOPBACK = "127.0.0.1"
LISTED = {
    "langfuse.user.id": "web-chat",
    "langfuse.trace.metadata.team": "support",
    "langfuse.observation.type": "generation",
    "langfuse.observation.usage_details": '{"input":1,"output":2}',
    "gen_ai.request.model": "tiny",
    "http.status_code": "200",
}
UNLISTED = {
    "langfuse.observation.input": "a prompt",
    "gen_ai.prompt": "a prompt",
    "http.request.header.authorization": "Bearer a-key",
    "http.url": "http://gateway/v1/completions?key=a-key",
    "user_agent": "somebody",
}


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
def collector(folder: Path, *, keep_prompts: bool) -> Iterator[tuple[int, Langfuse]]:
    """Run the collector in front of a stand-in for Langfuse; yield its OTLP port and the stand-in."""
    ports = dict(zip(PORTS.values(), free_ports(len(PORTS)), strict=True))
    with stand_ins(LOOPBACK) as (_, langfuse), Servers(folder) as servers:
        config = collector_config(langfuse.url, keep_prompts=keep_prompts)
        for asked, free in ports.items():
            config = config.replace(f"0.0.0.0:{asked}", f"{LOOPBACK}:{free}")
            config = config.replace(f"port: {asked}", f"port: {free}")
        (folder / "config.yaml").write_text(config)
        servers.start(
            data_plane.ready().otelcol,
            "--config=config.yaml",
            environment={"AUTHORIZATION": "Basic x"},
        )
        servers.wait("otelcol", lambda: answers(ports[PORTS["health"]]))
        yield ports[PORTS["otlp-http"]], langfuse


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
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Langfuse]]:
    with collector(tmp_path_factory.mktemp("collector"), keep_prompts=False) as running:
        yield running


def test_what_nobody_listed_is_dropped_from_spans_and_their_events(
    harmless: tuple[int, Langfuse],
):
    port, langfuse = harmless
    send(port, export(LISTED | UNLISTED))

    until(lambda: bool(langfuse.spans), timeout_s=15)
    assert langfuse.attributes() == [LISTED]
    assert [list(event.attributes) for event in langfuse.spans[0].events] == [[]]
    langfuse.spans.clear()


def test_the_gateways_calls_to_its_limiter_are_no_traces(harmless: tuple[int, Langfuse]):
    port, langfuse = harmless
    send(port, export(LISTED, name="async envoy.service egress"), export(LISTED, name="ingress"))

    until(lambda: bool(langfuse.spans), timeout_s=15)
    assert [span.name for span in langfuse.spans] == ["ingress"]


def test_a_stack_that_records_prompts_keeps_them(tmp_path: Path):
    with collector(tmp_path, keep_prompts=True) as (port, langfuse):
        send(port, export(LISTED | UNLISTED))

        until(lambda: bool(langfuse.spans), timeout_s=15)
        assert langfuse.attributes() == [LISTED | UNLISTED]
