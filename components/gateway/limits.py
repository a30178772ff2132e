"""Limits that hold over all pods: what Envoy asks the rate-limit service, and what that answers. Pure."""

import json
from typing import Any, Final

from components.gateway.pieces import Json, cluster, endpoint, for_route, http_filter, typed
from components.gateway.plan import GatewayPlan, Hosted

DOMAIN: Final = "breakeven"
SERVICE: Final = "limits"
FILE: Final = "limits.yaml"
TOTAL: Final = "%DYNAMIC_METADATA(llm:total_tokens)%"


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
        _limit("spend", model.name, "day", model.hosted.daily_cap_micro_usd)
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


def key_limits(alias: str) -> Json:
    """Return what one request of a key counts: one request, and the tokens it used when it ends.

    Without tokens the answer costs nothing, and a budget that is used up refuses the next request.
    """
    return _asked(
        _count("requests", alias),
        _count("tokens", alias, hits_addend={"number": 0}),
        _count("tokens", alias, hits_addend={"format": TOTAL}, apply_on_stream_done=True),
    )


def spend_limits(model: str, hosted: Hosted) -> Json:
    """Return what one answer of a hosted model counts: its price in micro-USD, when it ends."""
    return _asked(
        _count("spend", model, hits_addend={"number": 0}),
        _count("spend", model, hits_addend={"format": cost(hosted)}, apply_on_stream_done=True),
    )


def cost(hosted: Hosted) -> str:
    """Return the micro-USD of an answer as Envoy computes it: USD per million tokens times tokens."""
    price, llm = hosted.price, "metadata.filter_metadata['llm']"
    return (
        f"%CEL(uint({llm}['input_tokens'] * {price.input_usd_per_mtok:.6f}"
        f" + {llm}['output_tokens'] * {price.output_usd_per_mtok:.6f} + 0.5))%"
    )


def _asked(*counts: Json) -> Json:
    return for_route("ratelimit", "RateLimitPerRoute", rate_limits=list(counts))


def _count(key: str, value: str, **more: Any) -> Json:
    generic = {"descriptor_key": key, "descriptor_value": value}
    return {"actions": [{"generic_key": generic}], **more}
