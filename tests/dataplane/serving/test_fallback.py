"""What the own engines cannot answer, the hosted model does: for keys that may, and nobody else."""

import json
from collections.abc import Iterator

import openai
import pytest

from tests.dataplane.serving.declared import HOSTED_MODEL, KEYS, MODEL
from tests.dataplane.serving.deployed import Deployed
from tests.dataplane.serving.load import WHOLE, at_once
from tests.dataplane.serving.stand_ins import WORDS, Mood


@pytest.fixture(scope="module")
def without_engines(whole_stack: Deployed) -> Iterator[Deployed]:
    """The stack while nobody serves the model."""
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale"}
    path = f"/apis/apps/v1/namespaces/{whole_stack.namespace}/deployments/{MODEL}/scale"

    def to(replicas: int) -> None:
        body = scale | {"spec": {"replicas": replicas}}
        whole_stack.api.request("PATCH", path, body, content="merge-patch+json")
        whole_stack.wait_ready(MODEL, replicas)

    to(0)
    yield whole_stack
    to(2)
    whole_stack.wait_answers()


def test_own_engines_answer_first(stack: Deployed):
    answers = at_once(stack.gateway, count=4, tokens=2, alias="web-chat")

    assert {(answer.outcome, answer.upstream) for answer in answers} == {(WHOLE, "own")}
    assert not stack.hosted.requests


@pytest.mark.usefixtures("without_engines")
def test_a_key_that_may_is_answered_hosted(stack: Deployed):
    raw = stack.client("web-chat").chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": "Hello"}], max_tokens=8
    )

    assert raw.headers["x-breakeven-upstream"] == "hosted"
    assert raw.parse().choices[0].message.content == "".join(WORDS)
    ((headers, body),) = stack.hosted.requests
    assert body["model"] == HOSTED_MODEL
    assert headers["authorization"] == "Bearer a-key-of-the-provider-in-tests"
    told = f"{headers} {body}"
    assert all(value not in told for value in KEYS.values())


@pytest.mark.usefixtures("without_engines")
def test_a_hosted_stream_is_counted_though_the_client_did_not_ask(stack: Deployed):
    chunks = list(
        stack.client("web-chat").chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Hello"}],
            max_tokens=8,
            stream=True,
        )
    )

    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "".join(WORDS)
    ((_, body),) = stack.hosted.requests
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.usefixtures("without_engines")
def test_a_restricted_key_is_told_503_and_nothing_leaves(stack: Deployed):
    with pytest.raises(openai.InternalServerError) as refused:
        stack.client("claims").completions.create(model=MODEL, prompt="Secret", max_tokens=2)

    assert refused.value.status_code == 503
    assert int(refused.value.response.headers["retry-after"]) > 0
    assert not stack.hosted.requests


@pytest.mark.usefixtures("without_engines")
@pytest.mark.parametrize(("mood", "code"), [("full", "429"), ("broken", "500")])
def test_a_provider_that_refuses_too_is_told_in_our_words(stack: Deployed, mood: Mood, code: str):
    stack.hosted.mood = mood

    (answer,) = at_once(stack.gateway, count=1, alias="web-chat")

    assert (answer.outcome, answer.upstream) == (code, "hosted")
    assert json.loads(answer.refusal)["error"]["type"]
    assert "10.0.0.1" not in answer.refusal
