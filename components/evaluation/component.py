"""The evaluation of one model, registered."""

from collections.abc import Mapping

import pulumi
from pulumi import ResourceOptions

from components.evaluation.plan import EvaluationPlan
from components.jobs import register_job


class Evaluation(pulumi.ComponentResource):
    """A Job that Pulumi waits for; one that fails ends the update, and stays to be read."""

    def __init__(
        self,
        model: str,
        plan: EvaluationPlan,
        namespace: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        name = f"{model}-evaluation"
        super().__init__("breakeven:serving:Evaluation", name, None, opts)
        register_job(name, plan, namespace, labels, parent=self)
        self.register_outputs({})
