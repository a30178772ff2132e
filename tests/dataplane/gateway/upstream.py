"""An OpenAI-compatible upstream whose answers a test chooses."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.threads import served

EVENTS = 5
PROMPT, WRITTEN = 10, 20
"""Tokens of every answer that says what it used."""
LATE_S = 2.5
USAGE = {
    "chat": {"prompt_tokens": PROMPT, "completion_tokens": WRITTEN, "total_tokens": 30},
    "embeddings": {"prompt_tokens": PROMPT, "total_tokens": PROMPT},
    "responses": {"input_tokens": PROMPT, "output_tokens": WRITTEN, "total_tokens": 30},
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(kw_only=True)
class Upstream:
    """A running upstream. `mode`: a status, "ok", "silent" (no usage), "dies", "endless", "late"
    or "gone" (hangs up without an answer)."""

    port: int
    mode: str = "ok"
    seen: list[Seen] = field(default_factory=list)
    words: list[str] = field(default_factory=lambda: [str(number) for number in range(EVENTS)])
    """The answer, in the pieces of a stream."""

    def body(self) -> dict[str, Any]:
        """Return the body of the last request."""
        return self.seen[-1].body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    upstream: Upstream


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        upstream = self.server.upstream
        asked = json.loads(self._read())
        headers = {name.lower(): value for name, value in self.headers.items()}
        upstream.seen.append(Seen(path=self.path, headers=headers, body=asked))
        mode, kind = upstream.mode, _kind(self.path)
        if mode.isdigit():
            self._answer(int(mode), b'{"error": {"message": "of pod 10.0.0.1"}}')
            return
        if mode == "gone":
            self.close_connection = True
            return
        if mode == "late":
            time.sleep(LATE_S)
        usage = None if mode in ("silent", "dies", "endless") else USAGE[kind]
        if asked.get("stream"):
            self._stream(mode, kind, usage)
        else:
            message = {"role": "assistant", "content": "".join(upstream.words)}
            answer = {"id": "x", "choices": [{"message": message}]}
            self._answer(200, json.dumps(answer | ({"usage": usage} if usage else {})).encode())

    def _stream(self, mode: str, kind: str, usage: dict[str, int] | None) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            words = self.server.upstream.words
            for word in words * 2_000 if mode == "endless" else words:
                self._event({"choices": [{"delta": {"content": word}}], "usage": None})
                time.sleep(0.02 if mode == "endless" else 0)
        except OSError:
            mode = "dies"
        if mode == "dies":
            self.close_connection = True
            return
        if usage:
            completed = {"type": "response.completed", "response": {"usage": usage}}
            self._event(completed if kind == "responses" else {"choices": [], "usage": usage})
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, event: dict[str, Any]) -> None:
        data = f"data: {json.dumps(event)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _read(self) -> bytes:
        if (length := self.headers.get("content-length")) is not None:
            return self.rfile.read(int(length))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


def _kind(path: str) -> str:
    return next((kind for kind in ("embeddings", "responses") if path.endswith(kind)), "chat")


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Run an upstream on a loopback port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = Upstream(port=server.server_port)
    with served(server):
        yield server.upstream
