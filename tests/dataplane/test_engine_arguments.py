"""The real parser of the pinned vLLM takes every argument list that this project writes."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.engine.keys import KEYS_FILE, keys_text
from components.engine.known_arguments import pinned_version
from components.engine.plan import EngineSurroundings
from stacks.reading import read_stack
from tests.components.engine.models import (
    HUB_ADAPTER,
    IMAGE,
    LOCAL_ADAPTER,
    S3,
    VOLUME,
    a_model,
    plan_of,
)
from tests.factories import STACKS
from tools.vllm_on_cpu import vllm_on_cpu

pytestmark = pytest.mark.dataplane

READER = Path(__file__).with_name("engine_arguments.py")
TRACED = EngineSurroundings(traces=True, model_store="a-bucket")
EVERY_OPTION = {
    "serving.aliases": ["chat", "default"],
    "serving.adapters": [HUB_ADAPTER, LOCAL_ADAPTER],
    "serving.max_lora_rank": 64,
    "serving.max_num_seqs": 128,
    "serving.max_queued_requests": 200,
    "serving.tool_call_parser": "hermes",
    "serving.reasoning_parser": "qwen3",
    "serving.arguments": {"--max-num-batched-tokens": "8k", "--enable-chunked-prefill": False},
    "weights.precision": "fp8",
    "weights.kv_cache_precision": "fp8",
}
KEYS = {"engine-key": "old-key-of-the-engines", "engine-key-next": "new-key-of-the-engines"}
LOCAL = {"serving.adapters": [LOCAL_ADAPTER]}


@cache
def argument_lists() -> dict[str, tuple[str, ...]]:
    """Return what the engines of all stack files and of each source are started with, by name."""
    checked_in = {
        f"{file.name} {model.name}": plan_of(model, around=TRACED).arguments
        for file in sorted(STACKS.glob("Pulumi.*.yaml"))
        for model in read_stack(file).models
    }
    sources = {
        source["kind"]: plan_of(a_model(**{"serving.source": source}, **LOCAL)).arguments
        for source in (S3, VOLUME, IMAGE)
    }
    everything = plan_of(a_model(**EVERY_OPTION), around=TRACED).arguments
    return {**checked_in, **sources, "every option": everything}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    keys = tmp_path_factory.mktemp("keys") / KEYS_FILE
    keys.write_text(keys_text(KEYS), encoding="utf-8")
    everything = argument_lists()["every option"]
    lists = {
        **argument_lists(),
        "wrong": ("a/b", "--max-lora-rank=7"),
        "keys": (*everything, "--config", f"{keys}"),
    }
    vllm = vllm_on_cpu(pinned_version())
    done = subprocess.run(
        [vllm.python, READER],
        input=json.dumps(list(lists.values())),
        env=vllm.environment(home=tmp_path_factory.mktemp("home")),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(lists, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", argument_lists())
def test_the_parser_takes_every_list(parsed: dict[str, dict[str, Any]], name: str):
    assert parsed[name].get("error") is None
    assert parsed[name]["model_tag"] == argument_lists()[name][0]


def test_a_wrong_one_is_noticed(parsed: dict[str, dict[str, Any]]):
    assert "max-lora-rank" in parsed["wrong"]["error"]


def test_the_file_of_keys_adds_them_and_changes_nothing_else(parsed: dict[str, dict[str, Any]]):
    assert parsed["keys"]["api_key"] == sorted(KEYS.values())
    assert parsed["keys"] == parsed["every option"] | {"api_key": sorted(KEYS.values())}


def test_what_the_parser_understood(parsed: dict[str, dict[str, Any]]):
    everything = parsed["every option"]

    assert everything["served_model_name"] == ["support-chat", "chat", "default"]
    assert [m["name"] for m in everything["lora_modules"]] == ["legal", "sql"]
    assert [m["path"] for m in everything["lora_modules"]] == [
        "/models/adapters/legal",
        "/adapters/sql",
    ]
    assert (everything["enable_lora"], everything["max_loras"]) == (True, 2)
    assert everything["max_lora_rank"] == 64
    assert everything["max_num_queued_reqs"] == 200
    assert everything["max_num_batched_tokens"] == 8000
    assert everything["enable_chunked_prefill"] is False
    assert everything["otlp_traces_endpoint"] == "http://otel-collector:4318/v1/traces"
    assert parsed["s3"]["model_loader_extra_config"] == {"concurrency": 16}
