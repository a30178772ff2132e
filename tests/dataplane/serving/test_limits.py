"""Limits hold over all gateways together, and what guards them may fail without the requests."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.dataplane.live import until
from tests.dataplane.process_node.pod import Pod
from tests.dataplane.serving.declared import LIMITED_CONCURRENT, LIMITED_RPM
from tests.dataplane.serving.deployed import Deployed
from tests.dataplane.serving.load import WHOLE, at_once

MINUTE_S = 60
LATE_S = 2.0
"""What a lost limiter may cost a request."""


def wait_for_a_fresh_minute(seconds: float) -> None:
    """Wait until at least so much is left of the minute that limits count in."""
    if (left := MINUTE_S - time.time() % MINUTE_S) < seconds:
        time.sleep(left + 1)


def test_two_gateways_share_the_requests_of_a_minute(stack: Deployed):
    wait_for_a_fresh_minute(15)

    answers = [
        answer
        for _ in range(LIMITED_RPM)
        for answer in at_once(stack.gateway, count=2, tokens=2, alias="batch")
    ]

    assert Counter(answer.outcome for answer in answers) == {WHOLE: LIMITED_RPM, "429": LIMITED_RPM}
    # Envoy writes its log every ten seconds.
    until(lambda: all('"batch"' in pod.log() for pod in stack.pods("gateway")), timeout_s=15)
    refused = next(answer for answer in answers if answer.outcome == "429")
    assert 0 < int(refused.headers["retry-after"]) <= MINUTE_S


def test_concurrency_is_bounded_and_a_client_that_leaves_frees_its_place(stack: Deployed):
    outcomes = Counter(
        answer.outcome
        for answer in at_once(stack.gateway, count=2 * LIMITED_CONCURRENT, tokens=300, alias="few")
    )
    assert outcomes[WHOLE] == LIMITED_CONCURRENT
    assert outcomes["429"] == LIMITED_CONCURRENT

    with stack.client("few").completions.create(
        model="tiny", prompt="Once", max_tokens=4000, stream=True
    ) as stream:
        next(iter(stream))
    until(lambda: stack.running() == 0, timeout_s=10)  # the engine stops at once

    again = at_once(stack.gateway, count=LIMITED_CONCURRENT, tokens=2, alias="few")
    assert {answer.outcome for answer in again} == {WHOLE}


@pytest.fixture(params=["gateway-limits", "gateway-counters"])
def hung(stack: Deployed, request: pytest.FixtureRequest) -> Iterator[list[Pod]]:
    """All pods of a part, stopped where they are."""
    pods = stack.pods(request.param)
    for pod in pods:
        pod.pause()
    yield pods
    for pod in pods:
        pod.resume()
    stack.wait_ready(request.param, len(pods))


def test_requests_go_on_while_the_limiter_or_its_counters_hang(stack: Deployed, hung: list[Pod]):
    assert hung

    answers = [answer for _ in range(3) for answer in at_once(stack.gateway, count=4, tokens=2)]

    assert {answer.outcome for answer in answers} == {WHOLE}
    assert max(answer.first_s for answer in answers) < LATE_S


@pytest.mark.parametrize("part", ["gateway-limits", "gateway-counters"])
def test_requests_go_on_while_the_limiter_or_its_counters_are_killed(stack: Deployed, part: str):
    pods = stack.pods(part)
    for pod in pods:
        pod.kill()

    answers = [answer for _ in range(3) for answer in at_once(stack.gateway, count=4, tokens=2)]

    assert {answer.outcome for answer in answers} == {WHOLE}
    assert max(answer.first_s for answer in answers) < LATE_S
    stack.wait_ready(part, len(pods))
