"""Names that models cannot have: those of everything that is made beside them."""

from collections.abc import Callable, Iterator

import pytest

from components.engine.pod import ENGINE_KEY
from components.gateway.plan import ISSUED_TLS_SECRET
from components.gateway.workloads import counters_workload, gateway_workload, limits_workload
from components.images import locked_images
from components.model_store.accounts import prefetch_name
from components.observability import dashboard, langfuse_environment, langfuse_prices
from components.router import router_name
from components.workload import Workload
from stacks.errors import InputError
from stacks.names import PARTS
from stacks.reading import parse_stack
from stacks.stack import ServedModel
from tests.components.gateway.plans import a_plan
from tests.components.observability.declared import parts
from tests.factories import a_plain_stack, another_model

BUNDLED = {"observability.langfuse.stores": {"kind": "bundled"}}
OTHERS = {
    ENGINE_KEY,
    ISSUED_TLS_SECRET,
    dashboard.NAME,
    langfuse_environment.SECRET,
    langfuse_prices.NAME,
    "hub-token",
    "network",
    "default",
}
"""Secrets, a ConfigMap, a Job, the policies, and the account that Kubernetes makes."""


def workloads() -> Iterator[Workload]:
    plan, images = a_plan(), locked_images()
    yield gateway_workload(plan, images, "{}")
    yield limits_workload(plan, images, "p")
    yield counters_workload(images, "p")
    observed = parts(BUNDLED)
    yield from (*observed.workloads, *observed.trial)


def test_the_names_kept_free_are_those_of_what_is_made():
    assert {work.name for work in workloads()} | OTHERS == PARTS


@pytest.mark.parametrize(("name", "what"), [(router_name, "router"), (prefetch_name, "prefetch")])
def test_what_a_model_has_is_called_as_another_model_may_not_be(
    name: Callable[[ServedModel], str], what: str
):
    stack = parse_stack(a_plain_stack(), file="x.yaml")
    taken = name(stack.models[0])

    with pytest.raises(InputError, match=f"{taken}, which is the name of the {what}"):
        parse_stack(a_plain_stack({"models[1]": another_model(taken)}), file="x.yaml")
