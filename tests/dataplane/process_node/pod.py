"""A pod: its containers in order, its status reported, its end as Kubernetes wants it."""

import http.client
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from signal import Signals
from typing import Any

from tests.dataplane.process_node.container import ContainerProcess, Plan
from tests.dataplane.process_node.containers import Containers
from tests.dataplane.process_node.left_out import left_out
from tests.dataplane.process_node.names import Names
from tests.dataplane.process_node.network import Attachment
from tests.dataplane.process_node.objects import MissingError, Owner, Surroundings, delete_pod
from tests.dataplane.process_node.planning import plan_of
from tests.dataplane.process_node.runner import Runner, Setting, now
from tests.dataplane.process_node.status import Conditions
from tests.dataplane.process_node.volumes import make_volumes
from tests.engine.kubernetes_api import ApiError, Manifest

LOOK_S, RETRY_S = 0.1, 0.5
DEFAULT_GRACE_S = 30


class Pod:
    """Runs one pod on a thread of its own."""

    def __init__(self, around: Surroundings, manifest: Manifest, names: Names) -> None:
        self._around, self._names = around, names
        self.left_out = left_out(manifest["spec"])
        """What of its manifest is not honoured."""
        self._attachment: Attachment | None = around.network.attach()
        self.address = self._attachment.address
        self._owner = Owner(
            around=around, manifest=manifest, address=self.address, record=self._record
        )
        self.name, self.namespace = self._owner.name, self._owner.namespace
        self._folder = around.root / "pods" / self._owner.uid
        (self._folder / "files").mkdir(parents=True, exist_ok=True)
        self._volumes: dict[str, Path] | None = None
        self._spec = self._owner.spec
        self._given_s: float = self._spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_S)
        self._wake = threading.Event()
        self._containers = Containers(self._spec, self._runner)
        self._killed = self._deleted = False
        self._grace_s: float | None = None
        self._began, self._conditions = now(), Conditions()
        self._reported: dict[str, Any] = {}
        self._message = ""
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    def start(self) -> None:
        """Start it."""
        own = f"{self.address} {self._spec.get('hostname') or self.name}\n"
        self._names.keep(self._hosts, self.namespace, own)
        self._thread.start()

    def delete(self, grace_s: float) -> None:
        """Let it end within the grace period, and delete it from the API."""
        self._grace_s = grace_s
        self._wake.set()

    def end(self) -> None:
        """Kill it, and wait until nothing of it is left here."""
        self._killed = True
        self._containers.close()
        self._wake.set()
        self._thread.join()

    def kill(self, container: str | None = None) -> None:
        """Kill a container's first process, as a crash or the kernel's out-of-memory killer does."""
        self._process(container).signal(Signals.SIGKILL)

    def pause(self, container: str | None = None) -> None:
        """Stop all processes of a container where they are."""
        self._process(container).pause()

    def resume(self, container: str | None = None) -> None:
        """Let the processes of a container go on."""
        self._process(container).resume()

    def run_inside(
        self, *command: str, container: str | None = None, timeout_s: float = 10
    ) -> tuple[int, str]:
        """Run a command in a container; return its exit code and output."""
        return self._process(container).run_inside(command, timeout_s=timeout_s)

    def log(self, container: str | None = None) -> str:
        """Return all that a container has written, over all its runs."""
        return self._log(self._containers.named(container).name).read_text(errors="replace")

    def troubled(self) -> dict[str, str]:
        """Return the log of each container that has run and is not ready, by its name."""
        unready = [runner.name for runner in self._containers.all if not runner.ready]
        return {name: self.log(name) for name in unready if self._log(name).exists()}

    def _runner(self, spec: dict[str, Any], policy: str) -> Runner:
        return Runner(
            Setting(
                spec=spec,
                address=self.address,
                log=self._log(spec["name"]),
                restart_policy=policy,
                grace_s=self._given_s,
                plan=self._plan,
                changed=self._wake.set,
            )
        )

    @property
    def _hosts(self) -> Path:
        return self._folder / "files" / "hosts"

    def _log(self, container: str) -> Path:
        return self._around.root / f"{self.namespace}_{self.name}_{container}.log"

    def _record(self, name: str) -> None:
        if name not in self.left_out:
            self.left_out.append(name)

    def _process(self, container: str | None) -> ContainerProcess:
        runner = self._containers.named(container)
        if runner.process is None:
            raise AssertionError(f"{runner.name} of {self.name} does not run now")
        return runner.process

    def _plan(self, container: dict[str, Any]) -> Plan:
        assert self._attachment is not None
        return plan_of(
            self._owner,
            container,
            volumes=self._volumes or {},
            attachment=self._attachment,
            folder=self._folder,
        )

    def _run(self) -> None:
        try:
            while not self._killed and self._grace_s is None:
                self._try(self._advance)
                self._try(self._report)
                self._wait(LOOK_S)
            if not self._killed:
                self._containers.stop(self._grace_s or 0, self._meanwhile)
                self._try(self._report)
        finally:
            self._release()
        while not self._killed and not self._deleted:
            self._try(self._delete)

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (ApiError, OSError, http.client.HTTPException) as error:
            self._message = str(error)  # the API server is busy or gone: tried again
            time.sleep(RETRY_S)

    def _advance(self) -> None:
        if self._attachment is None:
            return  # it is complete, and waits to be deleted
        if self._volumes is None:
            try:
                self._volumes = make_volumes(self._owner, self._folder / "volumes")
            except MissingError as error:
                self._message = f"volumes: {error}"
                time.sleep(RETRY_S)
                return
            self._message = ""
        self._containers.tick()
        if self._containers.complete():
            self._containers.stop(self._given_s, self._meanwhile)
            self._release()

    def _meanwhile(self) -> None:
        self._try(self._report)
        self._wait(LOOK_S)

    def _delete(self) -> None:
        delete_pod(self._around.api, self._owner.manifest)
        self._deleted = True

    def _release(self) -> None:
        self._containers.close()
        self._names.forget(self._hosts)
        if self._attachment is not None:
            self._around.network.detach(self._attachment)
            self._attachment = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _report(self) -> None:
        status = self._status()
        if status != self._reported:
            path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}/status"
            body = {"metadata": {"uid": self._owner.uid}, "status": status}
            self._around.api.request("PATCH", path, body, content="strategic-merge-patch+json")
            self._reported = status

    def _status(self) -> dict[str, Any]:
        phase, host = self._containers.phase(), self._around.network.host_address
        return {
            "phase": phase,
            "message": self._message or None,
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "startTime": self._began,
            "conditions": self._conditions.list_of(
                initialized=self._containers.initialized,
                networked=self._attachment is not None,
                unready=[runner.name for runner in self._containers.mains if not runner.ready],
                phase=phase,
            ),
            "initContainerStatuses": [runner.status() for runner in self._containers.inits],
            "containerStatuses": [runner.status() for runner in self._containers.mains],
        }
