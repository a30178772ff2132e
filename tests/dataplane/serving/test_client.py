"""The unchanged OpenAI client gets its answers from a deployed stack, told only another base URL."""

import subprocess
import sys
from typing import Final

import openai
import pytest
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)

from tests.dataplane.serving.declared import KEYS, MODEL
from tests.dataplane.serving.deployed import Deployed
from tools.environment import ROOT

HELLO: Final[list[ChatCompletionMessageParam]] = [{"role": "user", "content": "Hello"}]
WEATHER: Final[ChatCompletionFunctionToolParam] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_chat(stack: Deployed):
    answer = stack.client().chat.completions.create(model=MODEL, messages=HELLO, max_tokens=8)

    assert answer.model == MODEL
    assert answer.usage is not None
    assert 0 < answer.usage.completion_tokens <= 8


def test_a_stream_ends_with_its_usage_though_the_client_did_not_ask(stack: Deployed):
    chunks = list(
        stack.client().chat.completions.create(
            model=MODEL, messages=HELLO, max_tokens=8, stream=True
        )
    )

    assert len(chunks) > 2
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_tools_may_be_offered(stack: Deployed):
    answer = stack.client().chat.completions.create(
        model=MODEL, messages=HELLO, tools=[WEATHER], tool_choice="auto", max_tokens=8
    )

    assert answer.choices[0].finish_reason in {"stop", "length", "tool_calls"}


def test_what_a_tool_said_may_be_answered(stack: Deployed):
    call: ChatCompletionMessageFunctionToolCallParam = {
        "id": "call-1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
    }
    answer = stack.client().chat.completions.create(
        model=MODEL,
        messages=[
            *HELLO,
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call-1", "content": "sunny"},
        ],
        tools=[WEATHER],
        max_tokens=8,
    )

    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 20


def test_the_example_of_the_docs_runs(stack: Deployed):
    ran = subprocess.run(
        [sys.executable, ROOT / "docs/examples/chat.py", MODEL],
        env={"OPENAI_BASE_URL": stack.base_url, "OPENAI_API_KEY": KEYS["web-chat"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    for part in (f"models: {MODEL}\n", "answer: ", "tokens: ", "stream: "):
        assert part in ran.stdout


def test_completions_and_responses(stack: Deployed):
    client = stack.client()

    completed = client.completions.create(model=MODEL, prompt="Once", max_tokens=4)
    responded = client.responses.create(model=MODEL, input="Hello", max_output_tokens=4)

    assert completed.usage is not None
    assert completed.usage.completion_tokens == 4
    assert responded.usage is not None
    assert 0 < responded.usage.output_tokens <= 4


def test_an_alias_is_answered_as_the_model_is(stack: Deployed):
    answer = stack.client("other").completions.create(model="other", prompt="Once", max_tokens=2)

    assert answer.usage is not None


def test_a_key_sees_its_own_models_only(stack: Deployed):
    assert [model.id for model in stack.client("web-chat").models.list()] == [MODEL]
    assert [model.id for model in stack.client("other").models.list()] == ["other"]


def test_a_context_that_is_too_long_is_the_clients_mistake(stack: Deployed):
    with pytest.raises(openai.BadRequestError) as refused:
        stack.client().completions.create(model=MODEL, prompt="word " * 9000, max_tokens=2)

    assert "4096" in str(refused.value)  # the engine's own words, unchanged
    assert not stack.hosted.requests


def test_refusals_are_those_of_the_api(stack: Deployed):
    client, nobody = stack.client(), stack.client().with_options(api_key="sk-nobody")

    with pytest.raises(openai.AuthenticationError) as wrong_key:
        nobody.models.list()
    with pytest.raises(openai.PermissionDeniedError) as no_right:
        client.completions.create(model="other", prompt="Once", max_tokens=2)
    with pytest.raises(openai.NotFoundError) as unknown:
        client.files.list()

    for refused in (wrong_key, no_right, unknown):
        assert refused.value.message
        assert refused.value.type
        assert all(value not in str(refused.value) for value in KEYS.values())
