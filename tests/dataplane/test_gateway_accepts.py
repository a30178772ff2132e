"""Odd values that a stack may declare, on the real Envoy; and requests that were held."""

import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from components.gateway.envoy import envoy_text
from stacks.gateway import CONCURRENT_LIMIT, MIB_LIMIT, SECONDS_LIMIT
from tests.components.gateway.plans import SECRETS, a_plan, named_by_provider
from tests.dataplane.gateway.rig import Rig, gateway
from tests.dataplane.gateway.upstream import LATE_S
from tools import data_plane

pytestmark = pytest.mark.dataplane

FALLBACK = "models[0].serving.fallback"
LONGEST_S = 1
ODD = "100%a%%b%REQ(x)%"


@pytest.mark.parametrize(
    "changes",
    [
        named_by_provider(ODD),
        named_by_provider('a"b\\c{d}\u00e4'),
        {f"{FALLBACK}.base_url": "https://a.example/100%25/v1"},
        {"gateway.longest_request_seconds": 0.000_01},
        {"gateway.longest_silence_seconds": SECONDS_LIMIT},
        {"models[0].workload.slo.ttft_p99_ms": 12_345.678_9},
        {"gateway.largest_request_mib": MIB_LIMIT},
        {"gateway.span_fraction": 1e-9},
        {"gateway.mirror": {"host": "gateway.serving-shadow", "fraction": 1e-9}},
        {"gateway.keys[0].concurrent_requests": CONCURRENT_LIMIT},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_envoy_takes_what_a_stack_may_declare(tmp_path, changes):
    _validate(tmp_path, envoy_text(a_plan(changes), SECRETS))


@pytest.mark.parametrize("secret", ["engine-key", "hosted-support-chat"])
@pytest.mark.parametrize("value", [ODD, "%", 'a"b\\c{d}'])
def test_envoy_takes_any_key(tmp_path, secret, value):
    _validate(tmp_path, envoy_text(a_plan(), {**SECRETS, secret: value}))


def _validate(folder, text):
    file = folder / "envoy.json"
    file.write_text(text)
    command = [data_plane.ready().envoy, "--mode", "validate", "--config-path", file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway that ends requests after a second, holds them for a minute, and has odd values."""
    changes = {
        **named_by_provider(ODD),
        "gateway.longest_request_seconds": LONGEST_S,
    }
    odd = {**SECRETS, "engine-key": ODD, "hosted-support-chat": ODD}
    folder = tmp_path_factory.mktemp("odd")
    with gateway(data_plane.ready(), folder, changes=changes, hold_s=60, secrets=odd) as running:
        yield running


def test_odd_values_arrive_as_they_were_declared(rig: Rig):
    rig.own.mode = "503"
    assert rig.ask().headers["x-breakeven-upstream"] == "hosted"
    assert rig.own.seen[-1].headers["authorization"] == f"Bearer {ODD}"
    assert rig.hosted.seen[-1].headers["authorization"] == f"Bearer {ODD}"
    assert rig.hosted.body()["model"] == ODD


def test_a_request_that_a_router_took_ends_in_time_and_is_not_repeated_however_long_it_may_be_held(
    rig: Rig,
):
    rig.own.mode, before, begun = "late", len(rig.own.seen), time.monotonic()

    answer = rig.ask(key="key-claims")

    assert (answer.status, answer.headers["x-envoy-attempt-count"]) == (504, "1")
    assert LONGEST_S <= time.monotonic() - begun < LATE_S
    assert len(rig.own.seen) == before + 1


def test_a_request_is_held_longer_than_it_may_take(rig: Rig):
    rig.own.mode, begun = "503", time.monotonic()
    threading.Timer(2 * LONGEST_S, setattr, (rig.own, "mode", "ok")).start()

    assert rig.ask(key="key-claims").status == 200
    assert time.monotonic() - begun > 2 * LONGEST_S
