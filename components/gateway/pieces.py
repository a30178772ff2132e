"""Pieces of Envoy's configuration that several listeners share. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Json = dict[str, Any]
"""A part of Envoy's configuration, as its JSON."""

_HTTP: Final = "envoy.extensions.filters.http"
HCM_TYPE: Final = (
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
ANSWER_BYTES: Final = 32 * 2**20
"""Largest answer whose usage is read, as that of a batch of embeddings: a limit, not a reservation."""
INTERNAL_HEADERS: Final = ("x-client", "x-team", "x-breakeven-fallback", "x-breakeven-stream")
TOKENS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "input_tokens": (("usage", "prompt_tokens"), ("usage", "input_tokens")),
    "output_tokens": (("usage", "completion_tokens"), ("usage", "output_tokens")),
    "total_tokens": (("usage", "total_tokens"),),
}
"""Where answers say what they used: chat, completions and embeddings; and the Responses API."""
MOST_WRITTEN: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Where requests say how many tokens an answer may have: for answers that do not say what they used."""
ANSWERS: Final = "n"
"""Where they say how many answers they want."""


def typed(kind: str, **fields: Any) -> Json:
    """Return a typed_config."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


def http_filter(name: str, message: str, **fields: Any) -> Json:
    """Return an HTTP filter, e.g. `ratelimit` of message `RateLimit`."""
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": typed(f"{_HTTP}.{name}.v3.{message}", **fields),
    }


def for_route(name: str, message: str, **fields: Any) -> Json:
    """Return what a route says to one filter, an entry of typed_per_filter_config."""
    return {f"envoy.filters.http.{name}": typed(f"{_HTTP}.{name}.v3.{message}", **fields)}


def disabled(*names: str) -> Json:
    """Return what takes filters out of a route's way."""
    off = typed("envoy.config.route.v3.FilterConfig", disabled=True)
    return {f"envoy.filters.http.{name}": off for name in names}


def literal(text: str) -> str:
    """Return a text for where Envoy takes a format string: it reads `%` as the start of a command."""
    return text.replace("%", "%%")


def header(name: str, value: str, *, replace: bool = True) -> Json:
    """Return a header to set to this very value, or to add where there is none."""
    return computed_header(name, literal(value), replace=replace)


def computed_header(name: str, format_string: str, *, replace: bool = True) -> Json:
    """Return a header whose value Envoy computes for each request, e.g. `%PROTOCOL%`."""
    action = "OVERWRITE_IF_EXISTS_OR_ADD" if replace else "ADD_IF_ABSENT"
    return {"header": {"key": name, "value": format_string}, "append_action": action}


def seconds(value: float) -> str:
    """Return a duration as protobuf's JSON has it: no exponent, at most nine places."""
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def socket(host: str, port: int) -> Json:
    """Return a TCP address."""
    return {"socket_address": {"address": host, "port_value": port}}


def endpoint(host: str, port: int, **more: Any) -> Json:
    """Return an endpoint of a cluster."""
    return {"endpoint": {"address": socket(host, port)}, **more}


_NAMES: Final = typed(
    "envoy.extensions.clusters.dns.v3.DnsCluster",
    dns_lookup_family="V4_PREFERRED",
    dns_refresh_rate="5s",
    typed_dns_resolver_config={
        "name": "envoy.network.dns_resolver.getaddrinfo",
        "typed_config": typed(
            "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig"
        ),
    },
)


def inside(name: str, **more: Any) -> Json:
    """Return an endpoint that is a listener of the same process, reached without a socket."""
    address = {"envoy_internal_address": {"server_listener_name": name}}
    return {"endpoint": {"address": address}, **more}


def cluster(
    name: str, *priorities: Sequence[Json], limits: Json | None = None, **more: Any
) -> Json:
    """Return a cluster of endpoints by priority; names are asked of the system's resolver.

    The resolver that Envoy brings does not know the search domains of a pod.
    """
    found = {"cluster_type": {"name": "envoy.clusters.dns", "typed_config": _NAMES}}
    return _cluster(name, priorities, limits) | found | more


