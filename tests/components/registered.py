"""What a stack registers, and in which order, without an engine: a monitor that only takes notes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse
from pulumi.runtime.settings import SETTINGS, reset_options
from pulumi.runtime.stack import run_pulumi_func

from components.serving import Serving, ServingPlan, serving_plan
from gate.figures import Figures
from stacks.reading import parse_stack
from stacks.stack import Stack
from stacks.target import Render
from tests.components.observability.declared import COST
from tests.factories import AS_OF, STACKS, Changes, a_stack

JUDGED = Figures(
    replicas=2,
    hosted_input_usd_per_mtok=0.2,
    hosted_output_usd_per_mtok=0.2,
    usd_per_replica_hour=COST.usd_per_replica_hour,
    self_hosted_usd_per_mtok=COST.self_hosted_usd_per_mtok,
    hosted_usd_per_mtok=COST.hosted_usd_per_mtok,
    break_even_mtok_per_month=COST.break_even_mtok_per_month,
    nodes=None,
)
LIMIT_S = 60
"""What cannot be registered would be waited for without an end."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource as it was sent."""

    urn: str
    type: str
    """As in aws:ec2/vpc:Vpc."""
    kind: str
    """The last part of its type, such as Deployment."""
    name: str
    inputs: Mapping[str, Any]
    parent: str
    after: frozenset[str]
    """URNs of what it says it depends on."""
    protect: bool = False
    ignored: tuple[str, ...] = ()
    """Properties whose changes are left alone."""
    provider: str = ""
    """Reference of the provider it is made with."""
    kept: bool = False
    """Whether it stays when the stack is destroyed."""
    first_deleted: bool = False
    """Whether it goes before the one that replaces it comes."""

    def pods(self) -> list[dict[str, Any]]:
        """Return the templates of the pods that it makes: of a Deployment, a Job, a CronJob."""
        return [each for each in within(self.inputs) if "containers" in each.get("spec", ())]


def before(one: Registered, among: Sequence[Registered]) -> list[Registered]:
    """Return what is there before it, and leaves after it: what it depends on, its parents, and theirs."""
    by_urn = {each.urn: each for each in among}
    found: dict[str, Registered] = {}
    left = [one]
    while left:
        here = left.pop()
        news = {urn for urn in (here.parent, *here.after) if urn in by_urn and urn not in found}
        found |= {urn: by_urn[urn] for urn in news}
        left += [by_urn[urn] for urn in news]
    return [*found.values()]


def within(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a manifest, however deep."""
    if isinstance(value, list):
        for each in value:
            yield from within(each)
    elif isinstance(value, dict):
        yield value
        for each in value.values():
            yield from within(each)


Answers = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]
"""What a resource has beside its inputs, by its type, name and inputs."""


class _Monitor(MockMonitor):
    """Says yes to every resource, and keeps it."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(_Nobody())
        self.answers = answers
        self.taken: list[Registered] = []

    def RegisterResource(self, request: Any) -> RegisterResourceResponse:  # noqa: N802 - as in the API
        urn = self.make_urn(request.parent, request.type, request.name)
        inputs = MessageToDict(request.object)
        self.taken.append(
            Registered(
                urn=urn,
                type=request.type,
                kind=request.type.rpartition(":")[2],
                name=request.name,
                inputs=inputs,
                parent=request.parent,
                after=frozenset(request.dependencies),
                protect=request.protect,
                ignored=tuple(request.ignoreChanges),
                provider=request.provider,
                kept=request.retainOnDelete,
                first_deleted=request.deleteBeforeReplace,
            )
        )
        request.object.update(self.answers(request.type, request.name, inputs))
        return RegisterResourceResponse(urn=urn, id=request.name, object=request.object)


class _Nobody(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"nothing is read: {args.name}")

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"nobody is asked: {args.token}")


def rendered(
    stack: Stack, *, name: str = "demo", judged: Mapping[str, Figures] | None = None
) -> ServingPlan:
    """Return the plan of a stack called `name`, rendered: so it needs no secret and no digest."""
    return serving_plan(
        stack,
        judged or {model.name: JUDGED for model in stack.models},
        name=name,
        file=str(STACKS / f"Pulumi.{name}.yaml"),
        target=Render(kind="render", directory="out"),
        secrets={},
        decision=64 * "0",
        today=AS_OF,
    )


def registered(changes: Changes | None = None) -> tuple[Registered, ...]:
    """Return what the demo stack with these changes registers, rendered."""
    plan = rendered(parse_stack(a_stack(changes), file="stack.yaml"))

    def serve() -> None:
        Serving(plan, hub_token="a-token-of-the-hub")

    return registered_by(serve)


def registered_by(
    program: Callable[[], None], answers: Answers = lambda _type, _name, _inputs: {}
) -> tuple[Registered, ...]:
    """Return what a program registers; what is not among its inputs comes from `answers`."""
    monitor = _Monitor(answers)

    async def register() -> None:
        # Outputs that other tests left belong to another loop, and would be waited for here.
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        set_mocks(_Nobody(), preview=False, monitor=monitor)
        await asyncio.wait_for(run_pulumi_func(program), LIMIT_S)

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(register())
    finally:
        reset_options()
        loop.close()
    return tuple(monitor.taken)
