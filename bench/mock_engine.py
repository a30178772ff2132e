"""A mock of an engine for bench/overhead.py: no model, an answer on a timetable.

    python bench/mock_engine.py PORT

Every POST gets the same OpenAI chat stream: the first chunk `FIRST_S` after the request, then one
each `GAP_S`, `CHUNKS` in all, then usage and [DONE]. Every GET gets 200, the health check's too.
"""

import asyncio
import json
import re
import selectors
import sys
from typing import Final

FIRST_S: Final = 0.1
GAP_S: Final = 0.02
CHUNKS: Final = 100
STREAM_S: Final = FIRST_S + GAP_S * (CHUNKS - 1)

NAMED: Final = {
    "id": "chatcmpl-0123456789abcdef0123456789abcdef",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "support-chat",
}
DELTA: Final = {"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}
USAGE: Final = {
    "prompt_tokens": 1024,
    "completion_tokens": CHUNKS,
    "total_tokens": 1024 + CHUNKS,
}
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
WELL: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _event(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


CHUNK: Final = _event(json.dumps(NAMED | {"choices": [DELTA]}))
END: Final = (
    _event(json.dumps(NAMED | {"choices": [], "usage": USAGE})) + _event("[DONE]") + b"0\r\n\r\n"
)


class Connection(asyncio.Protocol):
    """One kept connection; no request comes before the answer to the last one has ended."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP it always is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is complete."""
        self._unread += data
        head, found, body = self._unread.partition(b"\r\n\r\n")
        if not found or not _is_complete(head, body):
            return
        self._unread = b""
        if head.startswith(b"POST"):
            loop = asyncio.get_running_loop()
            due = loop.time() + FIRST_S
            loop.call_at(due, self._chunk, 1, due)
        else:
            self._transport.write(WELL)

    def _chunk(self, number: int, due: float) -> None:
        if self._transport.is_closing():
            return
        # The head comes with the first chunk: what it costs on the way is time to first token.
        self._transport.write(HEAD + CHUNK if number == 1 else CHUNK)
        if number == CHUNKS:
            self._transport.write(END)
            return
        due += GAP_S
        asyncio.get_running_loop().call_at(due, self._chunk, number + 1, due)


def _is_complete(head: bytes, body: bytes) -> bool:
    if length := LENGTH.search(head):
        return len(body) >= int(length[1])
    return b"chunked" not in head.lower() or body.endswith(b"0\r\n\r\n")


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


def _precise() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are not rounded up to whole milliseconds, as epoll's are."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_precise) as runner:
        runner.run(_main())
