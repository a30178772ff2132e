"""What the gateway counts as cut off, on the real Envoy: what ended without its answer, whoever began to give it."""

from collections.abc import Iterator
from contextlib import suppress
from http.client import IncompleteRead

import pytest

from tests.dataplane.gateway.rig import Rig, gateway
from tests.dataplane.gateway.selectors import picks, selectors
from tools import data_plane

pytestmark = pytest.mark.dataplane

OPEN, CLOSED = "key-web-chat", "key-claims"
(ASKED,) = (each for each in selectors() if each[0].endswith("_with_active_rq"))
"""What the alert RequestsCutOff asks for."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with gateway(data_plane.ready(), tmp_path_factory.mktemp("gateway")) as running:
        yield running


def counted(rig: Rig) -> float:
    return sum(sample.value for sample in rig.samples() if picks(ASKED, sample))


@pytest.mark.parametrize(
    ("key", "mode"),
    [(OPEN, "dies"), (CLOSED, "dies"), (CLOSED, "gone")],
    ids=["in-its-answer-hybrid", "in-its-answer-own", "before-its-answer"],
)
def test_a_request_whose_engine_dies_is_counted(rig: Rig, key: str, mode: str):
    rig.own.mode, before = mode, counted(rig)

    with suppress(IncompleteRead):
        assert rig.ask(key=key, stream=True).status == 503

    assert counted(rig) == before + 1


def test_a_whole_answer_and_a_client_that_leaves_are_not(rig: Rig):
    rig.own.mode, before = "ok", counted(rig)
    assert rig.ask(stream=True).status == 200
    rig.own.mode = "endless"

    answer = rig.open(stream=True)
    answer.read(100)
    answer.close()

    assert "DC" in rig.logged(answer.headers["x-request-id"])["flags"]
    assert counted(rig) == before
