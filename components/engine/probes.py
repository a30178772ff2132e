"""Probes, grace period and time-outs of one engine, from the time that it takes to start.

Two facts about vLLM decide them. It opens its port only when the weights are loaded and the graphs
are built, so `/health` is the startup and the readiness probe in one. And after SIGTERM `/health`
stays 200 while new requests fail: a pod leaves the endpoints because it is being deleted, never
because of a probe, so the preStop sleep has to cover the time until every router has seen that.
"""

import math
from dataclasses import dataclass

TEARDOWN_S = 15
"""Seconds between the last answer and the end of the process: workers, GPU memory, sockets."""

HEALTH_PATH = "/health"
"""Answers 200 once the engine serves, 503 when its core has died (vLLM 0.33.0)."""

# For placing the pod on a node that is there, so that the controller does not give up on a rollout
# that is just about to succeed.
ROLLOUT_SPARE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A Kubernetes probe of HEALTH_PATH; fields are the API's, in seconds and counts."""

    period_s: int
    timeout_s: int
    failure_threshold: int

    @property
    def tolerated_s(self) -> int:
        """Seconds of failure that surely pass before the kubelet acts.

        The first probe may come at once, so n failures span n - 1 periods.
        """
        return self.period_s * (self.failure_threshold - 1)

    def manifest(self, port: int | str) -> dict[str, object]:
        """Return the probe as a Kubernetes container has it, asking that port."""
        return {
            "httpGet": {"path": HEALTH_PATH, "port": port},
            "periodSeconds": self.period_s,
            "timeoutSeconds": self.timeout_s,
            "failureThreshold": self.failure_threshold,
        }


READINESS = Probe(period_s=5, timeout_s=5, failure_threshold=3)
"""Quick to find a dead engine, slow to take out one that is busy: the load of a replica that leaves
falls on the others."""

LIVENESS = Probe(period_s=10, timeout_s=5, failure_threshold=10)
"""Only for a process that hangs, since vLLM ends by itself when its engine dies. A restart costs a
cold start, so it waits for a minute and a half of silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long each phase of an engine's life may take, seconds."""

    cold_start_s: float
    """Measured, from the pod's start until it serves: image, weights, compilation, warm-up."""
    startup_budget_s: int
    """What the startup probe allows before the kubelet restarts the container. Held against the whole
    cold start, although the image is there before the probe begins: what is left over is the margin
    for a model that is not cached yet."""
    pre_stop_s: int
    """Sleep before SIGTERM, until the routers have dropped the pod."""
    drain_s: int
    """What requests in flight have after SIGTERM, vLLM's --shutdown-timeout; at least as long as the
    longest request that the gateway allows."""
    termination_grace_s: int
    """From the deletion of the pod to SIGKILL."""
    deployment_await_s: int
    """What `pulumi up` waits for the rollout."""
    node_start_s: int = 0
    """What a node may take that must come before the pod; 0 where nodes are there. No part of the
    startup budget, which begins with the pod."""

    @property
    def progress_deadline_s(self) -> int:
        """What the Deployment's controller waits for the next replica.

        Where no GPU is spare the old pod goes first, so its grace counts as well.
        """
        pod_s = self.startup_budget_s + self.termination_grace_s
        return self.node_start_s + pod_s + ROLLOUT_SPARE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingProblem:
    """An inequality between two timings that does not hold."""

    inequality: str
    """The rule, in the names of Timings."""
    found: str
    """The two values."""
    allowed: str
    """The least value that holds."""
    remedy: str
    """What to do, as an instruction."""


def timings(
    *,
    cold_start_s: float,
    startup_budget_s: int,
    pre_stop_s: int,
    drain_s: int,
    rollout_steps: int,
    node_start_s: int = 0,
) -> Timings:
    """Return the timings with the shortest grace and await that hold.

    A rollout replaces its replicas in `rollout_steps` rounds, one a replica where no GPU is spare,
    and each may take the whole progress deadline. Budget 600, preStop 10, drain 120 and 2 steps:
    grace 10 + 120 + 15 = 145, await 2 x (600 + 145 + 60) = 1610 s; with a node of 480 s before each
    replica 2 x (480 + 805) = 2570 s.
    """
    grace_s = pre_stop_s + drain_s + TEARDOWN_S
    return Timings(
        cold_start_s=cold_start_s,
        startup_budget_s=startup_budget_s,
        pre_stop_s=pre_stop_s,
        drain_s=drain_s,
        termination_grace_s=grace_s,
        deployment_await_s=rollout_steps
        * (node_start_s + startup_budget_s + grace_s + ROLLOUT_SPARE_S),
        node_start_s=node_start_s,
    )


def startup_probe(startup_budget_s: int) -> Probe:
    """Return a probe that fails a container only after the whole budget.

    The period is short, so that an engine that starts quickly is not kept waiting for its next
    probe. Budget 600: every 5 s, 121 failures, 600 s tolerated.
    """
    period_s = 5
    failures = math.ceil(startup_budget_s / period_s) + 1
    return Probe(period_s=period_s, timeout_s=5, failure_threshold=failures)


def check_timings(times: Timings) -> tuple[TimingProblem, ...]:
    """Return every inequality that does not hold; a value that is no number holds none."""
    rules = (_startup_problem, _await_problem, _drain_problem, _grace_problem)
    return tuple(problem for rule in rules if (problem := rule(times)))


def _startup_problem(times: Timings) -> TimingProblem | None:
    if times.startup_budget_s > times.cold_start_s:
        return None
    return TimingProblem(
        inequality="startup_budget_s > cold_start_s",
        found=f"{times.startup_budget_s} s for a cold start of {times.cold_start_s:g} s",
        allowed=f"more than {times.cold_start_s:g} s",
        remedy="raise startup_budget_s: the kubelet would restart the engine while it loads",
    )


def _await_problem(times: Timings) -> TimingProblem | None:
    if times.deployment_await_s > times.cold_start_s:
        return None
    return TimingProblem(
        inequality="deployment_await_s > cold_start_s",
        found=f"{times.deployment_await_s} s for a cold start of {times.cold_start_s:g} s",
        allowed=f"more than {times.cold_start_s:g} s",
        remedy="raise deployment_await_s: the update would fail while the engine loads",
    )


def _drain_problem(times: Timings) -> TimingProblem | None:
    if times.drain_s > 0:
        return None
    return TimingProblem(
        inequality="drain_s > 0",
        found=f"{times.drain_s} s",
        allowed="the longest request that the gateway allows",
        remedy="raise drain_s: at 0 vLLM cuts off every stream of a pod that is replaced",
    )


def _grace_problem(times: Timings) -> TimingProblem | None:
    least_s = times.pre_stop_s + times.drain_s + TEARDOWN_S
    if times.termination_grace_s >= least_s:
        return None
    return TimingProblem(
        inequality=f"termination_grace_s >= pre_stop_s + drain_s + {TEARDOWN_S}",
        found=f"{times.termination_grace_s} s",
        allowed=f"{times.pre_stop_s} + {times.drain_s} + {TEARDOWN_S} = {least_s} s or more",
        remedy="raise termination_grace_s: the kubelet would kill the engine while it drains",
    )
