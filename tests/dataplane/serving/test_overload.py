"""More than the engines can take is refused at once, and when it is over all is as before."""

from collections import Counter

from tests.dataplane.serving.declared import MAX_QUEUED
from tests.dataplane.serving.deployed import Deployed
from tests.dataplane.serving.load import WHOLE, at_once

HELD = 2 * MAX_QUEUED
"""By two engines, running and waiting."""


def test_what_is_too_much_is_told_503_and_nobody_else_suffers(stack: Deployed):
    answers = at_once(stack.gateway, count=3 * HELD, tokens=150, alias="claims")

    outcomes = Counter(answer.outcome for answer in answers)
    assert set(outcomes) == {WHOLE, "503"}
    assert outcomes[WHOLE] >= HELD / 2
    refused = [answer for answer in answers if answer.outcome == "503"]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)

    after = at_once(stack.gateway, count=HELD // 2, tokens=2, alias="claims")
    assert {answer.outcome for answer in after} == {WHOLE}


def test_what_is_too_much_is_answered_hosted_for_a_key_that_may(stack: Deployed):
    answers = at_once(stack.gateway, count=2 * HELD, tokens=150, alias="web-chat")

    assert {answer.outcome for answer in answers} == {WHOLE}
    upstreams = Counter(answer.upstream for answer in answers)
    assert upstreams["own"] >= HELD / 2
    assert upstreams["hosted"] == len(stack.hosted.requests) > 0
