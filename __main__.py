"""Declare, decide, deploy: the whole program. What each step means stands in the three folders."""

import os
from pathlib import Path

# As in gate/__main__.py: looking for pydantic's plugins costs time, and none is wanted here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pulumi

from components.cluster import NoClusterError, cluster_provider, deployable
from components.gateway.plan import Price
from components.observability.parts import ModelCost
from components.own_outputs import last_outputs
from components.serving import Judged, Serving, serving_plan
from gate.clock import as_of_day
from gate.decision import Decision, decide
from gate.figures import Figures, figures
from gate.record import record, summary
from gate.report.text import text
from gate.standing import standing
from stacks.errors import InputError
from stacks.reading import parse_stack, refuse_unknown_keys
from stacks.stack import Stack

STACKS = Path(__file__).parent / "stacks"
FILE = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"


def declare() -> Stack:
    """Return what the stack file declares."""
    refuse_unknown_keys(FILE, pulumi.runtime.config.CONFIG.get())
    return parse_stack(pulumi.Config().get_object("stack"), file=FILE)


def judged(of: Figures) -> Judged:
    """Return what the parts that are deployed have to know of a decision about one model."""
    return Judged(
        replicas=of.replicas,
        price=Price(
            input_usd_per_mtok=of.hosted_input_usd_per_mtok,
            output_usd_per_mtok=of.hosted_output_usd_per_mtok,
        ),
        cost=ModelCost(
            usd_per_replica_hour=of.usd_per_replica_hour,
            self_hosted_usd_per_mtok=of.self_hosted_usd_per_mtok,
            hosted_usd_per_mtok=of.hosted_usd_per_mtok,
            break_even_mtok_per_month=of.break_even_mtok_per_month,
        ),
    )


def deploy(decision: Decision) -> None:
    """Register what serves the stack; what cannot be deployed is refused before the first resource."""
    config, target = pulumi.Config(), deployable(decision.stack.target)
    plan = serving_plan(
        decision.stack,
        {name: judged(each) for name, each in figures(decision).items()},
        name=pulumi.get_stack(),
        file=FILE,
        target=target,
        secrets=config.get_object("secrets") or {},
        decision=decision.inputs_hash,
        today=decision.as_of,
    )
    on_it = pulumi.ResourceOptions(providers=[cluster_provider(target)])
    Serving(plan, hub_token=config.get_secret("huggingface_token"), opts=on_it)


def main() -> None:
    """Run the flow; a refusal ends it before the first resource, in a preview after the plan."""
    decision = decide(declare(), file=FILE, folder=STACKS, as_of=as_of_day())
    last = None if decision.allowed else last_outputs().get("lastAllowed")
    answer = standing(decision, last)
    pulumi.log.info(text(decision))
    pulumi.export("decision", record(decision))
    for warning in answer.warnings:
        pulumi.log.warn(warning)
    if answer.refusal and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(answer.refusal)
    deploy(decision)
    if answer.refusal:
        raise pulumi.RunError(answer.refusal)
    pulumi.export("lastAllowed", last or summary(decision))  # else the old one stays


try:
    main()
except (InputError, NoClusterError) as error:
    raise pulumi.RunError(str(error)) from None
