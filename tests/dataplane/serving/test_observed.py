"""What the stack says of itself: metrics, rules, spans and logs; never what was asked or answered."""

import json
from collections import Counter

import pytest

from components.observability.signals import SCRAPED
from tests.dataplane.live import until
from tests.dataplane.process_node.pod import Pod
from tests.dataplane.serving.declared import HOSTED_MODEL, KEYS, MODEL
from tests.dataplane.serving.deployed import Deployed
from tests.dataplane.serving.load import WHOLE, at_once, streams
from tests.dataplane.serving.stand_ins import Mood
from tests.engine.declared import SECRETS

SCRAPES_S = 40
SPANS_S = 30
"""Collectors and engines send in batches, every five seconds."""
SLOW_S = 2.0
WRITTEN = 17
"""Tokens that no other test asks for."""
PROMPT = "xyzzy plugh the owner of the secret is"
NOT_AT_ONCE = {
    "envoy_cluster_ratelimit_failure_mode_allowed",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_exporter_send_failed_spans",
    "ratelimit_service_rate_limit_near_limit",
    "vllm_router_retries_exhausted_total",
}
"""Series that do not exist before there is something to count."""


def test_every_part_is_scraped(stack: Deployed):
    wanted = {
        "gateway": 2,
        "router": 2,
        "vllm": 2,
        "gateway-limits": 2,
        "otel-collector": 1,
        "prometheus": 1,
    }

    def up() -> dict[str, int]:
        found = stack.ask_prometheus("sum by (job) (up)")
        return {series["metric"]["job"]: int(series["value"][1]) for series in found}

    until(lambda: up() == wanted, timeout_s=SCRAPES_S)


def test_the_metrics_that_rules_use_are_there(stack: Deployed):
    with streams(stack.gateway, clients=4, alias="web-chat"):
        stack.until_value(
            f'breakeven:tokens_per_second{{model="{MODEL}"}}', lambda v: v > 0, timeout_s=60
        )

    there = {name for name in SCRAPED if stack.ask_prometheus(f'{{__name__="{name}"}}')}
    assert there >= SCRAPED - NOT_AT_ONCE


def test_the_price_of_a_million_tokens_is_measured(stack: Deployed):
    at_once(stack.gateway, count=4, tokens=50)
    labels = f'{{model="{MODEL}"}}'

    stack.until_value(f"breakeven:self_hosted_usd_per_mtok{labels}", lambda v: v > 0, timeout_s=60)
    stack.until_value(f"breakeven:requests_active{labels}", lambda v: v == 0, timeout_s=60)
    assert stack.value(f"breakeven:hosted_usd_per_mtok{labels}") > 0
    # One that drains is paid for until it is gone.
    stack.until_value(f"breakeven:replicas_paid{labels}", lambda v: v == 2, timeout_s=120)


def test_every_rule_can_be_evaluated(stack: Deployed):
    groups = stack.rules()

    broken = {
        rule["name"]: rule.get("lastError")
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    }
    assert not broken
    assert sum(len(group["rules"]) for group in groups) > 20


def test_a_request_is_one_span_with_its_usage_and_its_key(stack: Deployed):
    answer = stack.client("web-chat").completions.create(
        model=MODEL, prompt=PROMPT, max_tokens=WRITTEN, extra_body={"ignore_eos": True}
    )
    assert answer.usage is not None

    def spans() -> list[dict[str, str]]:
        ours = f'"output":{WRITTEN}}}'  # of an earlier test a span may still be on its way
        found = stack.langfuse.attributes()
        return [
            span for span in found if ours in span.get("langfuse.observation.usage_details", "")
        ]

    until(lambda: bool(spans()), timeout_s=SPANS_S)
    (span,) = spans()
    assert span["langfuse.user.id"] == "web-chat"
    assert span["langfuse.trace.metadata.team"] == "trial"
    assert span["langfuse.observation.type"] == "generation"
    assert span["gen_ai.request.model"] == MODEL
    assert json.loads(span["langfuse.observation.usage_details"]) == {
        "input": answer.usage.prompt_tokens,
        "output": answer.usage.completion_tokens,
    }
    until(lambda: {"gateway", f"vllm-{MODEL}"} <= stack.langfuse.services, timeout_s=SPANS_S)
    assert {span.name for span in stack.langfuse.spans} <= {"ingress", "llm_request"}


