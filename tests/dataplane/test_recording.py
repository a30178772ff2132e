"""What the real gateway writes into spans of a stack that records prompts, and of one that does not."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from components.gateway.recording import LONGEST_BYTES
from tests.components.gateway.plans import SECRETS
from tests.dataplane.gateway.rig import LOOPBACK, MODEL, Rig, gateway
from tests.dataplane.live import until
from tests.dataplane.serving.stand_ins import Langfuse, stand_ins
from tools import data_plane

pytestmark = pytest.mark.dataplane
RECORDS = {
    "observability.prompts": {"until": "2027-06-30", "readers": ["platform"], "reason": "a study"}
}
SPANS_S = 15
ASKED = [{"role": "user", "content": 'What is "a\\b"?\nü'}]
ASKED_OF, ANSWERED_BY = "gen_ai.request.model", "gen_ai.response.model"
UPSTREAM = "langfuse.trace.metadata.upstream"
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


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["support-chat", "of-nobody"])
def test_a_restricted_key_is_never_recorded(recording: Recording, model: str, stream: bool):
    rig, langfuse = recording

    answer = rig.ask(key="key-claims", model=model, messages=ASKED, stream=stream)

    assert answer.status == (200 if model == "support-chat" else 404)
    span = span_of(langfuse)
    assert span["langfuse.user.id"] == "claims"
    assert nothing_recorded(span)


def nothing_recorded(span: dict[str, str]) -> bool:
    """Return whether neither the question nor the answer is anywhere in a span."""
    tags = {"langfuse.observation.input", "langfuse.observation.output"}
    said = [ASKED[0]["content"][:10], "".join(WORDS)[:10]]
    return not tags & set(span) and not any(text in str(span) for text in said)


@pytest.mark.parametrize(
    "changes",
    [{}, {"observability.prompts": RECORDS["observability.prompts"] | {"until": "2020-06-30"}}],
    ids=["undeclared", "its last day is over"],
)
def test_otherwise_nothing_is_recorded(tmp_path: Path, changes: dict[str, object]):
    with stand_ins(LOOPBACK) as (_, langfuse):
        port = urlsplit(langfuse.url).port
        with gateway(data_plane.ready(), tmp_path, collector=port, changes=changes) as rig:
            rig.own.words = WORDS
            assert rig.ask(messages=ASKED).status == 200

            assert nothing_recorded(span_of(langfuse))


@pytest.mark.parametrize("stream", [True, False])
def test_the_span_of_a_hosted_answer_names_the_hosted_model_and_no_other_does(
    recording: Recording, stream: bool
):
    rig, langfuse = recording
    own = answered(rig, langfuse, stream=stream)
    rig.own.mode = "503"
    hosted = answered(rig, langfuse, stream=stream)
    rig.own.mode = "ok"

    model = rig.hosted.body()["model"]
    assert own == {ASKED_OF: MODEL, UPSTREAM: "own"}
    assert hosted == {ASKED_OF: MODEL, UPSTREAM: "hosted", ANSWERED_BY: f"{LOOPBACK}/{model}"}


def answered(rig: Rig, langfuse: Langfuse, *, stream: bool) -> dict[str, str]:
    """Return what the span of a request says about who answered it, if it says so at all."""
    assert rig.ask(messages=ASKED, stream=stream).status == 200
    span = span_of(langfuse)
    assert json.loads(span["langfuse.observation.usage_details"]) == {"input": 10, "output": 20}
    return {key: span[key] for key in (ASKED_OF, UPSTREAM, ANSWERED_BY) if key in span}


@pytest.mark.parametrize("flag", ["00", "01"])
def test_a_client_does_not_choose_whether_or_where_it_is_traced(recording: Recording, flag: str):
    rig, langfuse = recording
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {
        "authorization": f"Bearer {SECRETS['key-web-chat']}",
        "content-type": "application/json",
        "traceparent": f"00-{trace}-00f067aa0ba902b7-{flag}",
        "tracestate": "vendor=1",
    }
    connection = http.client.HTTPConnection(LOOPBACK, rig.at.edge, timeout=30)
    connection.request(
        "POST", "/v1/chat/completions", json.dumps({"model": "support-chat"}), headers
    )
    assert connection.getresponse().read()
    connection.close()

    def of_request() -> list[Span]:
        return [s for s in langfuse.spans if any(a.key == "langfuse.user.id" for a in s.attributes)]

    until(lambda: bool(of_request()), timeout_s=SPANS_S)
    (span,) = of_request()
    langfuse.spans.clear()
    assert span.trace_id.hex() != trace
    assert not span.parent_span_id
    assert not span.trace_state
