"""A registry on this machine that serves manifests by tag, as the real ones do or fail to."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.threads import served

INDEX = "application/vnd.oci.image.index.v1+json"
TOKEN = "everybody's"  # noqa: S105 - given to whoever asks


@dataclass
class StandIn:
    """What it has and how it answers; `asked` is what it was asked."""

    address: str = ""
    tags: dict[str, bytes] = field(default_factory=dict)
    tells_digest: bool | str = True
    """Whether it does, or what else it tells."""
    content_type: str = INDEX
    challenge: str | None = None
    """WWW-Authenticate of those without a token; {address} is its own."""
    token: object = TOKEN
    status: int = 200
    location: str | None = None
    """Where it sends who asks for a manifest."""
    delay_s: float = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    scopes: list[dict[str, list[str]]] = field(default_factory=list)

    def serve(self, name: str) -> str:
        """Put an image like library/redis:7 there and return its digest."""
        self.tags[name] = json.dumps({"schemaVersion": 2, "name": name}).encode()
        return f"sha256:{hashlib.sha256(self.tags[name]).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    registry: StandIn

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def log_message(self, *_):
        pass

    def _answer(self):
        own, parts = self.registry, urlsplit(self.path)
        time.sleep(own.delay_s)
        own.asked.append((self.command, parts.path))
        if parts.path == "/token":
            own.scopes.append(parse_qs(parts.query))
            self._send(200, json.dumps({"token": own.token}).encode(), {})
        elif own.challenge and self.headers["Authorization"] != f"Bearer {TOKEN}":
            told = own.challenge.format(address=own.address)
            self._send(401, b"", {"WWW-Authenticate": told})
        elif own.location:
            self._send(307, b"", {"Location": own.location})
        else:
            self._send_manifest(parts.path)

    def _send_manifest(self, path: str):
        own = self.registry
        body = own.tags.get(path.removeprefix("/v2/").replace("/manifests/", ":"))
        if own.status != 200 or body is None or INDEX not in self.headers["Accept"]:
            self._send(own.status if own.status != 200 else 404, b"{}", {})
            return
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        digest = own.tells_digest if isinstance(own.tells_digest, str) else digest
        told = {"Docker-Content-Digest": digest} if own.tells_digest else {}
        self._send(200, body, {"Content-Type": own.content_type} | told)

    def _send(self, status: int, body: bytes, headers: dict[str, str]):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that timed out has gone


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run a registry on a free port."""
    registry = StandIn()
    handler = type("Handler", (_Handler,), {"registry": registry})
    with served(_Server(("127.0.0.1", 0), handler)) as registry.address:
        yield registry
