"""A model hub on this machine, with the few answers that its client needs to list and download."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.threads import served


@dataclass
class StandInHub:
    """One repository at one revision."""

    repository: str
    revision: str
    files: dict[str, bytes]
    address: str = ""
    sends: dict[str, bytes] = field(default_factory=dict)
    """What it sends in place of what it lists."""
    token: str | None = None
    """Of who may ask; None for everybody."""
    asked: list[str] = field(default_factory=list)
    """Files that were sent."""

    def sibling(self, name: str) -> dict[str, object]:
        """Return how it lists a file; only large ones, here weights, are LFS objects."""
        body = self.files[name]
        digest, size = hashlib.sha256(body).hexdigest(), len(body)
        lfs = {"sha256": digest, "size": size, "pointerSize": 134}
        listed = {"rfilename": name, "size": size, "blobId": digest[:40]}
        return listed | ({"lfs": lfs} if name.endswith(".safetensors") else {})


class _Handler(BaseHTTPRequestHandler):
    """`hub` is the stand-in."""

    hub: StandInHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._send()

    def do_GET(self):
        self._send()

    def log_message(self, *_):
        pass

    def _send(self):
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        files = f"/{hub.repository}/resolve/{hub.revision}/"
        if hub.token and self.headers.get("authorization") != f"Bearer {hub.token}":
            return self._answer(401, b"{}", {})
        if path == f"/api/models/{hub.repository}/revision/{hub.revision}":
            listed = [hub.sibling(name) for name in hub.files]
            about = {"id": hub.repository, "sha": hub.revision, "siblings": listed}
            return self._answer(200, json.dumps(about).encode(), {})
        name = path.removeprefix(files)
        if not path.startswith(files) or name not in hub.files:
            return self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        body = hub.sends.get(name, hub.files[name])
        if self.command == "GET":
            hub.asked.append(name)
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        return self._answer(200, body, {"ETag": tag, "X-Repo-Commit": hub.revision})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def a_hub(hub: StandInHub) -> Iterator[StandInHub]:
    """Yield it while it answers."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as hub.address:
        yield hub
