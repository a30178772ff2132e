"""Declare, decide, deploy: the whole program. What each step means stands in the three folders."""

import os
from pathlib import Path

# As in gate/__main__.py: looking for pydantic's plugins costs time, and none is wanted here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pulumi

from components.cluster import NoClusterError, cluster_provider, deployable
from components.engine.plan import vllm_plan
from components.engine.vllm import Vllm, VllmArgs
from components.labels import labels, namespace_name
from components.own_outputs import last_outputs
from components.serving_namespace import ServingNamespace, ServingNamespaceArgs
from gate.clock import as_of_day
from gate.decision import Decision, decide
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


def deploy(decision: Decision) -> None:
    """Register the serving components; what cannot be deployed is refused before the first."""
    cases, target = decision.cases, deployable(decision.stack.target)
    plans = [vllm_plan(c.model, c.place, target, replicas=c.replicas_at_volume) for c in cases]
    token = pulumi.Config().get_secret("huggingface_token")
    on_it = pulumi.ResourceOptions(providers=[cluster_provider(target)])
    shared = ServingNamespaceArgs(name=namespace_name(pulumi.get_stack()), huggingface_token=token)
    namespace = ServingNamespace("serving", shared, on_it)
    for case, plan in zip(cases, plans, strict=True):
        Vllm(
            case.model.name,
            VllmArgs(
                plan=plan,
                replicas=case.replicas_at_volume,
                namespace=namespace.name,
                token_secret="hub-token" if token else None,
                labels=labels("vllm", case.model.name, decision=decision.inputs_hash),
                node_selector=case.model.serving.node_selector,
            ),
            on_it,
        )


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