def test_both_prices_are_registered_at_langfuse(stack: Deployed):
    until(lambda: len(stack.langfuse.models) == 2, timeout_s=30)

    own, hosted = stack.langfuse.models
    assert own["modelName"] == f"{MODEL}-selfhosted"
    assert hosted["modelName"].endswith(f"/{HOSTED_MODEL}")
    assert own["pricingTiers"][0]["prices"]["input"] > 0
    assert hosted["pricingTiers"][0]["prices"] == {"input": 1e-7, "output": 1e-7}


def test_no_prompt_no_answer_and_no_key_is_written_anywhere(stack: Deployed):
    stack.hosted.mood = "well"
    said = [
        stack.client("web-chat")
        .chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": PROMPT}], max_tokens=40
        )
        .choices[0]
        .message.content
    ]
    until(lambda: bool(stack.langfuse.spans), timeout_s=SPANS_S)
    until(lambda: any(_lines(pod) for pod in stack.pods("gateway")), timeout_s=15)

    everything = "".join(str(span) for span in stack.langfuse.spans) + "".join(
        log.read_text(errors="replace") for log in stack.node.logs(stack.namespace)
    )
    hidden = ["xyzzy", *(text for text in said if text), *KEYS.values(), *SECRETS.values()]
    assert [text for text in hidden if text in everything] == []


def test_the_request_log_says_who_used_how_much(stack: Deployed):
    answer = stack.client("claims").completions.create(model=MODEL, prompt="Once", max_tokens=3)
    assert answer.usage is not None

    def logged() -> list[dict[str, object]]:
        lines = (line for pod in stack.pods("gateway") for line in _lines(pod))
        return [line for line in lines if line["key"] == "claims" and line["output_tokens"] == 3]

    until(lambda: bool(logged()), timeout_s=15)
    line = logged()[-1]
    assert (line["code"], line["model"], line["upstream"]) == (200, MODEL, "own")
    assert line["input_tokens"] == answer.usage.prompt_tokens


@pytest.mark.parametrize("mood", ["broken", "hangs"])
def test_a_langfuse_that_is_ill_slows_no_request(stack: Deployed, mood: Mood):
    stack.langfuse.mood = mood

    answers = [answer for _ in range(4) for answer in at_once(stack.gateway, count=4, tokens=4)]

    assert Counter(answer.outcome for answer in answers) == {WHOLE: 16}
    assert max(answer.first_s for answer in answers) < SLOW_S
    stack.langfuse.mood = "well"
    if mood == "broken":  # what was refused is sent again
        until(lambda: len(stack.langfuse.spans) >= 16, timeout_s=60)


@pytest.mark.parametrize("ill", [Pod.pause, Pod.kill])
def test_a_collector_that_is_ill_slows_no_request(stack: Deployed, ill):
    (collector,) = stack.pods("otel-collector")
    ill(collector)

    answers = [answer for _ in range(4) for answer in at_once(stack.gateway, count=4, tokens=4)]

    assert Counter(answer.outcome for answer in answers) == {WHOLE: 16}
    assert max(answer.first_s for answer in answers) < SLOW_S
    if ill is Pod.pause:
        collector.resume()
    stack.wait_ready("otel-collector", 1)


def test_what_the_manifests_ask_for_and_the_node_cannot_do_is_known(stack: Deployed):
    found = {
        field
        for pod, fields in stack.node.left_out.items()
        if pod.startswith(stack.namespace)
        for field in fields
    }

    limits = {"memory", "cpu", "nvidia.com/gpu"}
    assert {field for field in found if ": resources.limits " not in field} == {
        "securityContext.seccompProfile",
        "volumes shared-memory emptyDir.medium Memory: on disk",
        "volumes shared-memory emptyDir.sizeLimit",
    }
    assert {field.rpartition(" ")[2] for field in found if "resources.limits" in field} <= limits
    assert not [left for left in stack.node.services_left_out() if stack.namespace in left]


def _lines(pod: Pod) -> list[dict[str, object]]:
    return [json.loads(line) for line in pod.log().splitlines() if line.startswith("{")]
