"""The stack's own ScaledObject under the real KEDA, HPA and scheduler; only the load is scripted.

The tests follow one deployed model through its days, each from the replicas that it finds or makes.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.declared import LIVE, declare, new_project
from tests.engine.keda import ScriptedPrometheus, run_keda
from tests.engine.kubernetes_api import KubernetesApi, Manifest
from tests.engine.pulumi_cli import PulumiProject
from tests.prometheus_text import total

STACK = "scaled"
NAMESPACE = "serving-scaled"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/support-chat"
SCALED_OBJECT = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/support-chat"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app.kubernetes.io/name=vllm"
POOL = {"pool": "scaled"}
COLD_START_S, COOLDOWN_S = 5, 12
HOLD_S = 60
"""In the minute after replicas were added the HPA may take as many away at once."""
FIRST_NODE_GPUS, CAP = 4, 14
LOOKS_S = 12
"""Long enough for the HPA to look six times, and for KEDA to look once."""
ASKED, EMPTY = "keda_scaler_http_requests_total", "keda_scaler_empty_upstream_responses_total"
QUICK = LIVE | {
    "models[0].pool.replicas": {"min": 0, "max": CAP},
    "models[0].pool.scaling": {
        "kind": "autoscaled",
        "lead_minutes": 10,
        "hold_minutes": HOLD_S / 60,
    },
    "models[0].serving.cold_start_seconds": COLD_START_S,
    "models[0].serving.hold_seconds": 60,
    "models[0].serving.scaling": {"cooldown_seconds": COOLDOWN_S},
    "models[0].serving.memory_gib": 16,  # eight replicas fit on a node
    "models[0].serving.node_selector": POOL,
}
"""The demo with a floor of zero, in a hurry."""


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """The deployed model, what its Prometheus says, and the cluster."""

    project: PulumiProject
    prometheus: ScriptedPrometheus
    plane: ControlPlane
    metrics: str
    """Where KEDA's operator tells its own."""

    @property
    def api(self) -> KubernetesApi:
        return self.plane.api

    def wanted(self) -> int:
        return int(self.api.get(DEPLOYMENT)["spec"]["replicas"])

    def become(self, replicas: int, *, ready: int | None = None, timeout_s: float = 60) -> None:
        """Wait until so many are wanted, and so many of them (all) are ready."""
        ready = replicas if ready is None else ready

        def as_wanted(deployment: Manifest) -> bool:
            there = deployment["status"].get("readyReplicas", 0)
            return bool(deployment["spec"]["replicas"] == replicas and there == ready)

        self.api.wait_for(DEPLOYMENT, as_wanted, timeout_s=timeout_s)

    def seen_for(self, seconds: float) -> set[int]:
        """Return every number of replicas that is wanted within the next seconds."""
        deadline, seen = time.monotonic() + seconds, set()
        while time.monotonic() < deadline:
            seen.add(self.wanted())
            time.sleep(0.3)
        return seen

    def falls_back(self) -> bool:
        conditions = self.api.get(SCALED_OBJECT)["status"]["conditions"]
        return any(each["type"] == "Fallback" and each["status"] == "True" for each in conditions)

    def counted(self, metric: str, **labels: str) -> float:
        """Return what KEDA has counted of the stack so far, as the alert ScalerFailing asks for it."""
        return total(self.metrics, metric, namespace=NAMESPACE, **labels)


