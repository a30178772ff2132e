"""What a stack without a way out of its network cannot have."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import ContradictionError
from stacks.sources import HubSource, StoreSource

if TYPE_CHECKING:
    from stacks.stack import ServedModel, Stack

Problems = Iterator[ContradictionError]


def closed_problems(eks: Eks, stack: "Stack") -> Problems:
    """Yield what would need a way out that is not there."""
    if eks.registry is None:
        yield ContradictionError(
            field=".target.registry",
            found="none, with network.egress.kind: none",
            allowed="a registry of the stack's own: no other can be reached",
            remedy="declare target.registry and copy the images there (docs/aws.md)",
        )
    yield from _charts(eks, stack)
    balancer = eks.load_balancer
    if balancer and balancer.scheme != "internal":
        yield ContradictionError(
            field=".target.load_balancer.scheme",
            found=f"{balancer.scheme}, with network.egress.kind: none",
            allowed="internal: the network has no public subnet",
            remedy="let clients come through the VPC",
        )
    for index, model in enumerate(stack.models):
        yield from _reaches_out(f".models[{index}].serving", model)


def _reaches_out(place: str, model: "ServedModel") -> Problems:
    source = model.serving.source
    from_hub = isinstance(source, StoreSource) and source.filled_from == "hub"
    if isinstance(source, HubSource) or from_hub:
        yield ContradictionError(
            field=f"{place}.source",
            found="the model hub, with network.egress.kind: none",
            allowed="weights inside: store with filled_from: elsewhere, s3, a volume or the image",
            remedy="copy the revision to the model store and name its manifest",
        )
    for number, adapter in enumerate(model.serving.adapters):
        if not adapter.id.startswith("/"):
            yield ContradictionError(
                field=f"{place}.adapters[{number}].id",
                found=f"{adapter.id}, with network.egress.kind: none",
                allowed="an absolute path: the model hub cannot be reached",
                remedy="put the adapter into the volume or the image",
            )
    if model.serving.fallback:
        yield ContradictionError(
            field=f"{place}.fallback",
            found=f"{model.serving.fallback.base_url}, with network.egress.kind: none",
            allowed="none: nothing leaves this network",
            remedy="take it out",
        )


def _charts(eks: Eks, stack: "Stack") -> Problems:
    for chart in made.needed_charts(eks, stack):
        if chart not in eks.charts:
            yield ContradictionError(
                field=f".target.charts.{chart}",
                found="nothing, with network.egress.kind: none",
                allowed="a chart that is there without the internet",
                remedy=f"copy the chart of {chart} to your registry or beside the program, and name it",
            )
