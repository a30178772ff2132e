"""A stack whose weights are in its store: the engine comes after the Job, and both reach the store."""

from functools import cache
from typing import Any

import pytest

from components.network.policies import network_policies
from components.serving import Serving
from stacks.stack import Stack
from tests.components.aws.registered import declared
from tests.components.network.test_every_pod import made, named
from tests.components.registered import Registered, before, registered_by, rendered
from tests.components.test_order import one

AGENT = "169.254.170.23/32"


@cache
def registered() -> tuple[Registered, ...]:
    plan = rendered(Stack.model_validate(declared("prod")), name="prod")

    def serve() -> None:
        Serving(plan, hub_token="a-token-of-the-hub")

    return registered_by(serve)


def test_an_engine_comes_after_the_job_that_fills_its_folder():
    engine = one(registered(), "Deployment", "support-chat")
    earlier = before(engine, registered())

    assert one(registered(), "Job", "support-chat-weights") in earlier
    assert one(registered(), "Job", "summaries-weights") not in earlier


def test_the_job_comes_after_its_account_and_its_scripts():
    job = one(registered(), "Job", "support-chat-weights")
    (pod,) = job.pods()
    earlier = before(job, registered())

    account = one(registered(), "ServiceAccount", "support-chat-weights")
    scripts = one(registered(), "ConfigMap", "support-chat-weights")
    assert {account.urn, scripts.urn} <= {each.urn for each in earlier}
    assert pod["spec"]["serviceAccountName"] == account.inputs["metadata"]["name"]
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == scripts.inputs["metadata"]["name"]


def test_every_pod_is_named_in_the_table_of_flows():
    assert ("prefetch", "support-chat") in made(registered())
    assert made(registered()) - named(registered()) == set()


def peers(stack: str, policy: str, port: int) -> list[dict[str, Any]]:
    """Return the address blocks that the pods of a policy may reach on a port."""
    found = network_policies(Stack.model_validate(declared(stack)), namespace="serving")
    (one_of,) = [each for each in found if each["metadata"]["name"] == policy]
    return [
        peer["ipBlock"]
        for rule in one_of["spec"]["egress"]
        if port in [each["port"] for each in rule["ports"]]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]


@pytest.mark.parametrize("pods", ["engine", "prefetch"])
def test_whoever_reads_the_store_gets_a_role_from_the_agent_of_its_node(pods: str):
    assert peers("prod", f"support-chat-{pods}", 80) == [{"cidr": AGENT}]


@pytest.mark.parametrize("pods", ["engine", "prefetch"])
def test_without_a_way_out_the_store_is_reached_inside_the_vpc_alone(pods: str):
    vpc = declared("regulated")["target"]["network"]["cidr"]

    assert peers("regulated", f"support-chat-{pods}", 443) == [{"cidr": vpc}]