def ready_engines(api: KubernetesApi) -> int:
    conditions = [
        condition
        for pod in api.items(PODS)
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    return len(conditions)


@pytest.fixture(scope="module")
def scaled(
    control_plane: ControlPlane, tools_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scaled]:
    folder = tmp_path_factory.mktemp("autoscaling")
    control_plane.add_gpu_node("scaled-a", gpus=FIRST_NODE_GPUS, labels=POOL)
    prometheus = ScriptedPrometheus(ready=lambda: ready_engines(control_plane.api))
    project = new_project(folder, tools_path, control_plane.kubeconfig)
    declare(project, STACK, QUICK)
    project.init(STACK)
    with prometheus.serve() as url, run_keda(control_plane, folder / "keda", proxy=url) as told:
        project.up(STACK).expect()
        yield Scaled(project=project, prometheus=prometheus, plane=control_plane, metrics=told)
        project.destroy(STACK).expect()


@pytest.fixture
def asleep(scaled: Scaled) -> Scaled:
    """Nothing is asked, and nothing runs."""
    scaled.prometheus.down, scaled.prometheus.demand = False, 0
    scaled.become(0)
    return scaled


@pytest.fixture
def four(scaled: Scaled) -> Scaled:
    """As many replicas run as the load needs, and as the first node has GPUs."""
    scaled.prometheus.down = False
    if scaled.wanted() > FIRST_NODE_GPUS:  # one by one they would go a minute each
        scaled.prometheus.demand = 0
        scaled.become(0)
    scaled.prometheus.demand = FIRST_NODE_GPUS
    scaled.become(FIRST_NODE_GPUS)
    return scaled


def test_the_first_request_wakes_one_replica(asleep: Scaled):
    assert asleep.seen_for(LOOKS_S) == {0}
    asleep.prometheus.demand = 0.012  # one request, where a replica serves 82

    asleep.become(1)

    assert asleep.seen_for(LOOKS_S) == {1}
    assert asleep.prometheus.hosts == {f"prometheus.{NAMESPACE}:9090"}


def test_asleep_and_blind_one_replica_is_started(asleep: Scaled):
    asleep.prometheus.down = True

    asleep.become(1)

    assert asleep.seen_for(LOOKS_S) == {1}
    # It has fallen back and counts no errors; that Prometheus refuses it counts all the time.
    before = asleep.counted(ASKED, status_code="503")
    assert asleep.seen_for(LOOKS_S) == {1}
    assert asleep.counted(ASKED, status_code="503") > before > 0


def test_blind_it_keeps_what_there_is(four: Scaled):
    four.prometheus.demand = None

    seen = four.seen_for(COOLDOWN_S + LOOKS_S)
    before = four.counted(EMPTY)
    seen |= four.seen_for(LOOKS_S)

    assert four.falls_back()
    assert seen == {4}
    assert four.counted(EMPTY) > before > 0


def test_less_load_takes_replicas_away_one_by_one_after_the_hold(four: Scaled):
    four.prometheus.demand = 1

    assert four.seen_for(HOLD_S / 2) == {4}
    four.become(3)
    assert four.seen_for(LOOKS_S) == {3}, "one a minute"


def test_no_load_lets_all_replicas_sleep_at_once_after_the_cooldown(four: Scaled):
    four.prometheus.demand = 0

    assert four.seen_for(COOLDOWN_S / 2) == {4}
    assert four.seen_for(COOLDOWN_S + LOOKS_S) == {4, 0}


def test_what_starts_is_not_asked_for_again_and_the_cap_holds(four: Scaled):
    four.prometheus.demand = 12
    four.become(8, ready=4)  # twice as many in one cold start; no node has GPUs for them yet

    # 12 - 4 pending is no more than the 8 that are there. By the load alone it were 12.
    assert four.seen_for(3 * COLD_START_S) == {8}

    four.plane.add_gpu_node("scaled-b", gpus=8, labels=POOL)
    four.become(12)
    four.prometheus.demand = 40
    four.become(CAP, ready=12)
    assert four.seen_for(LOOKS_S) == {CAP}


def test_a_new_floor_reaches_the_model_by_the_autoscaler(asleep: Scaled):
    # The last test of this file: the floor stays.
    floor = {"models[0].pool.replicas.min": 2, "models[0].serving.hold_seconds": 0}
    declare(asleep.project, STACK, QUICK | floor)

    asleep.project.up(STACK).expect()

    asleep.become(2)
    assert asleep.seen_for(COOLDOWN_S + LOOKS_S) == {2}
