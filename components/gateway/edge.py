"""The listener that clients reach: keys, limits, and which model is asked for. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.gateway.errors import answer, body, local_replies
from components.gateway.lifecycle import readiness
from components.gateway.limits import key_limits, limit_filter
from components.gateway.pieces import (
    INTERNAL_HEADERS,
    UNLIMITED,
    Json,
    asked,
    cluster,
    computed_header,
    disabled,
    endpoint,
    header,
    http_filter,
    inner_cluster,
    inside,
    listener,
    router,
    routes,
    seconds,
    socket,
    typed,
    usage_filters,
)
from components.gateway.plan import GatewayPlan, Model
from components.gateway.recording import recorder
from components.gateway.tracing import CLIENTS_TRACE, access_log, tracing
from stacks.gateway import GatewayKey

PATHS: Final = {"safe_regex": {"regex": "/v1/(chat/completions|completions|embeddings|responses)"}}
MODELS: Final = {"path": "/v1/models"}
METHOD: Final = ":method"
CERTIFICATES: Final = "/etc/envoy-files/certificate.yaml"
"""What names the certificate's files, so that a renewed one is read without a restart."""
READS_BODY: Final = ("buffer", "lua", "json_to_metadata", "sse_to_metadata", "ratelimit")
NOBODY: Final = {"address_prefix": "255.255.255.255", "prefix_len": 32}
SHADOW: Final = "shadow"
ARRIVES_WITHIN: Final = "60s"
"""For the whole request: longer is a client that only holds a connection."""
IDLE_CONNECTION_S: Final = 4060
"""Longer than a load balancer keeps a connection without a request, 4,000 s: what it has is open."""


def edge_listener(plan: GatewayPlan, secrets: Mapping[str, str]) -> Json:
    """Return the listener; `secrets` are those of the stack by name."""
    manager = {
        "stat_prefix": "gateway",
        "use_remote_address": True,
        # Nobody is internal: what a client sends in x-envoy-* headers is dropped.
        "internal_address_config": {"cidr_ranges": [NOBODY]},
        "early_header_mutation_extensions": [_drop_clients_headers()],
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "common_http_protocol_options": {"idle_timeout": seconds(IDLE_CONNECTION_S)},
        "stream_idle_timeout": seconds(plan.longest_silence_s),
        "request_timeout": ARRIVES_WITHIN,
        "request_headers_timeout": "10s",
        "normalize_path": True,
        "access_log": access_log(),
        **({"tracing": tracing(plan)} if plan.traces else {}),
        "local_reply_config": local_replies(),
        "route_config": routes(*_routes(plan, secrets)),
        "http_filters": _filters(plan),
    }
    chain = {"transport_socket": _server_tls()} if plan.tls_secret else {}
    return listener("edge", socket(plan.at.listen, plan.at.edge), manager, **chain)


def edge_clusters(plan: GatewayPlan) -> Iterator[Json]:
    """Yield a cluster for each key: its endpoints are the models, its breaker the key's concurrency."""
    for key in plan.keys:
        models = {model.name: model for model, _, _ in plan.reachable(key)}
        yield inner_cluster(
            f"key_{key.alias}",
            [inside(f"model_{model.name}", metadata=_chosen(model)) for model in models.values()],
            # Of requests only: with a limit of connections too, as many again would wait for one.
            limits=UNLIMITED | {"max_requests": plan.concurrent(key)},
            lb_subset_config={
                "fallback_policy": "NO_FALLBACK",
                "subset_selectors": [{"keys": ["model"]}],
            },
        )
    if plan.mirror:
        yield cluster(SHADOW, [endpoint(service_name(plan.mirror.host), plan.mirror.port)])


def service_name(host: str) -> str:
    """Return the whole name of a Service, out of `<service>.<namespace>` and maybe its domain.

    The short one may also be a name of the internet, and a resolver would ask for it there.
    """
    service, namespace, *_ = host.split(".")
    return f"{service}.{namespace}.svc.cluster.local"


def certificates_text(plan: GatewayPlan) -> str:
    """Return the file that names the certificate; Envoy watches the folder it lies in."""
    folder = plan.at.certificate
    secret = typed(
        "envoy.extensions.transport_sockets.tls.v3.Secret",
        name="certificate",
        tls_certificate={
            "certificate_chain": {"filename": f"{folder}/tls.crt"},
            "private_key": {"filename": f"{folder}/tls.key"},
            "watched_directory": {"path": folder},
        },
    )
    return json.dumps({"resources": [secret]}, indent=1) + "\n"


def _server_tls() -> Json:
    source = {"path_config_source": {"path": CERTIFICATES}, "resource_api_version": "V3"}
    certificate = {"name": "certificate", "sds_config": source}
    kind = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    common = {
        "tls_certificate_sds_secret_configs": [certificate],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "alpn_protocols": ["h2", "http/1.1"],
    }
    return {"name": "tls", "typed_config": typed(kind, common_tls_context=common)}


def _drop_clients_headers() -> Json:
    kind = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    mutations = [{"remove": name} for name in (*INTERNAL_HEADERS, *CLIENTS_TRACE)]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(kind, mutations=mutations),
    }


