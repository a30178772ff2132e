"""Probes and hooks: how a pod is asked how it is, and told what is coming."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.dataplane.process_node.container import ContainerProcess

Spec = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The run of a container that is asked."""

    address: str
    container: Spec
    process: ContainerProcess

    def port(self, declared: int | str) -> int:
        """Return a port's number; a name is looked up in the manifest."""
        if isinstance(declared, int):
            return declared
        ports = {port.get("name"): port["containerPort"] for port in self.container["ports"]}
        return int(ports[declared])

    def passes(self, action: Spec, timeout_s: float) -> str | None:
        """Return None if a probe's or hook's action succeeds, or why it does not."""
        try:
            if get := action.get("httpGet"):
                return self._http(get, timeout_s)
            if tcp := action.get("tcpSocket"):
                at = (tcp.get("host") or self.address, self.port(tcp["port"]))
                socket.create_connection(at, timeout=timeout_s).close()
            if command := action.get("exec"):
                code, output = self.process.run_inside(command["command"], timeout_s=timeout_s)
                return f"exit code {code}: {output[-200:]}" if code else None
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        return None

    def _http(self, get: Spec, timeout_s: float) -> str | None:
        host, port = get.get("host") or self.address, self.port(get["port"])
        if get.get("scheme") == "HTTPS":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=timeout_s, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        given = {header["name"]: header["value"] for header in get.get("httpHeaders", [])}
        try:
            headers = {"User-Agent": "kube-probe/1.35", "Accept": "*/*", "Connection": "close"}
            connection.request("GET", get.get("path", "/"), headers=headers | given)
            status = connection.getresponse().status
        finally:
            connection.close()
        fine = http.client.OK <= status < http.client.BAD_REQUEST
        return None if fine else f"HTTP {status}"


class Prober:
    """Asks one probe of one run of a container, until it is stopped.

    `heard` is called with None past the threshold of successes, with a reason past that of failures.
    """

    def __init__(
        self, probe: Spec, target: Target, began: float, heard: Callable[[str | None], None]
    ) -> None:
        self._probe = probe
        self._target = target
        self._first_at = began + probe.get("initialDelaySeconds", 0)
        self._heard = heard
        self._stopped = threading.Event()
        threading.Thread(target=self._ask, name="probe", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; an answer that is still under way is not heard."""
        self._stopped.set()

    def _ask(self) -> None:
        needed = {
            True: self._probe.get("successThreshold", 1),
            False: self._probe.get("failureThreshold", 3),
        }
        last, times = None, 0
        self._stopped.wait(max(0.0, self._first_at - time.monotonic()))
        while not self._stopped.is_set():
            began = time.monotonic()
            reason = self._target.passes(self._probe, self._probe.get("timeoutSeconds", 1))
            passed = reason is None
            times = times + 1 if passed is last else 1
            last = passed
            if times >= needed[passed] and not self._stopped.is_set():
                self._heard(reason)
            period_s = self._probe.get("periodSeconds", 10)
            self._stopped.wait(max(0.0, began + period_s - time.monotonic()))
