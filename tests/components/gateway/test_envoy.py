import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from components.gateway.edge import edge_clusters, models_body, service_name
from components.gateway.envoy import envoy_config, envoy_text
from components.gateway.models import held, model_listener
from components.gateway.recording import over_s
from tests.components.gateway.plans import SECRETS, a_plan, named_by_provider

RECORDED = {"observability.prompts": {"until": "2026-12-01", "readers": ["a"], "reason": "a study"}}
MIRRORED = {"gateway.mirror": {"host": "gateway.serving-shadow", "fraction": 0.1}}


def _listeners(changes=None):
    config = envoy_config(a_plan(changes), SECRETS)
    return {each["name"]: each for each in config["static_resources"]["listeners"]}


def _manager(listener):
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def _routes(listener):
    return _manager(listener)["route_config"]["virtual_hosts"][0]["routes"]


def _names(route):
    value = route["match"]["dynamic_metadata"][0]["value"]
    each = value["or_match"]["value_matchers"] if "or_match" in value else [value]
    return [one["string_match"]["exact"] for one in each]


def _added(route):
    return {h["header"]["key"]: h["header"]["value"] for h in route["request_headers_to_add"]}


def _all_routes(key, changes=None):
    """Return the routes of one value of a key."""
    exact = {"exact": f"Bearer {SECRETS[key]}"}
    return [
        route
        for route in _routes(_listeners(changes)["edge"])
        if route["match"].get("headers", [{}])[0].get("string_match") == exact
    ]


def _forwarding(key, changes=None):
    """Return those that lead to a model."""
    return [route for route in _all_routes(key, changes) if "route" in route]


def _unrecorded(route):
    filters = route["typed_per_filter_config"]
    return filters.get("envoy.filters.http.lua", {}).get("disabled", False)


@pytest.mark.parametrize("key", ["key-web-chat", "key-web-chat-next"])
def test_both_values_of_a_key_lead_to_its_models(key):
    base, adapter = _forwarding(key)
    assert _names(base) == ["support-chat", "chat"]
    assert _names(adapter) == ["claims-lora"]
    assert base["route"]["cluster"] == "key_web-chat"


def test_an_adapter_never_falls_back_since_the_hosted_model_has_other_weights():
    base, adapter = _forwarding("key-web-chat")
    assert _added(base)["x-breakeven-fallback"] == "yes"
    assert "x-breakeven-fallback" not in _added(adapter)


def test_a_restricted_key_never_falls_back():
    (route,) = _forwarding("key-claims")
    assert "x-breakeven-fallback" not in _added(route)


def test_a_key_does_not_leave_the_edge():
    assert all("authorization" in r["request_headers_to_remove"] for r in _forwarding("key-claims"))


def test_the_last_routes_refuse_without_reading_a_body():
    *_, paths, models, anything = _routes(_listeners()["edge"])
    assert [r["direct_response"]["status"] for r in (paths, models, anything)] == [401, 401, 404]
    for route in (paths, models, anything):
        assert route["typed_per_filter_config"]["envoy.filters.http.buffer"]["disabled"]


def test_every_answer_of_the_edge_itself_is_an_openai_error_or_a_list():
    for route in _routes(_listeners()["edge"]):
        if "direct_response" in route:
            text = json.loads(route["direct_response"]["body"]["inline_string"])
            assert set(text) in ({"error"}, {"object", "data"})


def test_a_key_lists_its_own_models():
    assert [m["id"] for m in json.loads(models_body(a_plan().keys[1]))["data"]] == ["support-chat"]


def test_concurrent_requests_are_shared_among_the_pods():
    # 400 and 40 over 3 pods, rounded up.
    clusters = list(edge_clusters(a_plan({"gateway.replicas": 3})))
    limits = [c["circuit_breakers"]["thresholds"][0]["max_requests"] for c in clusters]
    assert limits == [134, 14]


def test_the_engines_key_replaces_the_clients():
    for route in _routes(_listeners()["model_support-chat"]):
        assert _added(route)["authorization"] == "Bearer engine"


def test_the_gauge_of_the_autoscaler_is_that_of_the_models_listener():
    assert _manager(_listeners()["model_support-chat"])["stat_prefix"] == "model_support-chat"


def test_a_streamed_answer_that_is_late_falls_back_and_a_complete_one_is_waited_for():
    # 10 x the promised 2 s.
    streamed, complete, own = _routes(_listeners()["model_support-chat"])
    assert streamed["route"]["retry_policy"]["per_try_timeout"] == "20s"
    assert "per_try_timeout" not in complete["route"]["retry_policy"]
    assert own["route"]["cluster"] == "own_support-chat"


def test_without_a_fallback_there_is_no_way_out():
    changes = {"models[0].serving.fallback": None, "gateway.keys[0].may_fall_back": False}
    assert "hosted_support-chat" not in _listeners(changes)
    plan = a_plan(changes)
    assert len(_routes(model_listener(plan, plan.models[0], SECRETS))) == 1


