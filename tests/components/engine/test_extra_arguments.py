import pytest

from components.engine.arguments import EngineSettings, check_extra_arguments
from components.engine.extra_arguments import REFUSED, SETTINGS
from components.engine.known_arguments import known_arguments


@pytest.mark.parametrize(
    ("flag", "value", "remedy"),
    [
        # a setting's, in every spelling that vLLM takes
        ("--port", 80, "set port"),
        ("--model", "x", "set model"),
        ("--max_model_len", 1, "set max_model_len"),
        ("--tensor-parallel", 2, "set tensor_parallel_size"),
        ("-tp", 2, "set tensor_parallel_size"),
        ("--tp", 2, "set tensor_parallel_size"),
        ("--port=80", True, "set port"),
        ("--device-memory-utilization", 0.8, "set gpu_memory_utilization"),
        ("--disable-prefix-caching", True, "set enable_prefix_caching"),
        ("--no-enable-prefix-caching", True, "set enable_prefix_caching"),
        # the component's own
        ("--api-key", "k", "keys are the gateway's"),
        ("--host", "::", "speak plain HTTP"),
        ("--ssl-keyfile", "k", "TLS ends before"),
        ("--data-parallel-size", 2, "a replica is one pod"),
        ("-dp", 2, "a replica is one pod"),
        ("--disable-log-stats", True, "nothing can be scaled"),
        ("--disable-request-id-headers", True, "always set"),
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
        ("--lora-modules", (), "one value or more"),
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
        ("--otlp-traces-endpoint", "http://collector:4317"),
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


def test_the_settings_named_in_remedies_are_fields_of_the_engine():
    assert set(SETTINGS.values()) <= set(EngineSettings.__dataclass_fields__)
