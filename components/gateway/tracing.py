"""Spans with Langfuse's attributes, and the request log. Pure."""

from typing import Final

from components.gateway.pieces import Json, cluster, endpoint, typed
from components.gateway.plan import GatewayPlan
from components.gateway.recording import ANSWERED, ASKED

COLLECTOR: Final = "collector"
LOG_FIELDS: Final = {
    "time": "%START_TIME%",
    "key": "%METADATA(ROUTE:breakeven:key)%",
    "team": "%METADATA(ROUTE:breakeven:team)%",
    "model": "%DYNAMIC_METADATA(llm:model)%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "attempts": "%RESP(X-ENVOY-ATTEMPT-COUNT)%",
    "upstream": "%RESP(X-BREAKEVEN-UPSTREAM)%",
    "duration_ms": "%DURATION%",
    "input_tokens": "%DYNAMIC_METADATA(llm:input_tokens)%",
    "output_tokens": "%DYNAMIC_METADATA(llm:output_tokens)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "path": "%REQ(:PATH)%",
}
"""Never a prompt, never a key's value."""
CLIENTS_TRACE: Final = ("traceparent", "tracestate")
"""Headers by which a client says whether its request is traced."""


def access_log() -> list[Json]:
    """Return the request log: a line of JSON on standard output for each request but health checks."""
    kind = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
    config = typed(kind, log_format={"json_format": LOG_FIELDS})
    return [{"name": "requests", "filter": {"not_health_check_filter": {}}, "typed_config": config}]


def collector_cluster(plan: GatewayPlan) -> Json:
    """Return the cluster of the OpenTelemetry collector."""
    return cluster(COLLECTOR, [endpoint(*plan.at.collector)])


def tracing(plan: GatewayPlan) -> Json:
    """Return how requests are traced: one span each, as Langfuse shows a generation."""
    host, port = plan.at.collector
    uri = {"uri": f"http://{host}:{port}/v1/traces", "cluster": COLLECTOR, "timeout": "1s"}
    kind = "envoy.config.trace.v3.OpenTelemetryConfig"
    return {
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed(kind, http_service={"http_uri": uri}, service_name="gateway"),
        },
        # A client's own choice would let it fill, or empty, the traces. This is about x-client-trace-id
        # only: the edge drops CLIENTS_TRACE, whose flag would count whatever is said here.
        "client_sampling": {"value": 0},
        "random_sampling": {"value": plan.span_fraction * 100},
        "spawn_upstream_span": False,
        "custom_tags": _tags(prompts=plan.prompts_until is not None),
    }


def _tags(*, prompts: bool) -> list[Json]:
    metadata = "%DYNAMIC_METADATA(llm:{})%"
    used = (
        f'{{"input":{metadata.format("input_tokens")},"output":{metadata.format("output_tokens")}}}'
    )
    tags: list[Json] = [
        {"tag": "langfuse.observation.type", "literal": {"value": "generation"}},
        _of_route("langfuse.user.id", "key"),
        _of_route("langfuse.trace.metadata.team", "team"),
        {"tag": "gen_ai.request.model", "value": metadata.format("model")},
        # Langfuse prices by this one before the one above; of an own answer there is none.
        {"tag": "gen_ai.response.model", "value": "%RESP(X-BREAKEVEN-MODEL)%"},
        {"tag": "langfuse.trace.metadata.upstream", "value": "%RESP(X-BREAKEVEN-UPSTREAM)%"},
        {"tag": "langfuse.observation.usage_details", "value": used},
    ]
    if not prompts:
        return tags
    return [
        *tags,
        {"tag": "langfuse.observation.input", "value": metadata.format(ASKED)},
        {"tag": "langfuse.observation.output", "value": metadata.format(ANSWERED)},
    ]


def _of_route(tag: str, field: str) -> Json:
    """Return a tag out of what a key's routes say about it; an answer of Envoy's own has it too."""
    where = {"key": "breakeven", "path": [{"key": field}]}
    return {"tag": tag, "metadata": {"kind": {"route": {}}, "metadata_key": where}}
