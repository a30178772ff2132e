"""The real KEDA follows the real gateway: nobody, one, two and nobody again. On nodes without a GPU."""

import time
from collections.abc import Iterator

import pytest

from tests.cpu_nodes import ON_CPU
from tests.dataplane.process_node.node import ProcessNode
from tests.dataplane.serving.declared import MODEL, changes
from tests.dataplane.serving.deployed import Deployed, deployed
from tests.dataplane.serving.load import WHOLE, at_once, streams
from tests.dataplane.serving.service_proxy import service_proxy
from tests.dataplane.serving.stand_ins import Hosted, Langfuse
from tests.engine.control_plane import ControlPlane
from tests.engine.keda import add_definitions, run_keda
from tests.engine.kubernetes_api import Manifest
from tools.data_plane import DataPlane

COLD_START_S = 75
"""Of a real engine on two cores while another one answers; alone it takes 50 s. The kubelet gives
it twice that."""
HOLD_S = 150
COOLDOWN_S = 80
HOLD_MINUTES = 3
"""A replica that was ordered stays for so long; at nothing at all KEDA takes every one before that."""
SCALED = {
    **ON_CPU,
    "models[0].benchmark.total_tokens_per_second": 1200,
    # Of this machine's memory, not the pod's: a process node sets no limit.
    "models[0].serving.gpu_memory_utilization": 0.1,
    "models[0].serving.memory_gib": 24,
    "models[0].serving.cpus": 2,
    # The cores are for the engine that starts beside one that answers, not for many small pieces.
    "models[0].serving.arguments": {"--enforce-eager": True, "--stream-interval": 10},
    "gateway.replicas": 1,
    "models[0].pool.replicas": {"min": 0, "max": 3},
    "models[0].pool.scaling": {
        "kind": "autoscaled",
        "lead_minutes": 1.5,
        "hold_minutes": HOLD_MINUTES,
    },
    "models[0].serving.router_replicas": 1,
    "models[0].serving.cold_start_seconds": COLD_START_S,
    "models[0].serving.hold_seconds": HOLD_S,
    "models[0].serving.scaling": {"cooldown_seconds": COOLDOWN_S, "requests_per_replica": 2},
}


@pytest.fixture(scope="module")
def scaled(  # noqa: PLR0917 - fixtures
    live_control_plane: ControlPlane,
    node: ProcessNode,
    programs: DataPlane,
    outside: tuple[Hosted, Langfuse],
    tools_path: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    """A stack with a floor of zero under KEDA."""
    hosted, langfuse = outside
    folder = tmp_path_factory.mktemp("scaled")
    add_definitions(live_control_plane)
    declared = changes(programs, hosted_url=hosted.url, langfuse_url=langfuse.url)
    with (
        service_proxy(node) as proxy,
        run_keda(live_control_plane, folder / "keda", proxy=proxy),
        deployed(
            live_control_plane,
            node,
            {**declared, **SCALED},
            name="scaled",
            folder=folder / "project",
            search_path=tools_path,
            stand_ins=outside,
            answers=False,
        ) as made,
    ):
        hosted.requests.clear()
        hosted.mood = "well"
        yield made


def wanted(stack: Deployed) -> int:
    return int(stack.api.get(_deployment(stack))["spec"]["replicas"])


def become(stack: Deployed, replicas: int, *, timeout_s: float) -> set[int]:
    """Wait until so many are wanted and ready; return every number that was wanted meanwhile."""
    seen: set[int] = set()

    def so(found: Manifest) -> bool:
        wanted, ready = found["spec"]["replicas"], found["status"].get("readyReplicas", 0)
        seen.add(wanted)
        return bool(wanted == ready == replicas)

    stack.api.wait_for(_deployment(stack), so, timeout_s=timeout_s)
    return seen


def _deployment(stack: Deployed) -> str:
    return f"/apis/apps/v1/namespaces/{stack.namespace}/deployments/{MODEL}"


def test_while_nobody_is_up_a_key_that_may_is_answered_hosted_at_once(scaled: Deployed):
    become(scaled, 0, timeout_s=COOLDOWN_S + 60)
    began = time.monotonic()

    (answer,) = at_once(scaled.gateway, count=1, alias="web-chat")

    assert (answer.outcome, answer.upstream) == (WHOLE, "hosted")
    assert time.monotonic() - began < 5


def test_the_first_request_is_held_until_a_replica_is_up(scaled: Deployed):
    become(scaled, 0, timeout_s=COOLDOWN_S + 60)
    began = time.monotonic()

    (answer,) = at_once(scaled.gateway, count=1, tokens=4, alias="claims")

    assert (answer.outcome, answer.upstream) == (WHOLE, "own")
    assert 5 < time.monotonic() - began < HOLD_S
    assert wanted(scaled) == 1


def test_more_requests_bring_a_second_replica_and_no_third(scaled: Deployed):
    become(scaled, 1, timeout_s=60)

    # Four at a time are 4 / 2 = 2 replicas. The pause: no stream is counted beside the one before it.
    with streams(scaled.gateway, clients=4, tokens=200, alias="claims", pause_s=0.1) as many:
        scaled.api.wait_for(
            _deployment(scaled), lambda found: found["spec"]["replicas"] == 2, timeout_s=90
        )
    # Fewer while it starts: two cores are for both engines, and the hold keeps what was ordered.
    with streams(scaled.gateway, clients=1, tokens=100, alias="claims", pause_s=1) as few:
        seen = become(scaled, 2, timeout_s=60 * HOLD_MINUTES)

    assert seen == {2}, "three are allowed, and never needed"
    assert set(many.outcomes() + few.outcomes()) == {WHOLE}
    assert len({pod.name for pod in scaled.pods(MODEL)}) == 2


def test_when_nothing_is_asked_nobody_is_up(scaled: Deployed):
    become(scaled, 0, timeout_s=COOLDOWN_S + 60)

    assert not scaled.pods(MODEL)
