"""The containers of a pod in their order: init containers, sidecars, then the others."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.dataplane.process_node.runner import Runner

SUCCEEDED, FAILED = "Succeeded", "Failed"
ALWAYS = "Always"


class Containers:
    """Advances the runners of a pod, and stops them in order."""

    def __init__(
        self, spec: dict[str, Any], runner: Callable[[dict[str, Any], str], Runner]
    ) -> None:
        policy = spec.get("restartPolicy", ALWAYS)
        once = "Never" if policy == "Never" else "OnFailure"
        self.inits = [
            runner(init, init.get("restartPolicy") or once)
            for init in spec.get("initContainers") or []
        ]
        self.mains = [runner(main, policy) for main in spec["containers"]]
        self.all = [*self.inits, *self.mains]
        self.initialized = False

    def tick(self) -> None:
        """Start what may start now, and take note of what has ended."""
        for init in self.inits:
            init.tick()
            if not self.initialized and not _passed(init):
                return
        self.initialized = True
        for main in self.mains:
            main.tick()

    def complete(self) -> bool:
        """Return whether nothing is to be run any more, but for what sidecars still do."""
        return self._outcome() is not None

    def phase(self) -> str:
        """Return the pod's phase; it is not over before its sidecars are."""
        outcome = self._outcome()
        if outcome and all(runner.process is None for runner in self.all):
            return outcome
        begun = all("waiting" not in main.state or main.last_state for main in self.mains)
        return "Running" if begun else "Pending"

    def _outcome(self) -> str | None:
        once = [init for init in self.inits if not _is_sidecar(init)]
        if any(init.finished and init.exit_code != 0 for init in once):
            return FAILED
        if not all(main.finished for main in self.mains):
            return None
        return SUCCEEDED if all(main.exit_code == 0 for main in self.mains) else FAILED

    def stop(self, grace_s: float, meanwhile: Callable[[], None]) -> None:
        """End all within the grace period: sidecars after the others, in reverse order."""
        deadline = time.monotonic() + grace_s
        sidecars = [runner for runner in self.inits if _is_sidecar(runner)]
        others = [runner for runner in self.all if runner not in sidecars]
        for group in (others, *([sidecar] for sidecar in reversed(sidecars))):
            left_s = max(0.0, deadline - time.monotonic())
            threads = [threading.Thread(target=partial(r.stop, left_s)) for r in group]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                meanwhile()
        for runner in self.all:
            runner.settle()

    def close(self) -> None:
        """Kill all at once."""
        for runner in self.all:
            runner.close()

    def named(self, name: str | None) -> Runner:
        """Return the runner of that name, or of the first container."""
        return next(r for r in self.all if r.name == (name or self.mains[0].name))


def _is_sidecar(runner: Runner) -> bool:
    return runner.spec.get("restartPolicy") == ALWAYS


def _passed(init: Runner) -> bool:
    """Return whether the containers after this init container may start."""
    if _is_sidecar(init):
        return init.started
    return init.finished and init.exit_code == 0
