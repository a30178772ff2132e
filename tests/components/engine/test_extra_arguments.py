"""Which of vLLM's arguments a stack may declare itself, and what it is told about the others."""

import typing

import pytest
from pydantic import BaseModel

from components.engine.arguments import check_extra_arguments
from components.engine.extra_arguments import REFUSED, SETTINGS
from components.engine.known_arguments import known_arguments
from stacks.stack import ServedModel


@pytest.mark.parametrize(
    ("flag", "value", "remedy"),
    [
        # a setting's, in every spelling that vLLM takes
        ("--port", 80, "port 8000"),
        ("--model", "x", "set weights.id"),
        ("--max_model_len", 1, "set workload.max_input_tokens"),
        ("--tensor-parallel", 2, "set pool.gpus_per_replica"),
        ("-tp", 2, "set pool.gpus_per_replica"),
        ("--tp", 2, "set pool.gpus_per_replica"),
        ("--port=80", True, "port 8000"),
        ("--device-memory-utilization", 0.8, "set serving.gpu_memory_utilization"),
        ("--disable-prefix-caching", True, "always set"),
        ("--no-enable-prefix-caching", True, "always set"),
        ("--served-model-name", "x", "set serving.aliases"),
        ("--max-num-queued-reqs", 9, "set serving.max_queued_requests"),
        ("--max-num-queued-tokens", 9, "set workload.slo.ttft_p99_ms"),
        ("--load-format", "auto", "set serving.source"),
        ("--model-loader-extra-config", "{}", "set serving.source"),
        ("--enable-lora", True, "set serving.adapters"),
        ("--lora-modules", "a=b", "set serving.adapters"),
        ("--max-loras", 2, "set serving.adapters"),
        ("--max-lora-rank", 8, "set serving.max_lora_rank"),
        # the component's own
        ("--otlp-traces-endpoint", "http://c", "observability.langfuse"),
        ("--pipeline-parallel-size", 2, "share each layer"),
        ("--api-key", "k", "keys are the gateway's"),
        ("--host", "::", "speak plain HTTP"),
        ("--ssl-keyfile", "k", "TLS ends before"),
        ("--data-parallel-size", 2, "a replica is one pod"),
        ("-dp", 2, "a replica is one pod"),
        ("--disable-log-stats", True, "nothing can be scaled"),
        ("--disable-request-id-headers", True, "always set"),
        ("--enable-log-requests", True, "observability.prompts"),
        ("--enable-log-outputs", True, "observability.prompts"),
        ("--allowed-local-media-path", "/", "read files of the pod"),
        ("--trust-request-chat-template", True, "--chat-template"),
        ("--middleware", "a.b", "see every prompt"),
        # not in this vLLM, or not for long
        ("--max-num-batched-token", 1, "write --max-num-batched-tokens"),
        ("--max_num_batched_tokens", 1, "write --max-num-batched-tokens"),
        ("max-num-batched-tokens", 1, "write --max-num-batched-tokens"),
        ("--stream-intervall", 1, "write --stream-interval"),
        ("--swap-space", 4, "nothing like it"),
        ("--log-config-file", "f", "will be removed"),
        ("--enable-cascade-attn", True, "will be removed"),
        ("--dtype.x", "1", "write --dtype"),
        ("", "", "write "),
        # a switch and its other form
        ("--no-enable-chunked-prefill", True, "write --enable-chunked-prefill with false"),
        ("--disable-chunked-prefill", True, "write --enable-chunked-prefill with false"),
        ("--enforce-eager", "true", "give --enforce-eager true or false"),
        ("--aggregate-engine-logging", False, "to be left out"),
        ("--block-size", True, "a value, not true or false"),
        # values
        ("--performance-mode", "fast", "balanced or interactivity or throughput"),
        ("--block-size", "8x", "reads as int"),
        ("--block-size", ("8", "9"), "give --block-size one value"),
        ("--allowed-media-domains", (), "one value or more"),
        ("--max-num-batched-tokens", "8x", "reads as int or 8k or 8K"),
        ("--max-num-batched-tokens", "1.5K", "reads as int or 8k or 8K"),
        ("--speculative-config", "{method", "reads as json"),
    ],
)
def test_an_argument_that_cannot_be_passed_is_answered_with_a_remedy(flag, value, remedy):
    (problem,) = check_extra_arguments(((flag, value),))

    assert problem.found.startswith(flag)
    assert problem.allowed
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--max-num-batched-tokens", 8192),
        ("--max-num-batched-tokens", "1.5k"),
        ("--performance-mode", "throughput"),
        ("--enable-chunked-prefill", False),
        ("--kv-transfer-config", '{"kv_connector": "OffloadingConnector"}'),
        ("--speculative-config.method", "ngram"),
        ("--allowed-media-domains", ("a.example", "b.example")),
        ("--kv-offloading-size", 1.5),
    ],
)
def test_an_argument_that_the_pinned_vllm_takes_is_allowed(flag, value):
    assert check_extra_arguments(((flag, value),)) == ()


@pytest.mark.parametrize(
    ("one", "two", "problems"),
    [
        ("--block-size", "--block-size", 1),
        ("--block-size", "--stream-interval", 0),
        ("--compilation-config.mode", "--compilation-config.backend", 0),
        ("--unheard", "--of", 2),
    ],
)
def test_the_same_argument_twice_is_a_problem(one, two, problems):
    assert len(check_extra_arguments(((one, 1), (two, 1)))) == problems


def test_every_flag_with_an_owner_exists_in_the_pinned_vllm():
    assert {*SETTINGS, *REFUSED} <= set(known_arguments())


@pytest.mark.parametrize("setting", sorted(set(SETTINGS.values())))
def test_the_settings_named_in_remedies_stand_below_a_model_of_the_stack(setting: str):
    here: typing.Any = ServedModel
    for field in setting.split("."):
        assert issubclass(here, BaseModel)
        here = here.model_fields[field].annotation
