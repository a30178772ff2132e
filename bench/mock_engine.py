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
from contextlib import suppress
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


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await _read_body(reader, head)
            if head.startswith(b"POST"):
                await _stream(writer)
            else:
                writer.write(WELL)
    writer.close()


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
    if length := LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    elif b"chunked" in head.lower():
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)


async def _stream(writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + FIRST_S
    for number in range(CHUNKS):
        await asyncio.sleep(due - loop.time())
        # The head comes with the first chunk: what it costs on the way is time to first token.
        writer.write(CHUNK if number else HEAD + CHUNK)
        due += GAP_S
    writer.write(END)


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


def _precise() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are not rounded up to whole milliseconds, as epoll's are."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_precise) as runner:
        runner.run(_main())
