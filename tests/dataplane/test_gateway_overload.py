"""Uploads that never end: they cannot take the gateway's memory, and what it serves goes on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.gateway.overload import FULL, memory_gib
from tests.components.gateway.plans import SECRETS, a_plan
from tests.dataplane.gateway.rig import LOOPBACK, Rig, gateway
from tests.dataplane.live import until
from tools import data_plane

pytestmark = pytest.mark.dataplane

FEW = {
    "gateway.keys[0].concurrent_requests": 2,
    "gateway.keys[1].concurrent_requests": 2,
    "gateway.largest_request_mib": 8,
}
MIB = 2**20
UPLOADS = 200
BODY = 7 * MIB
HEAD = (
    f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer "
    f"{SECRETS['key-web-chat']}\r\ncontent-type: application/json\r\ncontent-length: {BODY + 1}\r\n\r\n"
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with gateway(data_plane.ready(), tmp_path_factory.mktemp("full"), changes=FEW) as running:
        yield running


def test_a_key_cannot_take_the_memory_of_the_others(rig: Rig):
    limit = memory_gib(a_plan(FEW)) * 2**30
    assert limit < UPLOADS * BODY, "it would be too much"
    refused = []

    with ExitStack() as open_uploads:
        for _ in range(UPLOADS):
            client = open_uploads.enter_context(socket.create_connection((LOOPBACK, rig.at.edge)))
            if answer := _upload(client):
                refused.append(answer)
            assert _resident_bytes(rig.processes["envoy"]) < limit
        assert refused
        assert all(b" 503 " in answer and b"retry-after: 5" in answer for answer in refused)
        assert _pressure(rig) >= FULL, "the pod itself goes on to answer Prometheus"

    until(lambda: rig.ask().status == 200)


def _upload(client: socket.socket) -> bytes:
    """Send all of a body but its last byte; return what was answered before that was over, if anything."""
    client.settimeout(0.3)
    try:
        client.sendall(HEAD.encode() + BODY * b" ")
        return client.recv(4096)
    except TimeoutError:
        return b""


def _resident_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def _pressure(rig: Rig) -> float:
    (found,) = [s.value for s in rig.samples() if "fixed_heap_pressure" in s.name]
    return found / 100
