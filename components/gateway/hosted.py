"""One loopback listener for each hosted model: the provider's key and name for it, and its cap. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from components.gateway.errors import local_replies
from components.gateway.limits import limit_filter, spend_limits
from components.gateway.pieces import (
    INTERNAL_HEADERS,
    Json,
    asked,
    cluster,
    endpoint,
    for_route,
    header,
    http_filter,
    listener,
    literal,
    lua,
    routes,
    seconds,
    socket,
    typed,
    usage_filters,
)
from components.gateway.plan import GatewayPlan, Hosted, Model

OURS: Final = """
-- What the provider holds against us, not against the client, is no answer for the client.
local ours = {["401"] = true, ["402"] = true, ["403"] = true, ["404"] = true, ["405"] = true}
function envoy_on_response(handle)
  local headers = handle:headers()
  if ours[headers:get(":status")] then headers:replace(":status", "502") end
end
"""
NOT_THEIR_BUSINESS: Final = (
    "traceparent",
    "tracestate",
    "cookie",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-external-address",
    "x-envoy-original-host",
    "x-envoy-original-path",
)
WITH_USAGE: Final = {"stream_options": {"include_usage": True}}
"""Without it a provider's stream does not say what it used, and the cap counts an estimate."""
TAKES_STREAM_OPTIONS: Final = "/v1/(chat/completions|completions)"
"""The Responses API has no such option: its last event always says what was used."""


def hosted_listener(
    plan: GatewayPlan, model: Model, hosted: Hosted, secrets: Mapping[str, str]
) -> Json:
    """Return the listener; without the rate-limit service it refuses: no cap, no money."""
    key = secrets[f"hosted-{model.name}"]
    denied = {"status_on_error": {"code": 503}, "rate_limited_status": {"code": 503}}
    manager = {
        "stat_prefix": f"hosted_{model.name}",
        "stream_idle_timeout": seconds(plan.longest_silence_s),
        "generate_request_id": False,
        "local_reply_config": {"mappers": local_replies()["mappers"][2:]},
        "http_filters": [
            lua(OURS),
            # The name: so that there is metadata even where the request allows nothing in numbers.
            *usage_filters([asked("model")]),
            limit_filter(open_when_lost=False, **denied),
            http_filter("transform", "TransformConfig"),
            http_filter("router", "Router", suppress_envoy_headers=True),
        ],
        "route_config": routes(
            _route(plan, model, hosted, key, match=_streamed(), more=WITH_USAGE),
            _route(plan, model, hosted, key, match={"prefix": "/v1/"}, more={}),
        ),
    }
    address = socket("127.0.0.1", plan.hosted_port(model))
    return listener(f"hosted_{model.name}", address, manager)


def hosted_cluster(plan: GatewayPlan, model: Model, hosted: Hosted) -> Json:
    """Return the cluster of the provider; its certificate must be for its host."""
    more = {"transport_socket": _client_tls(plan, hosted)} if hosted.tls else {}
    return cluster(f"provider_{model.name}", [endpoint(hosted.host, hosted.port)], **more)


def _client_tls(plan: GatewayPlan, hosted: Hosted) -> Json:
    name = {"san_type": "DNS", "matcher": {"exact": hosted.host}}
    trusted = {
        "trusted_ca": {"filename": plan.at.authorities},
        "match_typed_subject_alt_names": [name],
    }
    kind = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    common = {"validation_context": trusted, "alpn_protocols": ["http/1.1"]}
    return {
        "name": "tls",
        "typed_config": typed(kind, sni=hosted.host, common_tls_context=common),
    }


def _streamed() -> Json:
    headers = [{"name": "x-breakeven-stream", "string_match": {"exact": "true"}}]
    return {"safe_regex": {"regex": TAKES_STREAM_OPTIONS}, "headers": headers}


def _route(
    plan: GatewayPlan, model: Model, hosted: Hosted, key: str, *, match: Json, more: Json
) -> Json:
    merged: dict[str, Any] = {"model": literal(hosted.model)} | more
    change = {"body_format": {"json_format": merged}, "action": "MERGE"}
    return {
        "match": match,
        "request_headers_to_add": [header("authorization", f"Bearer {key}")],
        "request_headers_to_remove": [*INTERNAL_HEADERS, *NOT_THEIR_BUSINESS],
        "response_headers_to_add": [
            header("x-breakeven-upstream", "hosted"),
            header("x-breakeven-model", hosted.traced_as),
        ],
        "route": {
            "cluster": f"provider_{model.name}",
            "timeout": seconds(plan.longest_request_s),
            # Not prefix_rewrite: where a route matches by expression, that replaces the whole path.
            "regex_rewrite": {
                "pattern": {"regex": "^/v1/"},
                "substitution": f"{hosted.path}/",
            },
            "host_rewrite_literal": hosted.host,
        },
        "typed_per_filter_config": spend_limits(model, hosted)
        | for_route(
            "transform", "TransformConfig", request_transformation={"body_transformation": change}
        ),
    }
