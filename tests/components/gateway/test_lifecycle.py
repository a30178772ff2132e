from dataclasses import replace

from components.gateway.lifecycle import PAUSE, lifecycle_clusters, lifecycle_listeners
from components.gateway.pieces import socket
from tests.components.gateway.plans import a_plan


def test_the_pause_has_a_loopback_port_of_its_own():
    plan = a_plan()
    plan = replace(plan, at=replace(plan.at, lifecycle=12_000, pause=13_000))
    (listener,) = [each for each in lifecycle_listeners(plan) if each["name"] == PAUSE]
    (cluster,) = [each for each in lifecycle_clusters(plan) if each["name"] == PAUSE]
    (group,) = cluster["load_assignment"]["endpoints"]
    assert listener["address"] == socket("127.0.0.1", 13_000)
    assert group["lb_endpoints"] == [{"endpoint": {"address": socket("127.0.0.1", 13_000)}}]
