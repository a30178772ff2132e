"""Declare, decide, deploy: the whole program. What each step means stands in the three folders."""

import os
from pathlib import Path

# As in gate/__main__.py: looking for pydantic's plugins costs time, and none is wanted here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pulumi

from components.cluster import account_plan, cluster
from components.own_outputs import last_outputs
from components.serving import Serving, serving_plan
from gate.clock import as_of_day
from gate.decision import Decision, decide
from gate.figures import figures
from gate.record import record, summary
from gate.report.text import text
from gate.standing import standing
from stacks.errors import InputError
from stacks.reading import parse_stack, refuse_unknown_keys
from stacks.stack import Stack

STACKS = Path(__file__).parent / "stacks"
NAME = pulumi.get_stack()
FILE = f"stacks/Pulumi.{NAME}.yaml"


def declare() -> Stack:
    """Return what the stack file declares."""
    refuse_unknown_keys(FILE, pulumi.runtime.config.CONFIG.get())
    return parse_stack(pulumi.Config().get_object("stack"), file=FILE)


def deploy(decision: Decision) -> None:
    """Register what serves the stack; what cannot be deployed is refused before the first resource."""
    config, stack, judged = pulumi.Config(), decision.stack, figures(decision)
    plan = serving_plan(
        stack,
        judged,
        name=NAME,
        file=FILE,
        target=stack.target,
        secrets=config.get_object("secrets") or {},
        decision=decision.inputs_hash,
        today=decision.as_of,
    )
    system = decision.system_nodes
    account = account_plan(
        stack,
        judged,
        plan.images,
        name=NAME,
        file=FILE,
        decision=decision.inputs_hash,
        system_vcpus=system.instance.vcpus if system else 0,
    )
    where = cluster(stack.target, account)
    Serving(plan, hub_token=config.get_secret("huggingface_token"), opts=where.options)
    for name, value in where.outputs.items():
        pulumi.export(name, value)


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
except InputError as error:
    raise pulumi.RunError(str(error)) from None
