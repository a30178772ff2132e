"""The evaluation of one model, registered."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions

from components.evaluation.plan import EvaluationPlan


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
        super().__init__("breakeven:serving:Evaluation", f"{model}-evaluation", None, opts)
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=plan.name, namespace=namespace, labels=dict(labels)
        )
        name, wait = f"{model}-evaluation", f"{plan.await_s}s"
        opts = ResourceOptions(
            parent=self, custom_timeouts=CustomTimeouts(create=wait, update=wait)
        )
        if plan.files:
            data = dict(plan.files)
            made = k8s.core.v1.ConfigMap(
                name, metadata=metadata, data=data, opts=ResourceOptions(parent=self)
            )
            opts.depends_on = [made]
        k8s.batch.v1.Job(name, metadata=metadata, spec=plan.spec, opts=opts)
        self.register_outputs({})
