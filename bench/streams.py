"""The load of bench/overhead.py: many chat streams at once to one port, timed where they arrive.

    python bench/streams.py PORT KEY [--streams 50] [--seconds 15] [--at-once]

Prints one line of JSON, a `Slot`. It is a process of its own and imports little, so that nothing
else of the benchmark delays its clock.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.mock_engine import CHUNKS, STREAM_S  # noqa: E402 - a script sees its own folder only

EVENTS: Final = CHUNKS + 2
"""Of a complete stream: its chunks, usage and [DONE]."""
PROMPT: Final = "word " * 1024
"""As long as a request of the demo stack."""
LONGEST_S: Final = 30.0
PAUSE_S: Final = 0.2
"""After an error, so that refusals do not become a load of their own."""


@dataclass(kw_only=True)
class Slot:
    """What one client saw. Times are of complete streams begun while all streams were running."""

    streams: int = 0
    """Complete ones, ramp included."""
    errors: dict[str, int] = field(default_factory=dict)
    """By kind."""
    ttft_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)
    """Between a chunk and the next; two that come in one read are 0 apart."""
    cpu_s: float = 0
    """Of this client."""


class BrokenError(Exception):
    """An answer that is no complete stream."""


class Connection(asyncio.Protocol):
    """One kept connection, which asks for one stream at a time."""

    _transport: asyncio.Transport
    _ended: asyncio.Future[list[float]]

    def __init__(self) -> None:
        self._unread, self._text = b"", b""
        self._came: list[float] = []
        self._in_body = False

    def ask(self, request: bytes) -> asyncio.Future[list[float]]:
        """Return what becomes the times at which the events came; BrokenError if it does not end."""
        self._unread, self._text, self._came, self._in_body = b"", b"", [], False
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._ended

    def close(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP it always is
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Say so to who waits."""
        if hasattr(self, "_ended"):
            self._break("connection lost")

    def data_received(self, data: bytes) -> None:
        """Note the time of each event."""
        now = time.perf_counter()
        self._unread += data
        while not self._ended.done() and (self._chunk(now) if self._in_body else self._head()):
            pass

    def _head(self) -> bool:
        head, found, rest = self._unread.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 200") or b"chunked" not in head.lower():
            self._break(head.split(b"\r\n", 1)[0].decode())
        self._unread, self._in_body = rest, True
        return True

    def _chunk(self, now: float) -> bool:
        line, found, rest = self._unread.partition(b"\r\n")
        if not found or len(rest) < (size := int(line, 16)) + 2:
            return False
        *events, self._text = (self._text + rest[:size]).split(b"\n\n")
        self._came += [now] * len(events)
        self._unread = rest[size + 2 :]
        if size == 0 and len(self._came) == EVENTS:
            self._ended.set_result(self._came)
        elif size == 0:
            self._break(f"{len(self._came)} of {EVENTS} events")
        return True

    def _break(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(BrokenError(why))


@dataclass(kw_only=True)
class Client:
    """One of the streams: it asks again and again over one connection."""

    port: int
    request: bytes
    connection: Connection | None = None

    async def stream(self) -> tuple[float, list[float]]:
        """Return when the request was sent and when each event came, in seconds of one clock."""
        if self.connection is None:
            loop = asyncio.get_running_loop()
            _, self.connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
        begun = time.perf_counter()
        return begun, await self.connection.ask(self.request)

    def close(self) -> None:
        """Drop the connection; the next stream opens one."""
        if self.connection:
            self.connection.close()
        self.connection = None


async def _ask(client: Client, slot: Slot, *, delay_s: float, full: float, until: float) -> None:
    """Ask from `delay_s` on until `until`; streams begun before `full` are not timed."""
    await asyncio.sleep(delay_s)
    while time.perf_counter() < until:
        try:
            async with asyncio.timeout(LONGEST_S):
                begun, came = await client.stream()
        except (BrokenError, OSError) as error:  # TimeoutError is one of the latter
            kind = str(error) or type(error).__name__
            slot.errors[kind] = slot.errors.get(kind, 0) + 1
            client.close()
            await asyncio.sleep(PAUSE_S)
            continue
        slot.streams += 1
        if begun >= full:
            chunks = came[:CHUNKS]
            slot.ttft_ms.append((chunks[0] - begun) * 1000)
            slot.gaps_ms += [(b - a) * 1000 for a, b in pairwise(chunks)]
    client.close()


async def run(port: int, key: str, *, streams: int, seconds: float, at_once: bool) -> Slot:
    """Return what `streams` clients saw that asked for `seconds` once all of them were running."""
    body = {
        "model": "support-chat",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": PROMPT}],
    }
    text = json.dumps(body).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    )
    # The same in every slot. Spread, streams do not begin together: nor do those of strangers.
    chance = random.Random(1)  # noqa: S311 - no secret
    spread_s = 0.0 if at_once else STREAM_S
    slot, full, cpu_before_s = Slot(), time.perf_counter() + spread_s, time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(streams):
            client = Client(port=port, request=head.encode() + text)
            asks = _ask(
                client,
                slot,
                delay_s=chance.uniform(0, spread_s),
                full=full,
                until=full + seconds,
            )
            group.create_task(asks)
    slot.cpu_s = time.process_time() - cpu_before_s
    return slot


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("port", type=int)
    parser.add_argument("key")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--at-once", action="store_true", help="begin all streams together")
    asked = vars(parser.parse_args())
    print(json.dumps(asdict(asyncio.run(run(asked.pop("port"), asked.pop("key"), **asked)))))


if __name__ == "__main__":
    main()
