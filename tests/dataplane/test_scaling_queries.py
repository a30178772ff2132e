"""The queries that KEDA asks, as Prometheus itself answers them."""

from pathlib import Path

import pytest
import yaml

from components.autoscaling.scaled_object import ready_query
from stacks.stack import Stack
from tests.dataplane.promtool import promtool
from tests.factories import a_stack

pytestmark = pytest.mark.dataplane

NAMESPACE = "serving-demo"
MODEL = Stack.model_validate(a_stack()).models[0]
EVERY_15_S = {
    "serves": ("1x20", 1),
    "starts": ("0x20", 0),
    "missed the last two scrapes": ("1x18 0 0", 1),
    "has not answered for more than a minute": ("1x10 0x10", 0),
    "is gone": ("1x18 stale _", 0),
}
"""What the scrapes of a replica said in five minutes, and how many serve at their end."""


@pytest.mark.parametrize("replica", EVERY_15_S)
def test_a_replica_serves_that_answered_within_a_minute_and_is_still_there(
    replica: str, tmp_path: Path
):
    scrapes, serving = EVERY_15_S[replica]
    series = f'up{{namespace="{NAMESPACE}",job="vllm",model="{MODEL.name}",pod="a"}}'
    test = {
        "interval": "15s",
        "input_series": [{"series": series, "values": scrapes}],
        "promql_expr_test": [
            {
                "expr": ready_query(MODEL, namespace=NAMESPACE),
                "eval_time": "5m",
                "exp_samples": [{"labels": "{}", "value": serving}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"tests": [test]}, width=1000))

    answer = promtool("test", "rules", str(tmp_path / "test.yml"))

    assert answer.returncode == 0, answer.stdout + answer.stderr
