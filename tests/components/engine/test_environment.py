"""The engine's environment variables."""

import pytest

from components.engine.environment import environment
from components.engine.known_arguments import known_variables


def made(*, offline: bool = False, traced_as: str | None = None) -> dict[str, str]:
    return environment(
        weights_path="/weights",
        engine_cache_path="/cache",
        home_path="/home/vllm",
        startup_budget_s=900,
        largest_request_mib=4,
        offline=offline,
        traced_as=traced_as,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_HOME", "/weights"),
        ("VLLM_CACHE_ROOT", "/cache"),
        ("HOME", "/home/vllm"),
        ("VLLM_ENGINE_READY_TIMEOUT_S", "900"),
        ("VLLM_NO_USAGE_STATS", "1"),
        ("VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "75"),
        ("VLLM_HTTP_MAX_REQUEST_BODY_SIZE", "5242880"),
        ("VLLM_SERVER_DEV_MODE", "0"),
        ("HF_HUB_OFFLINE", None),
        ("OTEL_SERVICE_NAME", None),
    ],
)
def test_the_environment_of_an_online_engine(name: str, value: str | None):
    assert made().get(name) == value


def test_an_offline_engine_never_asks_the_hub():
    variables = made(offline=True)

    assert variables["HF_HUB_OFFLINE"] == variables["TRANSFORMERS_OFFLINE"] == "1"


def test_an_engine_that_is_traced_sends_http_under_its_name():
    variables = made(traced_as="vllm-a")

    assert variables["OTEL_SERVICE_NAME"] == "vllm-a"
    assert variables["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] == "http/protobuf"


def test_the_pinned_vllm_knows_every_variable_of_its_own():
    variables = made(offline=True, traced_as="x")

    assert {name for name in variables if name.startswith("VLLM_")} <= known_variables()
