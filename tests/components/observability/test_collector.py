"""Spans reach Langfuse without what was said in them, and never hold up a request."""

import re
from typing import Any

import pytest
import yaml

from components.observability.collector import (
    HARMLESS,
    basic_auth,
    collector_config,
)
from tests.components.observability.declared import EXISTING, NONE, parts

PROMPTS = {
    "observability.prompts": {
        "until": "2026-12-31",
        "readers": ["platform"],
        "reason": "a regression",
    }
}


def _config(changes=None) -> Any:
    (work,) = [work for work in parts(changes).workloads if work.name == "otel-collector"]
    return yaml.safe_load(work.files["config.yaml"])


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({}, "http://langfuse-web:3000/api/public/otel"),
        (EXISTING, "https://langfuse.example.com/api/public/otel"),
    ],
)
def test_spans_go_to_the_langfuse_that_is_declared(changes, endpoint):
    assert _config(changes)["exporters"]["otlp_http"]["endpoint"] == endpoint


def test_without_langfuse_there_is_no_collector():
    assert all(work.name != "otel-collector" for work in parts(NONE).workloads)


def test_the_key_stands_in_a_secret_and_not_in_the_configuration():
    (work,) = [work for work in parts().workloads if work.name == "otel-collector"]

    assert "Basic" not in work.files["config.yaml"]
    assert work.secrets == {"authorization": basic_auth(_keys("value of public-key"))}


def test_the_header_is_the_two_keys_in_base64():
    header = basic_auth({"langfuse-public-key": "pk-lf-a", "langfuse-secret-key": "sk-lf-b"})

    assert header == "Basic cGstbGYtYTpzay1sZi1i"


def test_a_full_queue_refuses_instead_of_waiting():
    queue = _config()["exporters"]["otlp_http"]["sending_queue"]

    assert queue["block_on_overflow"] is False
    assert queue["sizer"] == "bytes"


def test_what_cannot_be_sent_is_given_up_some_time():
    retry = _config()["exporters"]["otlp_http"]["retry_on_failure"]

    assert retry["max_elapsed_time"] == "600s"


def test_prompts_are_taken_out_unless_they_are_recorded():
    assert "transform/harmless" in _config()["service"]["pipelines"]["traces"]["processors"]
    assert "transform/harmless" not in collector_config("http://l", keep_prompts=True)
    assert "transform/harmless" not in _config(PROMPTS)["processors"]


@pytest.mark.parametrize(
    "attribute",
    [
        "langfuse.observation.usage_details",
        "langfuse.observation.type",
        "langfuse.user.id",
        "langfuse.trace.metadata.team",
        "langfuse.trace.metadata.upstream",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.latency.time_to_first_token",
        "llm.token_count.prompt",
        "http.status_code",
        "guid:x-request-id",
    ],
)
def test_figures_and_names_stay(attribute):
    assert re.match(HARMLESS.replace("\\\\", "\\"), attribute)


@pytest.mark.parametrize(
    "attribute",
    [
        "langfuse.observation.input",
        "langfuse.observation.output",
        "langfuse.trace.input",
        "langfuse.observation.metadata.prompt",
        "langfuse.trace.metadata.prompt",
        "gen_ai.prompt",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.content",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "llm.prompts",
        "llm.input_messages.0.message.content",
        "input.value",
        "traceloop.entity.input",
        "http.url",
        "something.new",
    ],
)
def test_what_may_hold_a_prompt_goes(attribute):
    assert not re.match(HARMLESS.replace("\\\\", "\\"), attribute)


def _keys(public: str) -> dict[str, str]:
    return {"langfuse-public-key": public, "langfuse-secret-key": "value of secret-key"}