def _filters(plan: GatewayPlan) -> list[Json]:
    return [
        readiness(),  # for load balancers, which reach no other port
        http_filter("buffer", "Buffer", max_request_bytes=plan.largest_request_bytes),
        *([recorder(plan.prompts_until)] if plan.prompts_until else []),
        *usage_filters([asked("model"), asked("stream")]),
        limit_filter(open_when_lost=True, enable_x_ratelimit_headers="DRAFT_VERSION_03"),
        router(),
    ]


def _routes(plan: GatewayPlan, secrets: Mapping[str, str]) -> Iterator[Json]:
    for key in plan.keys:
        for name in (f"key-{key.alias}", f"key-{key.alias}-next"):
            if name in secrets:
                yield from _key_routes(plan, key, _is("authorization", f"Bearer {secrets[name]}"))
    untouched = {"typed_per_filter_config": disabled(*READS_BODY)}
    refused = body("invalid API key", "invalid_api_key")
    yield answer(401, refused, {**PATHS, "headers": [_is(METHOD, "POST")]}, **untouched)
    yield answer(401, refused, MODELS, **untouched)
    yield answer(404, body("no such path", "not_found"), {"prefix": "/"}, **untouched)


def _key_routes(plan: GatewayPlan, key: GatewayKey, its_key: Json) -> Iterator[Json]:
    """Yield the routes of one value of a key.

    The model is known when the body is read; until then, and without one, the last route counts. So
    each of them says that a restricted key is not recorded.
    """
    mirrored = _mirrored(plan, key)
    about = {"key": key.alias, "team": key.team}
    who: dict[str, Any] = {
        "metadata": {"filter_metadata": {"breakeven": about}},
        "request_headers_to_add": [header("x-client", key.alias), header("x-team", key.team)],
        "request_headers_to_remove": [] if mirrored else ["authorization"],
        "typed_per_filter_config": disabled("lua") if key.residency == "restricted" else {},
    }
    match = {**PATHS, "headers": [its_key, _is(METHOD, "POST")]}
    for model, names, leaves in plan.reachable(key):
        yield _model_route(plan, key, model, _asking(match, names), who, leaves=leaves)
    yield answer(
        403,
        body("the key may not use this model", "model_not_allowed"),
        _asking(match, [name for model in plan.models for name in (*model.names, *model.adapters)]),
        **who,
    )
    known = {"dynamic_metadata": [_model_is({"present_match": True})]}
    yield answer(404, body("there is no such model", "model_not_found"), match | known, **who)
    unnamed = body("the body must be JSON and name a model", "model_missing")
    yield answer(400, unnamed, match, **who)
    listed = {**MODELS, "headers": [its_key, _is(METHOD, "GET")]}
    unread = {**who, "typed_per_filter_config": disabled(*READS_BODY)}
    yield answer(200, models_body(key), listed, **unread)


def models_body(key: GatewayKey) -> str:
    """Return the answer to GET /v1/models."""
    data = [{"id": n, "object": "model", "created": 0, "owned_by": "breakeven"} for n in key.models]
    return json.dumps({"object": "list", "data": data})


def _model_route(
    plan: GatewayPlan, key: GatewayKey, model: Model, match: Json, who: Json, *, leaves: bool
) -> Json:
    added = [
        *who["request_headers_to_add"],
        computed_header("x-breakeven-stream", "%DYNAMIC_METADATA(llm:stream)%"),
        *([header("x-breakeven-fallback", "yes")] if leaves else []),
    ]
    return {
        "match": match,
        **who,
        "request_headers_to_add": added,
        "route": {
            "cluster": f"key_{key.alias}",
            "metadata_match": _chosen(model),
            "timeout": seconds(plan.longest_s(model)),
            **_mirrored(plan, key),
        },
        "typed_per_filter_config": who["typed_per_filter_config"] | key_limits(key.alias, model),
    }


def _mirrored(plan: GatewayPlan, key: GatewayKey) -> Json:
    """Return where a copy goes: with the client's key, which the other gateway knows too."""
    if not plan.mirror or key.residency == "restricted":
        return {}
    millionths = round(plan.mirror.fraction * 1e6)
    copied = {"default_value": {"numerator": millionths, "denominator": "MILLION"}}
    return {"request_mirror_policies": [{"cluster": SHADOW, "runtime_fraction": copied}]}


def _chosen(model: Model) -> Json:
    return {"filter_metadata": {"envoy.lb": {"model": model.name}}}


def _is(name: str, value: str) -> Json:
    return {"name": name, "string_match": {"exact": value}}


def _asking(match: Json, names: Sequence[str]) -> Json:
    exact = [{"string_match": {"exact": name}} for name in names]
    value = {"or_match": {"value_matchers": exact}} if len(exact) > 1 else exact[0]
    return {**match, "dynamic_metadata": [_model_is(value)]}


def _model_is(value: Json) -> Json:
    return {"filter": "llm", "path": [{"key": "model"}], "value": value}
