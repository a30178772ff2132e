"""Everything is replaced under streaming load, and no stream is dropped or cut short."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.dataplane.live import until
from tests.dataplane.process_node.pod import Pod
from tests.dataplane.serving.declared import GATEWAY_KEYS, MODEL, key
from tests.dataplane.serving.deployed import Deployed
from tests.dataplane.serving.load import WHOLE, Load, streams
from tests.engine.declared import Changes
from tests.engine.kubernetes_api import ApiError

CLIENTS = 6
TOKENS = 100
PAUSE_S = 2.5
"""Streams of one or two seconds, two or three of them at any time: more would keep the engines' CPU
from those that start."""
ROUTER = f"{MODEL}-router"
CHANGES: dict[str, Changes] = {
    MODEL: {"models[0].serving.max_num_seqs": 12},
    ROUTER: {"models[0].serving.routing": "round_robin"},
    "gateway": {"gateway.keys": [*GATEWAY_KEYS, key("new")]},
}
"""What replaces the pods of a part, and no others."""
CUT_OFF = 'ALERTS{alertname="RequestsCutOff",alertstate="firing"}'
SCRAPED_S = 60
"""What the gateway counts is in Prometheus, and the rule evaluated, a quarter of a minute later."""
NEXT_ENGINE_KEY, NEXT_KEY = "another-key-of-the-engines", "another-key-of-the-batch-in-tests"


@pytest.mark.parametrize("part", [ROUTER, "gateway", MODEL])
def test_an_update_drops_no_stream(stack: Deployed, part: str):
    if (
        part == MODEL
    ):  # a second key of the engines replaces them too: the rotation below begins here
        stack.secrets["engine-key-next"] = NEXT_ENGINE_KEY
    before = {p: names(stack.pods(p)) for p in CHANGES}

    with load_on(stack) as load:
        stack.up(CHANGES[part])
        stack.wait_ready(part, 2)

    after = {p: names(stack.pods(p)) for p in CHANGES}
    assert before[part].isdisjoint(after[part])
    assert [p for p in CHANGES if before[p] != after[p]] == [part]
    assert_whole(load.outcomes())


def test_keys_are_rotated_without_a_refusal(stack: Deployed):
    """Of the engines the second half: the keys change places. Of a client: the old one and the next."""
    if "engine-key-next" not in stack.secrets:
        stack.secrets["engine-key-next"] = NEXT_ENGINE_KEY
        stack.up({})
    secrets, engines = stack.secrets, names(stack.pods(MODEL))
    secrets["engine-key"], secrets["engine-key-next"] = NEXT_ENGINE_KEY, secrets["engine-key"]
    secrets["key-few-next"] = NEXT_KEY

    with load_on(stack) as load:
        stack.up({})
        for part in (ROUTER, "gateway"):
            stack.wait_ready(part, 2)

    assert_whole(load.outcomes())
    assert names(stack.pods(MODEL)) == engines
    old, new = stack.client("few"), stack.client("few", api_key=NEXT_KEY)
    assert [model.id for model in new.models.list()] == [model.id for model in old.models.list()]


@pytest.mark.parametrize("part", [ROUTER, "gateway", MODEL])
def test_a_drained_node_drops_no_stream(stack: Deployed, part: str):
    """Pods are evicted as `kubectl drain` does it, one after the other as budgets allow."""
    gone = stack.pods(part)[:1] if part == MODEL else stack.pods(part)

    with load_on(stack) as load:
        until(lambda: load.running > 1)
        for pod in gone:
            evict(stack, pod)
        stack.wait_ready(part, 2)
        stack.wait_answers()

    assert names(gone).isdisjoint(names(stack.pods(part)))
    assert_whole(load.outcomes())


def test_a_killed_engine_fails_its_own_streams_visibly_and_no_others(stack: Deployed):
    with streams(stack.gateway, clients=8, tokens=400) as load:
        until(lambda: stack.running() == 8, timeout_s=20)
        victim, other = stack.pods(MODEL)
        on_victim = stack.running(victim)
        victim.kill()
        time.sleep(1)
        assert stack.running(other) > 0

    outcomes = load.outcomes()
    cut = sum(count for outcome, count in outcomes.items() if outcome.startswith("cut off"))
    assert 0 < on_victim < 8
    assert cut == on_victim
    assert set(outcomes) - {WHOLE} == {o for o in outcomes if o.startswith("cut off")}
    stack.until_value(CUT_OFF, lambda firing: firing == 1, timeout_s=SCRAPED_S)
    stack.wait_ready(MODEL, 2)


def load_on(stack: Deployed) -> AbstractContextManager[Load]:
    return streams(stack.gateway, clients=CLIENTS, tokens=TOKENS, pause_s=PAUSE_S)


def evict(stack: Deployed, pod: Pod) -> None:
    """Evict a pod once its disruption budget allows it, and wait until it is gone."""
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
    }
    until(_allowed(lambda: stack.api.request("POST", f"{path}/eviction", body)), timeout_s=120)
    until(lambda: not stack.api.exists(path), timeout_s=120)


def _allowed(ask: Callable[[], object]) -> Callable[[], bool]:
    def allowed() -> bool:
        try:
            ask()
        except ApiError as error:
            if error.code != 429:
                raise
            return False
        return True

    return allowed


def names(pods: list[Pod]) -> set[str]:
    return {pod.name for pod in pods}


def assert_whole(outcomes: dict[str, int]) -> None:
    assert set(outcomes) == {WHOLE}
    assert outcomes[WHOLE] >= 2 * CLIENTS
