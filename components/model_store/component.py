"""The prefetch of one model, registered."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.jobs import register_job
from components.model_store.plan import PrefetchPlan


class Prefetch(pulumi.ComponentResource):
    """A Job that Pulumi waits for before the engine: what is not as declared is never served."""

    def __init__(
        self,
        model: str,
        plan: PrefetchPlan,
        namespace: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        name = f"{model}-weights"
        super().__init__("breakeven:serving:Prefetch", name, None, opts)
        account = k8s.core.v1.ServiceAccount(
            name,
            metadata={"name": plan.account, "namespace": namespace, "labels": dict(labels)},
            automount_service_account_token=False,
            opts=ResourceOptions(parent=self),
        )
        register_job(name, plan, namespace, labels, parent=self, after=[account])
        self.register_outputs({})
