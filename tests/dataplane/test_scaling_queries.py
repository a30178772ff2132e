"""The queries that KEDA asks, as Prometheus itself answers them."""

from pathlib import Path

import pytest

from components.autoscaling.scaled_object import ready_query
from components.observability.scraping import SLOW_S
from stacks.stack import Stack
from tests.dataplane.promtool import evaluate
from tests.factories import a_stack

pytestmark = pytest.mark.dataplane

NAMESPACE = "serving-demo"
MODEL = Stack.model_validate(a_stack()).models[0]
REPLICAS = {
    "serves": ("1x20", 1),
    "starts": ("0x20", 0),
    "missed the last two scrapes": ("1x18 0 0", 1),
    "has not answered for more than a minute": ("1x10 0x10", 0),
    "is gone": ("1x18 stale _", 0),
}
"""What the scrapes of a replica, one in 15 s, said in five minutes, and how many serve at their end."""


@pytest.mark.parametrize("replica", REPLICAS)
def test_a_replica_serves_that_answered_within_a_minute_and_is_still_there(
    replica: str, tmp_path: Path
):
    scrapes, serving = REPLICAS[replica]
    series = f'up{{namespace="{NAMESPACE}",job="vllm",model="{MODEL.name}",pod="a"}}'
    expected = {
        "expr": ready_query(MODEL, namespace=NAMESPACE),
        "eval_time": "5m",
        "exp_samples": [{"labels": "{}", "value": serving}],
    }

    answer = evaluate(tmp_path, {series: scrapes}, expected, interval=f"{SLOW_S}s")

    assert answer.returncode == 0, answer.stdout + answer.stderr
