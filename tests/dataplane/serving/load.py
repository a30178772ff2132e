"""Streaming load: many clients at once, each checks that its answer came whole."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.dataplane.serving.declared import KEYS, MODEL

WHOLE = "whole"
ANSWER_S = 120


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What each client asks for."""

    gateway: str
    """HOST:PORT."""
    tokens: int
    """Length of the answer, exactly."""
    alias: str
    """Of the key."""
    pause_s: float = 0
    """Between two streams of a client; engines on a CPU share it with those that start."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one stream."""

    outcome: str
    """WHOLE, or what went wrong: `503`, `cut off after 12 pieces`, the name of an error."""
    first_s: float
    """Seconds to the first piece."""
    headers: Mapping[str, str]
    """Of the answer, names in lower case."""
    refusal: str
    """The body of an answer that is an error."""

    @property
    def upstream(self) -> str:
        """Who answered: own or hosted; empty if nobody did."""
        return self.headers.get("x-breakeven-upstream", "")


@dataclass
class Load:
    """Streams that run until told to stop."""

    answers: list[Answer] = field(default_factory=list)
    running: int = 0

    def outcomes(self) -> Counter[str]:
        """Return how many streams ended how."""
        return Counter(answer.outcome for answer in self.answers)


@contextmanager
def streams(
    gateway: str, *, clients: int, tokens: int = 60, alias: str = "claims", pause_s: float = 0
) -> Iterator[Load]:
    """Let that many clients ask for streams, each again and again, on connections of their own.

    At the end of the block no new one begins, and those that run are waited for.
    """
    load, over, work = Load(), threading.Event(), asyncio.Runner()
    asked = Asked(gateway=gateway, tokens=tokens, alias=alias, pause_s=pause_s)
    thread = threading.Thread(
        target=lambda: work.run(_all(clients, asked, load, over)), daemon=True
    )
    thread.start()
    try:
        yield load
    finally:
        over.set()
        thread.join(timeout=2 * ANSWER_S)
        work.close()
    if thread.is_alive():
        raise AssertionError(f"{load.running} streams still run")


def at_once(gateway: str, *, count: int, tokens: int = 20, alias: str = "claims") -> list[Answer]:
    """Ask for that many streams at the same time and return the answers."""

    asked = Asked(gateway=gateway, tokens=tokens, alias=alias)

    async def gather() -> list[Answer]:
        async with _session() as session:
            return await asyncio.gather(*(ask(session, asked) for _ in range(count)))

    return asyncio.run(gather())


async def ask(session: aiohttp.ClientSession, asked: Asked) -> Answer:
    """Ask for one stream, and read it to its end."""
    began = time.monotonic()
    outcome, headers, first_s, pieces = "no end", {}, float("nan"), 0
    refusal = ""
    body = {
        "model": MODEL,
        "prompt": "Once upon a time",
        "max_tokens": asked.tokens,
        "ignore_eos": True,
        "stream": True,
    }
    authorization = {"authorization": f"Bearer {KEYS[asked.alias]}"}
    url = f"http://{asked.gateway}/v1/completions"
    try:
        async with session.post(url, json=body, headers=authorization) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status != 200:
                outcome, refusal = str(response.status), await response.text()
            else:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        first_s = first_s if pieces else time.monotonic() - began
                        pieces += 1
                        outcome = _ended(line) or outcome
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        outcome = f"cut off after {pieces} pieces" if pieces else type(error).__name__
    return Answer(outcome=outcome, first_s=first_s, headers=headers, refusal=refusal)


def _ended(line: bytes) -> str:
    """Return WHOLE at the end of a stream; an error that is told within one, by its text."""
    data = line.removeprefix(b"data: ").strip()
    if data == b"[DONE]":
        return WHOLE
    found = json.loads(data)
    return f"error: {found['error']}" if "error" in found else ""


async def _all(clients: int, asked: Asked, load: Load, over: threading.Event) -> None:
    async with _session() as session:
        await asyncio.gather(*(_client(session, asked, load, over) for _ in range(clients)))


async def _client(
    session: aiohttp.ClientSession, asked: Asked, load: Load, over: threading.Event
) -> None:
    while not over.is_set():
        load.running += 1
        load.answers.append(await ask(session, asked))
        load.running -= 1
        await asyncio.sleep(asked.pause_s)


def _session() -> aiohttp.ClientSession:
    # A connection for each request, as from many clients; the gateway's Service balances those.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_S))
