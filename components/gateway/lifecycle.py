"""Readiness, metrics and the drain before a stop. Pure.

Envoy cuts streams on SIGTERM, and its image has no shell to be told otherwise. So the pod's preStop
hook is a GET to a listener of Envoy itself, whose answer waits until the last request has ended. Who
can reach that port can stop a gateway from being sent requests: no flow opens it, and no Service.
"""

import math
from collections.abc import Iterator
from typing import Final

from components.gateway.errors import answer
from components.gateway.pieces import (
    Json,
    cluster,
    endpoint,
    http_filter,
    listener,
    lua,
    router,
    routes,
    socket,
)
from components.gateway.plan import GatewayPlan

READY: Final = "/ready"
DRAIN: Final = "/drain"
METRICS: Final = "/stats/prometheus"
ADMIN: Final = "admin"
PAUSE: Final = "pause"
UNSEEN_S: Final = 15
"""Until nobody sends new requests to a pod that is going: EndpointSlices, load balancers."""


def lifecycle_listeners(plan: GatewayPlan) -> Iterator[Json]:
    """Yield the listeners that Prometheus and the kubelet reach; neither forwards to anything else."""
    at = plan.at
    metrics = {"match": {"path": METRICS}, "route": {"cluster": ADMIN}}
    manager = {
        "stat_prefix": "metrics",
        "http_filters": [router()],
        "route_config": routes(metrics),
    }
    yield listener("metrics", socket(at.listen, at.metrics), manager)
    kubelet = {
        "stat_prefix": "lifecycle",
        "stream_idle_timeout": "0s",
        "http_filters": [readiness(), lua(drain_code(plan)), router()],
        "route_config": routes(answer(200, "drained", {"path": DRAIN})),
    }
    yield listener("lifecycle", socket(at.listen, at.lifecycle), kubelet)
    yield _pause(plan)


def readiness() -> Json:
    """Return the filter that answers READY: 200, and 503 from the drain on."""
    return http_filter(
        "health_check",
        "HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": READY}}],
    )


def _pause(plan: GatewayPlan) -> Json:
    """Return a listener that answers after a second: Lua has no sleep of its own."""
    always = {"numerator": 100, "denominator": "HUNDRED"}
    delay = {"fixed_delay": "1s", "percentage": always}
    manager = {
        "stat_prefix": PAUSE,
        "http_filters": [http_filter("fault", "HTTPFault", delay=delay), router()],
        "route_config": routes(answer(200, "later", {"prefix": "/"})),
    }
    return listener(PAUSE, socket("127.0.0.1", plan.at.pause), manager)


def lifecycle_clusters(plan: GatewayPlan) -> Iterator[Json]:
    """Yield the clusters of Envoy's own admin port and of the pause."""
    yield cluster(ADMIN, [endpoint("127.0.0.1", plan.at.admin)])
    yield cluster(PAUSE, [endpoint("127.0.0.1", plan.at.pause)])


def longest_drain_s(plan: GatewayPlan) -> int:
    """Return the longest that a drain takes: the longest request, and the time it may be held."""
    return math.ceil(UNSEEN_S + max(plan.longest_s(model) for model in plan.models))


def drain_code(plan: GatewayPlan) -> str:
    """Return the Lua of /drain: fail readiness, then wait until nothing runs any more."""
    return f"""
local function ask(handle, whom, method, path)
  local headers, body = handle:httpCall(whom,
    {{[":method"] = method, [":path"] = path, [":authority"] = whom}}, "", 3000)
  return body or ""
end
function envoy_on_request(handle)
  if handle:headers():get(":path") ~= "{DRAIN}" then return end
  ask(handle, "{ADMIN}", "POST", "/healthcheck/fail")
  local begun = os.time()
  while os.time() - begun < {longest_drain_s(plan)} do
    ask(handle, "{PAUSE}", "GET", "/")
    local active = ask(handle, "{ADMIN}", "GET", "/stats?filter=^http.gateway.downstream_rq_active$")
    if os.time() - begun >= {UNSEEN_S} and active:find(": 0") then return end
  end
end
"""
