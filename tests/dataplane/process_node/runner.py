"""One container of a pod over its life: started, probed, restarted, stopped."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from typing import Any

from tests.dataplane.process_node.container import ContainerProcess, NotStartedError, Plan
from tests.dataplane.process_node.health import Health
from tests.dataplane.process_node.images import repository
from tests.dataplane.process_node.objects import MissingError
from tests.dataplane.process_node.probes import Target

CONFIG_RETRY_S = 1.0
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 1.0, 300.0
LEAST_AFTER_PRE_STOP_S = 2.0  # the kubelet's own
STARTS_AFRESH_S = 600.0  # a run of this length ends the back-off


class ConfigError(Exception):
    """The container cannot be started as declared: a reason as the kubelet names it, and why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a container's runner has from its pod."""

    spec: dict[str, Any]
    address: str
    log: Path
    restart_policy: str
    grace_s: float
    """What a container that its probes fail is given to end by itself."""
    plan: Callable[[dict[str, Any]], Plan]
    """Makes the plan of a run; raises ConfigError or MissingError."""
    changed: Callable[[], None]
    """Called, on any thread, when the runner wants a tick."""


class Runner:
    """Runs one container; `tick` is called by one thread, again and again."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.spec = setting.spec
        self.name: str = setting.spec["name"]
        self.process: ContainerProcess | None = None
        self.finished = False
        self.restarts = 0
        self.exit_code: int | None = None
        self.state: dict[str, Any] = _waiting("ContainerCreating", "")
        self.last_state: dict[str, Any] = {}
        self._health: Health | None = None
        self._due = self._began = 0.0
        self._back_off_s = 0.0
        self._stopping = False

    @property
    def started(self) -> bool:
        """Whether it runs, and its startup probe has passed."""
        return self._health is not None and self._health.started

    @property
    def ready(self) -> bool:
        """Whether it takes traffic."""
        return self._health is not None and self._health.ready

    def tick(self) -> None:
        """Take note of an end, start what is due, and kill what is unhealthy."""
        if self.process is not None and (code := self.process.exit_code()) is not None:
            self._ended(code)
        elif self.process is None and not self.finished and time.monotonic() >= self._due:
            self._start()
        elif self._health and self._health.unhealthy and not self._stopping:
            self._stopping = True
            threading.Thread(target=self._kill_unhealthy, daemon=True).start()

    def stop(self, grace_s: float) -> None:
        """End the container as the kubelet does: hook, SIGTERM, what is left of the grace, SIGKILL."""
        self._stopping, deadline = True, time.monotonic() + grace_s
        process = self.process
        if process is not None:
            if grace_s > 0:
                self._pre_stop(process, grace_s)
                process.signal(Signals.SIGTERM)
                left_s = deadline - time.monotonic()
                process.wait(max(left_s, min(LEAST_AFTER_PRE_STOP_S, grace_s)))
            process.end()
            self._setting.changed()

    def close(self) -> None:
        """Kill it at once, and restart nothing."""
        self.finished = True
        self._forget_health()
        if self.process is not None:
            self.process.end()

    def settle(self) -> None:
        """Take note of the end of a container that is not started again."""
        self.finished = True
        if self.process is not None and (code := self.process.exit_code()) is not None:
            self._ended(code)

    def status(self) -> dict[str, Any]:
        """Return the container's status as the API has it."""
        image = self.spec["image"]
        return {
            "name": self.name,
            "image": image,
            "imageID": repository(image),
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last_state,
        }

    def _start(self) -> None:
        try:
            self.process = ContainerProcess(self._setting.plan(self.spec), self._setting.log)
        except MissingError as error:
            self._wait("CreateContainerConfigError", str(error))
        except ConfigError as error:
            self._wait(error.reason, str(error))
        except NotStartedError as error:
            self._finish_run(128, "StartError", str(error))
        else:
            self._began, self.state = time.monotonic(), {"running": {"startedAt": now()}}
            self._stopping = False
            target = Target(
                address=self._setting.address, container=self.spec, process=self.process
            )
            self._health = Health(target, self._began, self._setting.changed)

    def _wait(self, reason: str, message: str) -> None:
        self.state, self._due = _waiting(reason, message), time.monotonic() + CONFIG_RETRY_S

    def _pre_stop(self, process: ContainerProcess, grace_s: float) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if hook and process.exit_code() is None:
            if "sleep" in hook:
                process.wait(min(hook["sleep"]["seconds"], grace_s))
                return
            target = Target(address=self._setting.address, container=self.spec, process=process)
            if reason := target.passes(hook, grace_s):
                self._note(f"the preStop hook failed: {reason}")

    def _kill_unhealthy(self) -> None:
        if self._health is not None:
            self._note(self._health.unhealthy)
        self.stop(self._setting.grace_s)

    def _ended(self, code: int) -> None:
        self.process = None
        self._forget_health()
        self._finish_run(code, "Completed" if code == 0 else "Error", "")

    def _finish_run(self, code: int, reason: str, message: str) -> None:
        self.exit_code = code
        began = self.state.get("running", {}).get("startedAt", now())
        times = {"startedAt": began, "finishedAt": now()}
        ended = {"exitCode": code, "reason": reason, "message": message, **times}
        policy = self._setting.restart_policy
        again = policy == "Always" or (policy == "OnFailure" and code != 0)
        if self.finished or not again:
            self.state, self.finished = {"terminated": ended}, True
            return
        if time.monotonic() - self._began > STARTS_AFRESH_S:
            self._back_off_s = 0.0
        self._due = time.monotonic() + self._back_off_s
        self.restarts += 1
        self.last_state = {"terminated": ended}
        message = f"back-off {self._back_off_s:.0f}s restarting {self.name}"
        self.state = _waiting("CrashLoopBackOff", message)
        self._back_off_s = min(max(2 * self._back_off_s, FIRST_BACK_OFF_S), LAST_BACK_OFF_S)

    def _forget_health(self) -> None:
        if self._health is not None:
            self._health.stop()
        self._health = None

    def _note(self, text: str) -> None:
        with self._setting.log.open("a") as log:
            log.write(f"[process node] {text}\n")


def now() -> str:
    """Return this second as the API writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _waiting(reason: str, message: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}
