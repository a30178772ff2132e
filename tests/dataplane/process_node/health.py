"""What the probes of one run of a container have said so far."""

from collections.abc import Callable

from tests.dataplane.process_node.probes import Prober, Target


class Health:
    """Asks the startup probe, and once that has passed the others; calls `changed` on news."""

    def __init__(self, target: Target, began: float, changed: Callable[[], None]) -> None:
        self._target = target
        self._began = began
        self._changed = changed
        self._stopped = False
        self._probers: list[Prober] = []
        self.started = self.ready = False
        self.unhealthy = ""
        """Why the container is to be killed, if it is."""
        if probe := target.container.get("startupProbe"):
            self._probers.append(Prober(probe, target, began, self._hear_startup))
        else:
            self._start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True
        for prober in self._probers:
            prober.stop()

    def _start(self) -> None:
        self.started = True
        container = self._target.container
        if probe := container.get("livenessProbe"):
            self._probers.append(Prober(probe, self._target, self._began, self._hear_liveness))
        if probe := container.get("readinessProbe"):
            self._probers.append(Prober(probe, self._target, self._began, self._hear_readiness))
        else:
            self.ready = True
        if self._stopped:  # meanwhile, on another thread
            self.stop()

    def _hear_startup(self, reason: str | None) -> None:
        if self._stopped or self.started:
            return
        if reason is None:
            self._probers[0].stop()
            self._start()
        else:
            self.unhealthy = f"the startup probe failed: {reason}"
        self._changed()

    def _hear_liveness(self, reason: str | None) -> None:
        if reason is not None:
            self.unhealthy = f"the liveness probe failed: {reason}"
            self._changed()

    def _hear_readiness(self, reason: str | None) -> None:
        if self.ready != (reason is None):
            self.ready = reason is None
            self._changed()
