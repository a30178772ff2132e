"""Limits that hold over all pods: what Envoy asks the rate-limit service, and what that answers. Pure."""

import json
from collections.abc import Sequence
from typing import Any, Final

from components.gateway.pieces import (
    ANSWERS,
    MOST_WRITTEN,
    Json,
    cluster,
    endpoint,
    for_route,
    http_filter,
    typed,
)
from components.gateway.plan import GatewayPlan, Hosted, Model

DOMAIN: Final = "breakeven"
SERVICE: Final = "limits"
FILE: Final = "limits.yaml"
SPEND: Final = "spend"
REQUEST_BYTES_PER_TOKEN: Final = 3
"""Of a request's JSON; English has 4 and most other text at least 3, so that this counts rather more."""
ANSWER_BYTES_PER_TOKEN: Final = 4
EVENT_BYTES_PER_TOKEN: Final = 100
"""Of a stream: an event has 200 and mostly one token."""
MOST_ANSWERS: Final = 16
"""Of one request; Envoy counts no more than a thousand million at once."""
LLM: Final = "metadata.filter_metadata['llm']"
LEFT: Final = "!has(response.code)"
"""The client left before the answer began."""
UNANSWERED: Final = (
    "(response.code_details.startsWith('upstream_')"
    " && !response.code_details.contains('connection_failure')"
    " && !response.code_details.contains('connection_timeout'))"
)
"""The request went out, and no answer came back: it may be on the bill."""


def limits_text(plan: GatewayPlan) -> str:
    """Return the configuration of the rate-limit service; a file name of FILE.

    The cap of a hosted model counts micro-USD a day (UTC): 200 USD are 200,000,000.
    """
    minute = [
        _limit(what, key.alias, "minute", amount)
        for key in plan.keys
        for what, amount in (
            ("requests", key.requests_per_minute),
            ("tokens", key.tokens_per_minute),
        )
    ]
    day = [
        _limit(SPEND, model.name, "day", model.hosted.daily_cap_micro_usd)
        for model in plan.models
        if model.hosted
    ]
    return json.dumps({"domain": DOMAIN, "descriptors": [*minute, *day]}, indent=1) + "\n"


def _limit(key: str, value: str, unit: str, amount: int) -> Json:
    return {
        "key": key,
        "value": value,
        "rate_limit": {"unit": unit, "requests_per_unit": amount},
    }


def limits_cluster(plan: GatewayPlan) -> Json:
    """Return the cluster of the rate-limit service, which speaks gRPC."""
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    protocol = typed(kind, explicit_http_config={"http2_protocol_options": {}})
    return cluster(
        SERVICE, [endpoint(*plan.at.limits)], typed_extension_protocol_options={kind: protocol}
    )


def limit_filter(*, open_when_lost: bool, **more: Any) -> Json:
    """Return the filter that asks; without the service own models go on, and no money is spent."""
    grpc = {"envoy_grpc": {"cluster_name": SERVICE}}
    return http_filter(
        "ratelimit",
        "RateLimit",
        domain=DOMAIN,
        timeout="0.25s",
        failure_mode_deny=not open_when_lost,
        rate_limit_service={"grpc_service": grpc, "transport_api_version": "V3"},
        **more,
    )


def key_limits(alias: str, model: Model) -> Json:
    """Return what one request of a key counts: one request, and the tokens it used when it ends.

    A budget that is used up refuses the next request.
    """
    total = tokens(model)
    return _asked(
        _count("requests", alias),
        _count("tokens", alias, hits_addend={"number": 0}),
        _count("tokens", alias, hits_addend={"format": total}, apply_on_stream_done=True),
    )


def spend_limits(model: Model, hosted: Hosted) -> Json:
    """Return what one answer of a hosted model counts: its price in micro-USD, when it ends."""
    price = cost(model, hosted)
    return _asked(
        _count(SPEND, model.name, hits_addend={"number": 0}),
        _count(SPEND, model.name, hits_addend={"format": price}, apply_on_stream_done=True),
    )


def tokens(model: Model) -> str:
    """Return the tokens of an answer as Envoy computes them, for a key's minute.

    Without usage (a client that left, a stream that broke) they are estimated from the bytes of
    request and answer; what failed costs nothing.
    """
    streamed = f"'stream' in {LLM} && {LLM}['stream'] == true"
    per_token = f"({streamed} ? {EVENT_BYTES_PER_TOKEN}.0 : {ANSWER_BYTES_PER_TOKEN}.0)"
    written = f"({LEFT} ? 0.0 : double(response.size) / {per_token})"
    most = _most_written(model)
    estimate = f"{_read()} + ({written} < {most} ? {written} : {most})"
    used = f"(({LEFT} || response.code < 400) ? {estimate} : 0.0)"
    return f"%CEL(uint({_field('total_tokens', used)} + 0.5))%"


def cost(model: Model, hosted: Hosted) -> str:
    """Return the micro-USD of an answer as Envoy computes it: USD per million tokens times tokens.

    Without usage it is the most that the answer may cost: its request's bytes, and as many tokens as
    the request allows. What the provider refused, or never got, costs nothing.
    """
    price = hosted.price
    sent = f"({LEFT} || response.code < 400 || {UNANSWERED})"
    read = _field("input_tokens", _read())
    written = (
        f"('input_tokens' in {LLM} ? {_field('output_tokens', '0.0')} : {_most_written(model)})"
    )
    micro_usd = (
        f"{read} * {price.input_usd_per_mtok:.6f} + {written} * {price.output_usd_per_mtok:.6f}"
    )
    return f"%CEL({sent} ? uint({micro_usd} + 0.5) : 0u)%"


def _read() -> str:
    return f"double(request.size) / {REQUEST_BYTES_PER_TOKEN}.0"


def _most_written(model: Model) -> str:
    """Return the tokens that a request allows for all its answers: `n` times its declared most.

    Of several fields the largest counts, whichever of them the provider obeys.
    """
    most, answers = f"{model.longest_tokens}.0", f"{MOST_ANSWERS}.0"
    declared = _largest([_within(name, most, "0.0") for name in MOST_WRITTEN])
    silent = " && ".join(f"!('{name}' in {LLM})" for name in MOST_WRITTEN)
    return f"(({silent} ? {most} : {declared}) * {_within(ANSWERS, answers, '1.0')})"


def _largest(values: Sequence[str]) -> str:
    """Return the largest of some numbers; CEL has no function for it."""
    first, *others = values
    if not others:
        return first
    least = " && ".join(f"{first} >= {other}" for other in others)
    return f"({least} ? {first} : {_largest(others)})"


def _within(name: str, most: str, otherwise: str) -> str:
    """Return a number of the request; `most` for what is no sensible one, which may mean no limit."""
    value = f"{LLM}['{name}']"
    sensible = f"({value} > 0.0 && {value} < {most} ? {value} : {most})"
    return f"('{name}' in {LLM} ? {sensible} : {otherwise})"


def _field(name: str, otherwise: str) -> str:
    return f"('{name}' in {LLM} ? {LLM}['{name}'] : {otherwise})"


def _asked(*counts: Json) -> Json:
    return for_route("ratelimit", "RateLimitPerRoute", rate_limits=list(counts))


def _count(key: str, value: str, **more: Any) -> Json:
    generic = {"descriptor_key": key, "descriptor_value": value}
    return {"actions": [{"generic_key": generic}], **more}
