import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from components.engine.arguments import (
    ArgumentError,
    EngineSettings,
    arguments,
)
from components.engine.known_arguments import (
    known_arguments,
    negative_forms,
    pinned_version,
    wheel,
)

ROOT = Path(__file__).parents[3]


def some_settings(**changes: object) -> EngineSettings:
    plain = EngineSettings(
        model="Qwen/Qwen3-8B",
        revision="b968826d9c46dd6066d109eabc6255188de91218",
        served_model_name=("qwen3-8b",),
        port=8000,
        tensor_parallel_size=1,
        pipeline_parallel_size=1,
        max_model_len=8192,
        max_num_seqs=256,
        gpu_memory_utilization=0.9,
        dtype="auto",
        quantization=None,
        kv_cache_dtype="auto",
        enable_prefix_caching=True,
        shutdown_timeout_s=120,
        max_num_queued_reqs=165,
        max_num_queued_tokens=48282,
        load_format=None,
        model_loader_extra_config=None,
        lora_modules=(),
        max_lora_rank=16,
        otlp_traces_endpoint=None,
        tool_call_parser=None,
        reasoning_parser=None,
        extra=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def flags_of(words: tuple[str, ...]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("-")]


MATRIX = [
    dict(
        zip(
            ("revision", "quantization", "parser", "cache", "several", "extra"), values, strict=True
        )
    )
    for values in itertools.product(
        (None, "0123abc"),
        (None, "fp8"),
        (None, "hermes"),
        (True, False),
        ((), ('{"name":"a","path":"/a"}', '{"name":"b","path":"/b"}')),
        ((), (("--max-num-batched-tokens", "8k"), ("--enable-chunked-prefill", False))),
    )
]


@pytest.mark.parametrize("case", MATRIX)
def test_every_emitted_flag_is_literally_in_the_pinned_vllm_and_stays_there(case):
    words = arguments(
        some_settings(
            revision=case["revision"],
            quantization=case["quantization"],
            load_format=case["quantization"] and "runai_streamer",
            tool_call_parser=case["parser"],
            reasoning_parser=case["parser"],
            enable_prefix_caching=case["cache"],
            served_model_name=("name", *(f"alias{i}" for i, _ in enumerate(case["several"]))),
            model_loader_extra_config=case["quantization"] and '{"concurrency":16}',
            lora_modules=case["several"],
            otlp_traces_endpoint=case["parser"] and "http://collector:4318/v1/traces",
            extra=case["extra"],
        )
    )

    for flag in flags_of(words):
        known = known_arguments().get(flag) or negative_forms()[flag]
        assert not known.deprecated, flag
        with_value = any(w.startswith(f"{flag}=") for w in words)
        assert with_value == (known.nargs != 0 and flag not in words), flag
        assert known.nargs in {0, "+"} or flag not in words, flag
    assert len(set(flags_of(words))) == len(flags_of(words)), "vLLM keeps only the last of two"


def test_the_whole_line_of_a_plain_engine():
    words = arguments(some_settings())

    assert words == (
        "Qwen/Qwen3-8B",
        "--revision=b968826d9c46dd6066d109eabc6255188de91218",
        "--served-model-name=qwen3-8b",
        "--port=8000",
        "--tensor-parallel-size=1",
        "--pipeline-parallel-size=1",
        "--max-model-len=8192",
        "--max-num-seqs=256",
        "--gpu-memory-utilization=0.9",
        "--dtype=auto",
        "--kv-cache-dtype=auto",
        "--enable-prefix-caching",
        "--shutdown-timeout=120",
        "--max-num-queued-reqs=165",
        "--max-num-queued-tokens=48282",
        "--generation-config=auto",
        "--disable-access-log-for-endpoints=/health,/metrics",
        "--enable-force-include-usage",
        "--enable-prompt-tokens-details",
        "--enable-request-id-headers",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"enable_prefix_caching": False}, {"--disable-prefix-caching"}),
        ({"max_num_seqs": None}, set()),
        ({"quantization": "awq"}, {"--quantization=awq"}),
        ({"load_format": "runai_streamer"}, {"--load-format=runai_streamer"}),
        (
            {"tool_call_parser": "hermes"},
            {"--enable-auto-tool-choice", "--tool-call-parser=hermes"},
        ),
        ({"reasoning_parser": "qwen3"}, {"--reasoning-parser=qwen3"}),
        ({"extra": (("--enforce-eager", True),)}, {"--enforce-eager"}),
        ({"extra": (("--enforce-eager", False),)}, {"--no-enforce-eager"}),
        ({"extra": (("--async-scheduling", False),)}, {"--no-async-scheduling"}),
        ({"extra": (("--enable-expert-parallel", False),)}, {"--disable-expert-parallel"}),
        ({"extra": (("--block-size", 32),)}, {"--block-size=32"}),
        ({"extra": (("--compilation-config.mode", 3),)}, {"--compilation-config.mode=3"}),
        (
            {"extra": (("--allowed-media-domains", ("a.example", "b.example")),)},
            {"--allowed-media-domains", "a.example", "b.example"},
        ),
        (
            {"lora_modules": ("a", "b"), "max_lora_rank": 32},
            {
                "--enable-lora",
                "--max-loras=2",
                "--max-lora-rank=32",
                "--lora-modules",
                "a",
                "b",
            },
        ),
        (
            {"served_model_name": ("qwen3-8b", "chat")},
            {"--served-model-name", "qwen3-8b", "chat"},
        ),
        ({"otlp_traces_endpoint": "http://c"}, {"--otlp-traces-endpoint=http://c"}),
    ],
)
def test_a_setting_adds_its_words_and_nothing_else(changes, words):
    plain = set(arguments(some_settings()))

    assert set(arguments(some_settings(**changes))) - plain == words


def test_the_stack_may_choose_another_generation_config():
    words = arguments(some_settings(extra=(("--generation-config", "vllm"),)))

    assert [word for word in words if "generation-config" in word] == ["--generation-config=vllm"]


def test_the_order_of_the_stacks_arguments_does_not_replace_a_pod():
    extra = (("--stream-interval", 4), ("--block-size", 32))

    assert arguments(some_settings(extra=extra)) == arguments(some_settings(extra=extra[::-1]))


def test_arguments_refuses_what_the_check_finds():
    with pytest.raises(ArgumentError, match="--port: leave it out"):
        arguments(some_settings(extra=(("--port", 80),)))


def test_the_list_was_made_from_the_wheel_that_is_pinned():
    requirements = (ROOT / "requirements-serving.txt").read_text()
    pinned = re.findall(r"^vllm==(\S+)", requirements, flags=re.MULTILINE)
    name, sha256 = wheel()

    assert [pinned_version()] == pinned, "run python tools/vllm_arguments.py"
    assert name.startswith(f"vllm-{pinned_version()}-")
    assert re.fullmatch(r"[0-9a-f]{64}", sha256)
    assert len(known_arguments()) > 300
