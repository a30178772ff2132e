"""Requests in flight that one replica serves: declared, or by Little's law."""

import pytest

from components.autoscaling.capacity import requests_per_replica
from stacks.stack import Stack
from tests.factories import a_stack


def test_the_benchmark_says_how_many_are_in_flight():
    # 27159.118 / 1152 = 23.576 requests/s, in flight for 1.95256 + 128 x 0.01196 = 3.48344 s.
    model = Stack.model_validate(a_stack()).models[0]
    assert requests_per_replica(model) == pytest.approx(82.1, abs=0.05)


def test_a_declared_number_counts_instead():
    changes = {
        "models[0].serving.scaling": {"cooldown_seconds": 1800, "requests_per_replica": 60},
    }
    assert requests_per_replica(Stack.model_validate(a_stack(changes)).models[0]) == 60