def test_a_request_is_held_for_as_long_as_declared():
    assert held(480, 600)["num_retries"] == 320


def test_the_hold_is_added_to_the_whole_of_a_request_that_may_be_held_and_not_to_a_try():
    plan = replace(a_plan(), longest_request_s=90)
    routes = _routes(model_listener(plan, replace(plan.models[0], hold_s=60), SECRETS))
    streamed, complete, own = (route["route"] for route in routes)
    assert (own["timeout"], own["retry_policy"]["per_try_timeout"]) == ("150s", "90s")
    assert (streamed["timeout"], complete["timeout"]) == ("90s", "90s")


def test_the_provider_gets_its_own_key_and_name_and_nothing_of_ours():
    streamed, complete = _routes(_listeners()["hosted_support-chat"])
    assert _added(complete)["authorization"] == "Bearer provider"
    assert {"x-client", "x-team", "traceparent"} <= set(complete["request_headers_to_remove"])
    for route in (streamed, complete):
        rewrite = route["route"]["regex_rewrite"]
        assert (rewrite["pattern"]["regex"], rewrite["substitution"]) == ("^/v1/", "/inference/v1/")
    assert complete["route"]["host_rewrite_literal"] == "api.fireworks.ai"
    assert "stream_options" in json.dumps(streamed)
    assert "stream_options" not in json.dumps(complete)


def test_the_providers_name_for_the_model_is_no_format_string():
    listeners = _listeners(named_by_provider("accounts/a%b"))
    for route in _routes(listeners["hosted_support-chat"]):
        config = route["typed_per_filter_config"]["envoy.filters.http.transform"]
        change = config["request_transformation"]["body_transformation"]
        assert change["body_format"]["json_format"]["model"] == "accounts/a%%b"


def test_prompts_are_read_only_where_they_are_recorded():
    assert "llm:asked" not in json.dumps(_listeners())
    found = json.dumps(_listeners(RECORDED))
    assert "llm:asked" in found
    assert "llm:answered" in found


def test_a_restricted_key_is_not_recorded_whichever_of_its_routes_a_request_takes():
    routes = _all_routes("key-claims", RECORDED)
    assert len(routes) == 5
    assert all(_unrecorded(route) for route in routes)
    (to_model,) = [route for route in routes if "route" in route]
    assert "envoy.filters.http.ratelimit" in to_model["typed_per_filter_config"]


def test_an_open_key_is_recorded_where_it_reaches_a_model():
    assert not any(_unrecorded(route) for route in _forwarding("key-web-chat", RECORDED))


@pytest.mark.parametrize(
    ("day", "over"),
    [
        ("2026-12-01", "2026-12-02T00:00:00+00:00"),
        ("2020-02-29", "2020-03-01T00:00:00+00:00"),
        ("2026-12-31", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_recording_ends_with_its_last_day_in_utc(day, over):
    end_s = int(datetime.fromisoformat(over).timestamp())
    assert over_s(date.fromisoformat(day)) == end_s
    (lua,) = [f for f in _manager(_edge_that_records(day))["http_filters"] if "lua" in f["name"]]
    code = lua["typed_config"]["default_source_code"]["inline_string"]
    assert code.startswith(f"local over = {end_s}\n")
    assert "if os.time() >= over then return end" in code


def _edge_that_records(day):
    return _listeners(
        {"observability.prompts": RECORDED["observability.prompts"] | {"until": day}}
    )["edge"]


def test_a_mirrored_request_keeps_its_key():
    (route, _) = _forwarding("key-web-chat", MIRRORED)
    assert route["request_headers_to_remove"] == []
    share = route["route"]["request_mirror_policies"][0]["runtime_fraction"]["default_value"]
    assert share["numerator"] == 100_000


def test_a_restricted_key_is_never_mirrored():
    (route,) = _forwarding("key-claims", MIRRORED)
    assert "request_mirror_policies" not in route["route"]
    assert route["request_headers_to_remove"] == ["authorization"]


def test_a_mirror_is_asked_for_in_the_cluster_only():
    (shadow,) = [c for c in edge_clusters(a_plan(MIRRORED)) if c["name"] == "shadow"]
    address = shadow["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    assert address["socket_address"]["address"] == "gateway.serving-shadow.svc.cluster.local"


@pytest.mark.parametrize(
    "host", ["example.com", "example.com.svc", "example.com.svc.cluster.local"]
)
def test_a_service_has_one_whole_name(host):
    assert service_name(host) == "example.com.svc.cluster.local"


def test_the_admin_port_is_reached_from_the_pod_only():
    assert envoy_config(a_plan(), SECRETS)["admin"]["address"]["socket_address"] == {
        "address": "127.0.0.1",
        "port_value": 9901,
    }


def test_the_text_is_the_same_for_the_same_plan():
    assert envoy_text(a_plan(), SECRETS) == envoy_text(a_plan(), SECRETS)
