"""What stands for a hosted API and for Langfuse: servers on the network's host address.

Each is told how to behave by setting its `mood`, and remembers what it was sent.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.threads import event_loop

Mood = Literal["well", "full", "broken", "hangs"]
WORDS = ("hosted ", "words ", "of ", "an ", "answer")
USAGE = {"prompt_tokens": 10, "completion_tokens": len(WORDS), "total_tokens": 10 + len(WORDS)}
SPANS_PATH = "/api/public/otel/v1/traces"
MODELS_PATH = "/api/public/models"


@dataclass
class Hosted:
    """An OpenAI-compatible provider."""

    url: str = ""
    mood: Mood = "well"
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Headers, in lower case, and body of each request."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion."""
        body = await request.json()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, body))
        await self.refuse()
        if body.get("stream"):
            return await _stream(request, _events(body))
        message = {"role": "assistant", "content": "".join(WORDS)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return web.json_response(_completion(body, choices=[choice], usage=USAGE))

    async def refuse(self) -> None:
        """Do as the mood says."""
        if self.mood == "hangs":
            await asyncio.sleep(3600)
        if self.mood == "full":
            raise web.HTTPTooManyRequests(text="come back later")
        if self.mood == "broken":
            raise web.HTTPInternalServerError(text="broken at 10.0.0.1")


@dataclass
class Langfuse:
    """Takes spans by OTLP over HTTP, and the prices of models."""

    url: str = ""
    mood: Mood = "well"
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    """Names of the services that sent them."""
    models: list[dict[str, Any]] = field(default_factory=list)
    """What was registered with a price."""

    def attributes(self) -> list[dict[str, str]]:
        """Return the attributes of each span that are text."""
        return [
            {each.key: each.value.string_value for each in span.attributes} for span in self.spans
        ]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take an export."""
        raw = await request.read()
        if self.mood == "hangs":
            await asyncio.sleep(3600)
        if self.mood != "well":
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        export = ExportTraceServiceRequest.FromString(raw)
        for resource in export.resource_spans:
            names = (a for a in resource.resource.attributes if a.key == "service.name")
            self.services |= {name.value.string_value for name in names}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def register(self, request: web.Request) -> web.StreamResponse:
        """Take a model's price."""
        self.models.append(await request.json())
        return web.json_response(self.models[-1])

    async def registered(self, _: web.Request) -> web.StreamResponse:
        """Return the models with a price."""
        return web.json_response({"data": self.models, "meta": {"totalPages": 1}})


@contextmanager
def stand_ins(address: str) -> Iterator[tuple[Hosted, Langfuse]]:
    """Run both; their `url` is theirs."""
    hosted, langfuse = Hosted(), Langfuse()
    routes = [
        web.post("/v1/chat/completions", hosted.answer),
        web.post("/v1/completions", hosted.answer),
        web.post(SPANS_PATH, langfuse.answer),
        web.post("/v1/traces", langfuse.answer),  # as a collector takes them
        web.post(MODELS_PATH, langfuse.register),
        web.get(MODELS_PATH, langfuse.registered),
    ]
    with event_loop("stand-ins") as loop:
        runner, port = asyncio.run_coroutine_threadsafe(_serve(address, routes), loop).result()
        hosted.url = langfuse.url = f"http://{address}:{port}"
        try:
            yield hosted, langfuse
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()


async def _serve(address: str, routes: list[web.RouteDef]) -> tuple[web.AppRunner, int]:
    app = web.Application(client_max_size=1 << 26)
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, address, 0)
    await site.start()
    return runner, int(runner.addresses[0][1])


async def _stream(request: web.Request, events: AsyncIterator[str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    async for event in events:
        await response.write(f"data: {event}\n\n".encode())
    await response.write_eof()
    return response


async def _events(body: dict[str, Any]) -> AsyncIterator[str]:
    for word in WORDS:
        delta = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        yield json.dumps(_completion(body, choices=[delta]))
        await asyncio.sleep(0.01)
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield json.dumps(_completion(body, choices=[last]))
    if body.get("stream_options", {}).get("include_usage"):
        yield json.dumps(_completion(body, choices=[], usage=USAGE))
    yield "[DONE]"


def _completion(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    kind = "chat.completion.chunk" if body.get("stream") else "chat.completion"
    return {"id": "chatcmpl-hosted", "object": kind, "created": 0, "model": body["model"]} | more
