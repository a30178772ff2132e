"""What a load balancer asks the gateway, on the real Envoy."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.dataplane.gateway.rig import LOOPBACK, Rig, gateway
from tests.dataplane.live import until
from tests.dataplane.serving.stand_ins import Langfuse, stand_ins
from tools import data_plane

pytestmark = pytest.mark.dataplane
SPANS_S = 15


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[tuple[Rig, Langfuse]]:
    with stand_ins(LOOPBACK) as (_, langfuse):
        port = urlsplit(langfuse.url).port
        with gateway(data_plane.ready(), tmp_path, collector=port) as rig:
            yield rig, langfuse


def get(port: int, path: str) -> tuple[int, str | None]:
    """Return the status of the answer, and what it says of the connection."""
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=60)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status, answer.getheader("connection")


def drain(port: int) -> None:
    with suppress(OSError):  # its answer is never awaited
        get(port, "/drain")


def test_a_health_check_is_neither_logged_nor_traced(traced: tuple[Rig, Langfuse]):
    rig, langfuse = traced
    checks = [get(rig.at.edge, "/ready")[0] for _ in range(5)]
    rig.logged(rig.ask().headers["x-request-id"])

    until(lambda: bool(langfuse.spans), timeout_s=SPANS_S)
    assert checks == [200] * 5
    assert "/ready" not in rig.log.read_text()
    assert [
        each for each in langfuse.attributes() if each.get("http.url", "").endswith("/ready")
    ] == []


def test_from_the_drain_on_it_is_not_ready_and_keeps_no_connection(traced: tuple[Rig, Langfuse]):
    rig, _ = traced
    before = get(rig.at.edge, "/v1/models")
    threading.Thread(target=drain, args=(rig.at.lifecycle,), daemon=True).start()
    until(lambda: get(rig.at.edge, "/ready")[0] == 503, timeout_s=SPANS_S)

    # A balancer's connection leads to one pod for good: only its end brings the next request elsewhere.
    assert (before, get(rig.at.edge, "/v1/models")) == ((401, None), (401, "close"))
