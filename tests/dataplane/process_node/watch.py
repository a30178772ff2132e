"""The objects of a list, followed as they change."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable

from tests.engine.kubernetes_api import ApiError, KubernetesApi, Manifest

PAUSE_S = 0.3
Changed = Callable[[Manifest, bool], None]
"""What is called with an object, and whether it is still there."""


class Watch:
    """Lists an API path and then follows it; `changed` is called on a thread of the watch."""

    def __init__(self, api: KubernetesApi, path: str, changed: Changed) -> None:
        self._api = api
        self._path = path
        self._changed = changed
        self._known: dict[str, Manifest] = {}
        self._closed = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._follow, name=f"watch {path}", daemon=True)
        self._thread.start()

    def objects(self) -> list[Manifest]:
        """Return the objects as last seen."""
        return list(self._known.values())

    def close(self) -> None:
        """End it, and wait for its thread."""
        self._closed.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The connection's own method would let its reader fail in other ways.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                self._events(self._list())
            except (OSError, ValueError, ApiError, http.client.HTTPException):
                self._closed.wait(PAUSE_S)  # listed anew: nothing can have been missed

    def _list(self) -> str:
        listed = self._api.get(self._path)
        found = {item["metadata"]["uid"]: item for item in listed["items"]}
        for uid in set(self._known) - set(found):
            self._tell(self._known[uid], there=False)
        for item in found.values():
            self._tell(item, there=True)
        return str(listed["metadata"]["resourceVersion"])

    def _events(self, version: str) -> None:
        joint = "&" if "?" in self._path else "?"
        connection = self._api.connect(timeout_s=None)
        try:
            connection.connect()
            self._socket = connection.sock
            query = f"watch=1&timeoutSeconds=600&resourceVersion={version}"
            connection.request("GET", f"{self._path}{joint}{query}", headers=self._api.headers)
            with connection.getresponse() as response:
                while not self._closed.is_set() and (line := response.readline()):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return
                    self._tell(event["object"], there=event["type"] != "DELETED")
        finally:
            self._socket = None
            connection.close()

    def _tell(self, item: Manifest, *, there: bool) -> None:
        if there:
            self._known[item["metadata"]["uid"]] = item
        else:
            self._known.pop(item["metadata"]["uid"], None)
        self._changed(item, there)
