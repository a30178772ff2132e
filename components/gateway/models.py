"""One listener for each model, behind the keys: holding, retrying, and falling back. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.gateway.errors import local_replies, uniform
from components.gateway.pieces import (
    INTERNAL_HEADERS,
    Json,
    cluster,
    endpoint,
    header,
    inner_listener,
    lua,
    router,
    routes,
    seconds,
    typed,
)
from components.gateway.plan import GatewayPlan, Model

HOLD_FIRST_S: Final = 1
HOLD_MAX_S: Final = 3
"""Between two tries while no replica is up; a router's refusal costs nothing."""
QUICK_RETRIES: Final = 2
"""For a router that is being replaced: the request has reached nobody yet."""


def model_listener(plan: GatewayPlan, model: Model, secrets: Mapping[str, str]) -> Json:
    """Return the listener in front of a model's router; its gauge counts what waits and what runs."""
    manager = {
        "stat_prefix": f"model_{model.name}",
        "stream_idle_timeout": seconds(plan.longest_silence_s),
        "generate_request_id": False,
        "local_reply_config": local_replies(),
        "http_filters": [lua(uniform()), router()],
        "route_config": routes(
            *_routes(plan, model, secrets["engine-key"]), include_attempt_count_in_response=True
        ),
    }
    return inner_listener(f"model_{model.name}", manager)


def model_clusters(plan: GatewayPlan, model: Model) -> Iterator[Json]:
    """Yield the clusters of a model: its router, and the router with the hosted model behind it."""
    own = [endpoint(*plan.at.router(model.name))]
    yield cluster(f"own_{model.name}", own)
    if model.hosted:
        hosted = [endpoint("127.0.0.1", plan.hosted_port(model))]
        yield cluster(f"hybrid_{model.name}", own, hosted)


def _routes(plan: GatewayPlan, model: Model, engine_key: str) -> Iterator[Json]:
    if model.hosted:
        leaves = _is("x-breakeven-fallback", "yes")
        late = {"per_try_timeout": seconds(model.first_byte_s)}
        streamed = [leaves, _is("x-breakeven-stream", "true")]
        # An answer that is not streamed begins when it is complete: no first byte to wait for.
        for headers, retry in ((streamed, FALL_BACK | late), ([leaves], FALL_BACK)):
            to = _to(f"hybrid_{model.name}", plan.longest_request_s, retry)
            yield _route(plan, headers, engine_key, to, INTERNAL_HEADERS[:3])
    retry = held(model.hold_s, plan.longest_request_s) if model.hold_s else QUICK
    to = _to(f"own_{model.name}", plan.longest_s(model), retry)
    yield _route(plan, [], engine_key, to, INTERNAL_HEADERS)


def _to(name: str, longest_s: float, retry: Json) -> Json:
    return {"cluster": name, "timeout": seconds(longest_s), "retry_policy": retry}


def _route(
    plan: GatewayPlan, headers: list[Json], engine_key: str, to: Json, removed: Sequence[str]
) -> Json:
    return {
        "match": {"prefix": "/", "headers": headers},
        "request_headers_to_add": [
            header("authorization", f"Bearer {engine_key}"),
            # What was read as JSON is called so: the hosted model's name is put only into JSON.
            header("content-type", "application/json"),
        ],
        "request_headers_to_remove": list(removed),
        "response_headers_to_add": [header("x-breakeven-upstream", "own", replace=False)],
        "route": to,
        "request_body_buffer_limit": 2 * plan.largest_request_bytes,
    }


QUICK: Final[Json] = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": QUICK_RETRIES,
}

_PREVIOUS: Final = "envoy.extensions.retry.priority.previous_priorities.v3"
FALL_BACK: Final[Json] = {
    # Before the first byte of an answer only; 400 and what else the client caused passes through.
    "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
    "retriable_status_codes": [429, 503],
    "num_retries": 1,
    "retry_priority": {
        "name": "envoy.retry_priorities.previous_priorities",
        "typed_config": typed(f"{_PREVIOUS}.PreviousPrioritiesConfig", update_frequency=1),
    },
}


def held(hold_s: int, longest_request_s: float) -> Json:
    """Return the retries that hold a request: the mean wait is half the longest, 1.5 s.

    480 s are 320 tries. Envoy draws each wait between nothing and the longest, so that held
    requests do not come back at once. A try that a router took ends as late as one never held,
    before the router's own limit, and is not repeated.
    """
    back_off: dict[str, Any] = {
        "base_interval": seconds(HOLD_FIRST_S),
        "max_interval": seconds(HOLD_MAX_S),
    }
    return {
        "retry_on": "connect-failure,refused-stream,reset-before-request,retriable-status-codes",
        "retriable_status_codes": [503],
        "num_retries": math.ceil(hold_s / (HOLD_MAX_S / 2)),
        "per_try_timeout": seconds(longest_request_s),
        "retry_back_off": back_off,
    }


def _is(name: str, value: str) -> Json:
    return {"name": name, "string_match": {"exact": value}}
