"""What the real gateway writes into spans of a stack that records prompts, and of one that does not."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from components.gateway.recording import LONGEST_BYTES
from tests.dataplane.gateway.rig import LOOPBACK, Rig, gateway
from tests.dataplane.live import until
from tests.dataplane.serving.stand_ins import Langfuse, stand_ins
from tools import data_plane

RECORDS = {
    "observability.prompts": {"until": "2027-06-30", "readers": ["platform"], "reason": "a study"}
}
SPANS_S = 15
ASKED = [{"role": "user", "content": 'What is "a\\b"?\nü'}]
WORDS = ["It ", 'is "q', 'uoted", ', "a\\b", "\n", "ü and 語."]
Recording = tuple[Rig, Langfuse]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("recording")
    with stand_ins(LOOPBACK) as (_, langfuse):
        port = urlsplit(langfuse.url).port
        with gateway(data_plane.ready(), folder, collector=port, changes=RECORDS) as rig:
            rig.own.words = WORDS
            yield rig, langfuse


def span_of(langfuse: Langfuse) -> dict[str, str]:
    """Return the attributes of the one request that is traced by now."""

    def found() -> list[dict[str, str]]:
        return [each for each in langfuse.attributes() if "langfuse.user.id" in each]

    until(lambda: bool(found()), timeout_s=SPANS_S)
    (span,) = found()
    langfuse.spans.clear()
    return span


@pytest.mark.parametrize("stream", [True, False])
def test_request_and_answer_are_recorded_word_for_word(recording: Recording, stream: bool):
    rig, langfuse = recording

    answer = rig.ask(messages=ASKED, stream=stream)

    assert answer.status == 200
    span = span_of(langfuse)
    assert json.loads(span["langfuse.observation.input"])["messages"] == ASKED
    assert json.loads(span["langfuse.observation.output"]) == "".join(WORDS)


def test_a_stream_is_not_kept_back_for_it(recording: Recording):
    rig, langfuse = recording
    rig.own.mode = "endless"

    with rig.open(messages=ASKED, stream=True) as response:
        assert response.readline().startswith(b"data: ")
    rig.own.mode = "ok"

    assert "langfuse.observation.input" in span_of(langfuse)


def test_what_is_long_is_cut_off_at_a_whole_character(recording: Recording):
    rig, langfuse = recording

    rig.ask(messages=[{"role": "user", "content": "語" * LONGEST_BYTES}])

    kept = span_of(langfuse)["langfuse.observation.input"].encode()
    assert LONGEST_BYTES - 4 < len(kept) <= LONGEST_BYTES


def test_a_request_that_is_refused_is_not_read_for_it(recording: Recording):
    rig, _ = recording

    assert rig.ask(path="files").status == 404


def test_without_a_declaration_nothing_is_recorded(tmp_path: Path):
    with stand_ins(LOOPBACK) as (_, langfuse):
        port = urlsplit(langfuse.url).port
        with gateway(data_plane.ready(), tmp_path, collector=port) as rig:
            rig.own.words = ["plugh"]
            rig.ask(messages=[{"role": "user", "content": "xyzzy"}])

            span = span_of(langfuse)
            assert not {"langfuse.observation.input", "langfuse.observation.output"} & set(span)
            assert "xyzzy" not in str(span)
            assert "plugh" not in str(span)