def inner_cluster(name: str, endpoints: Sequence[Json], *, limits: Json, **more: Any) -> Json:
    """Return a cluster of listeners of the same process."""
    return _cluster(name, [endpoints], limits) | {"type": "STATIC"} | more


def _cluster(name: str, priorities: Sequence[Sequence[Json]], limits: Json | None) -> Json:
    return {
        "name": name,
        "connect_timeout": "2s",
        "per_connection_buffer_limit_bytes": ANSWER_BYTES,
        "circuit_breakers": {"thresholds": [limits or UNLIMITED]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {"priority": number, "lb_endpoints": list(endpoints)}
                for number, endpoints in enumerate(priorities)
            ],
        },
    }


_MANY: Final = 1_000_000
UNLIMITED: Final[Json] = {
    "max_connections": _MANY,
    "max_pending_requests": _MANY,
    "max_requests": _MANY,
    # Held requests are retries; the default lets three wait and fails the others.
    "max_retries": _MANY,
}


def listener(name: str, address: Json, manager: Json, **chain: Any) -> Json:
    """Return a listener of one HTTP connection manager."""
    filters = [{"name": "http", "typed_config": typed(HCM_TYPE, **manager)}]
    return {
        "name": name,
        "address": address,
        "per_connection_buffer_limit_bytes": ANSWER_BYTES,
        "filter_chains": [{"filters": filters, **chain}],
    }


def inner_listener(name: str, manager: Json) -> Json:
    """Return a listener that only this process reaches."""
    made = listener(name, {}, manager)
    del made["address"]
    return made | {"internal_listener": {}}


def routes(*each: Json, **host: Any) -> Json:
    """Return a route configuration for every host; the first route that matches counts."""
    return {
        "max_direct_response_body_size_bytes": 2**20,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(each), **host}],
    }


def router() -> Json:
    """Return the last filter of every chain."""
    return http_filter("router", "Router")


def lua(code: str) -> Json:
    """Return a Lua filter."""
    return http_filter("lua", "Lua", default_source_code={"inline_string": code})


def usage_filters(request_rules: Sequence[Json] = ()) -> list[Json]:
    """Return the filters that read what an answer used, streamed or not, into metadata `llm`.

    And what its request allowed, beside `request_rules`.
    """
    used = [
        _present(key, (*front, *path))
        for key, paths in TOKENS.items()
        for path in paths
        for front in ((), ("response",))  # the Responses API streams it within its last event
    ]
    # A metadata key each: in a common one the last field present would hide the others.
    permitted = [_present(key, (key,)) for key in (*MOST_WRITTEN, ANSWERS)]
    return [_json_filter([*request_rules, *permitted], used), _event_filter(used)]


def _json_filter(of_request: Sequence[Json], of_answer: Sequence[Json]) -> Json:
    allowed = ["application/json", "application/json; charset=utf-8"]
    return http_filter(
        "json_to_metadata",
        "JsonToMetadata",
        request_rules={
            "rules": of_request,
            "allow_content_types": allowed,
            "allow_empty_content_type": True,
        },
        response_rules={"allow_content_types": allowed, "rules": of_answer},
    )


def _event_filter(of_answer: Sequence[Json]) -> Json:
    parser = typed(
        "envoy.extensions.content_parsers.json.v3.JsonContentParser",
        rules=[{"rule": rule} for rule in of_answer],
    )
    return http_filter(
        "sse_to_metadata",
        "SseToMetadata",
        response_rules={
            "content_parser": {"name": "envoy.content_parsers.json", "typed_config": parser},
            "max_event_size": 2**20,
        },
    )


def _present(key: str, path: Sequence[str]) -> Json:
    return {
        "selectors": [{"key": part} for part in path],
        "on_present": {"metadata_namespace": "llm", "key": key, "type": "NUMBER"},
    }


def asked(key: str) -> Json:
    """Return the rule that reads a field of a request's body into metadata `llm`."""
    return {
        "selectors": [{"key": key}],
        "on_present": {"metadata_namespace": "llm", "key": key},
    }
