"""The generated gateway on the real Envoy: the names that rules ask for, what is charged, how it fails."""

import json
import time
from collections.abc import Iterator
from http.client import IncompleteRead

import pytest

from tests.dataplane.gateway.rig import FIRST_BYTE_S, MODEL, Rig, gateway
from tests.dataplane.gateway.selectors import picks, selectors
from tests.dataplane.gateway.upstream import EVENTS, LATE_S
from tools import data_plane

pytestmark = pytest.mark.dataplane

TOKENS, RESTRICTED, SPEND = "tokens_web-chat", "tokens_claims", f"spend_{MODEL}"
LONGEST = 16_384
"""The demo's longest request, in tokens."""
OPEN, CLOSED = "key-web-chat", "key-claims"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with gateway(data_plane.ready(), tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def near_cap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway with 14 of 15 micro-USD spent; its limiter reports every ten seconds."""
    folder = tmp_path_factory.mktemp("near-cap")
    with gateway(data_plane.ready(), folder, daily_cap_usd=0.000_015) as running:
        running.own.mode = "503"
        running.ask()
        running.own.mode = "ok"
        yield running


@pytest.fixture(autouse=True)
def _as_ever(rig: Rig) -> None:
    rig.own.mode = rig.hosted.mode = "ok"
    rig.own.words = [str(number) for number in range(EVENTS)]


def _wait_until_charged(rig: Rig, what: str, before: int) -> int:
    """Return what was added; the charge comes when the answer has ended, a moment later."""
    deadline = time.monotonic() + 3
    while rig.charged(what) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    return rig.charged(what) - before


def _missing_after(
    rig: Rig, selected: set[tuple[str, str]], longest_s: float
) -> set[tuple[str, str]]:
    deadline = time.monotonic() + longest_s
    while True:
        samples = rig.samples()
        missing = {each for each in selected if not any(picks(each, s) for s in samples)}
        if len(missing) <= 1 or time.monotonic() > deadline:
            return missing
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("path", "body", "micro_usd", "tokens"),
    [
        # 10 x 0.2 + 20 x 0.6 micro-USD.
        ("chat/completions", {}, 14, 30),
        ("chat/completions", {"stream": True}, 14, 30),
        ("responses", {}, 14, 30),
        ("responses", {"stream": True}, 14, 30),
        # Nothing is written: 10 x 0.2.
        ("embeddings", {}, 2, 10),
    ],
)
def test_an_answer_is_charged_what_it_says_it_used(rig: Rig, path, body, micro_usd, tokens):
    rig.own.mode = "503"
    spent, used = rig.charged(SPEND), rig.charged(TOKENS)

    assert rig.ask(path, **body).headers["x-breakeven-upstream"] == "hosted"

    assert _wait_until_charged(rig, SPEND, spent) == micro_usd
    assert _wait_until_charged(rig, TOKENS, used) == tokens


@pytest.mark.parametrize(
    ("path", "stream", "asked"),
    [
        ("chat/completions", True, True),
        ("completions", True, True),
        ("chat/completions", False, False),
        # Its last event says it anyway, and it has no such option.
        ("responses", True, False),
    ],
)
def test_usage_is_asked_for_where_the_api_knows_how(rig: Rig, path, stream, asked):
    rig.own.mode = "503"
    rig.ask(path, stream=stream)
    assert ("stream_options" in rig.hosted.seen[-1].body) is asked


@pytest.mark.parametrize(
    ("body", "most_written"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 100, "n": 4}, 400),
        ({"max_output_tokens": 100}, 100),
        # The largest, wherever it stands and whatever the provider obeys.
        ({"max_tokens": 300, "max_completion_tokens": 200, "max_output_tokens": 1}, 300),
        ({"max_tokens": 1, "max_completion_tokens": 300, "max_output_tokens": 200, "n": 2}, 600),
        ({"max_output_tokens": 300, "max_completion_tokens": 1}, 300),
        ({"max_tokens": -1, "max_output_tokens": 1}, LONGEST),
        ({"max_tokens": None, "max_completion_tokens": 100}, 100),
        ({}, LONGEST),
        ({"max_tokens": None}, LONGEST),
        ({"max_tokens": "many"}, LONGEST),
        ({"max_tokens": -1}, LONGEST),
        ({"max_tokens": 1e30, "n": 1e30}, LONGEST * 16),
    ],
)
def test_a_hosted_answer_without_usage_is_charged_the_most_it_may_cost(
    rig: Rig, body, most_written
):
    rig.own.mode, rig.hosted.mode = "503", "silent"
    before = rig.charged(SPEND)

    rig.ask(**body)

    read = len(json.dumps(rig.own.body())) / 3
    # The request is a little longer with the provider's name for the model.
    expected = read * 0.2 + most_written * 0.6
    assert _wait_until_charged(rig, SPEND, before) == pytest.approx(expected, abs=4)


@pytest.mark.parametrize(
    ("mode", "charged"),
    [
        ("dies", True),
        ("gone", True),
        # The gateway gives up, and the provider may go on.
        ("late", True),
        *((status, False) for status in ("400", "401", "429", "500", "503")),
    ],
)
def test_what_reached_the_provider_is_charged_and_what_it_refused_is_not(rig: Rig, mode, charged):
    rig.own.mode, rig.hosted.mode = "503", mode
    before = rig.charged(SPEND)

    try:
        rig.ask(stream=True, max_tokens=100)
    except IncompleteRead:
        assert mode == "dies"

    if charged:
        assert _wait_until_charged(rig, SPEND, before) == pytest.approx(65, abs=4)
    else:
        time.sleep(0.3)
        assert rig.charged(SPEND) == before


@pytest.mark.parametrize("stream", [True, "true"])
def test_who_leaves_before_the_usage_comes_is_charged_for_what_came(rig: Rig, stream):
    rig.own.mode = rig.hosted.mode = "endless"
    before = rig.charged(RESTRICTED)
    answer = rig.open(key=CLOSED, stream=stream)
    read = answer.read(1000)
    answer.close()

    request = len(json.dumps({"model": MODEL, "stream": stream}))
    least = request // 3 + len(read) // 100
    assert _wait_until_charged(rig, RESTRICTED, before) >= least


def test_who_leaves_a_hosted_answer_is_charged_the_most_it_may_cost(rig: Rig):
    rig.own.mode, rig.hosted.mode = "503", "endless"
    before = rig.charged(SPEND)
    answer = rig.open(stream=True, max_tokens=1000)
    answer.read(100)
    answer.close()

    assert _wait_until_charged(rig, SPEND, before) == pytest.approx(605, abs=4)


def test_a_key_is_charged_for_the_largest_of_what_a_request_allows(rig: Rig):
    rig.own.mode, rig.own.words = "silent", ["word" * 1000]
    before = rig.charged(RESTRICTED)

    rig.ask(key=CLOSED, max_tokens=10, max_completion_tokens=300, max_output_tokens=1)

    # The answer has 4000 bytes, more than the 300 tokens that were allowed.
    read = len(json.dumps(rig.own.body())) / 3
    assert _wait_until_charged(rig, RESTRICTED, before) == pytest.approx(read + 300, abs=2)


def test_a_stream_that_breaks_is_seen_to_break_is_logged_and_not_tried_again(rig: Rig):
    rig.own.mode = "dies"
    before = len(rig.own.seen), len(rig.hosted.seen)
    answer = rig.open(stream=True)

    with pytest.raises(IncompleteRead) as broken:
        answer.read()

    assert broken.value.partial.count(b"data:") == EVENTS
    assert (len(rig.own.seen), len(rig.hosted.seen)) == (before[0] + 1, before[1])
    logged = rig.logged(answer.headers["x-request-id"])
    assert (logged["code"], logged["attempts"]) == (200, "1")
    assert logged["flags"] != "-"


def test_a_first_byte_that_is_late_comes_from_the_hosted_model_for_keys_that_may(rig: Rig):
    rig.own.mode = "late"
    begun = time.monotonic()
    answer = rig.ask(stream=True)
    assert (answer.status, answer.headers["x-breakeven-upstream"]) == (200, "hosted")
    assert FIRST_BYTE_S <= time.monotonic() - begun < LATE_S

    answer = rig.ask(key=CLOSED, stream=True)
    assert (answer.status, answer.headers["x-breakeven-upstream"]) == (200, "own")


def test_what_is_wrong_with_the_request_passes_unchanged(rig: Rig):
    rig.own.mode = "400"
    answer = rig.ask()
    assert (answer.status, answer.text) == (400, '{"error": {"message": "of pod 10.0.0.1"}}')
    assert answer.headers["x-envoy-attempt-count"] == "1"


@pytest.mark.parametrize(("mode", "status"), [("401", 502), ("403", 502), ("500", 500)])
@pytest.mark.parametrize("key", [OPEN, CLOSED])
def test_what_is_wrong_with_the_engine_is_told_in_our_words(rig: Rig, key, mode, status):
    rig.own.mode = mode
    answer = rig.ask(key=key)
    assert (answer.status, json.loads(answer.text)["error"]["code"]) == (status, "bad_gateway")


def test_what_rules_panels_and_autoscaler_ask_for_is_exported(near_cap: Rig):
    selected = selectors()
    assert len({name for name, _ in selected}) == 5
    missing = _missing_after(near_cap, selected, 15)
    assert {name for name, _ in missing} == {"envoy_cluster_ratelimit_failure_mode_allowed"}

    near_cap.lose_counters()

    assert near_cap.ask().status == 200
    assert not _missing_after(near_cap, selected, 1)
