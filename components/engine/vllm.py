"""The replicas of one model, behind one Service."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions

from components.engine.plan import PORT, VllmPlan
from components.engine.pod import pod_template
from components.labels import selector


@dataclass(frozen=True, kw_only=True)
class VllmArgs:
    """What one model's replicas are made from."""

    plan: VllmPlan
    """Image, arguments, memory and timings."""
    replicas: int
    """How many run; with an autoscaler, how many run until it takes over: the pool's floor."""
    autoscaled: bool = False
    """Whether an autoscaler owns the number of replicas from then on."""
    namespace: pulumi.Input[str]
    """Namespace they run in."""
    token_secret: str | None
    """Secret with the hub's token under `token`; None where the weights are public."""
    reads: Mapping[str, pulumi.Input[str]]
    """What its pods read of Secrets at their start, by `<secret>/<key>`; a change replaces them."""
    labels: Mapping[str, str]
    """Labels of every object."""
    node_selector: Mapping[str, str]
    """Labels of the nodes that may run a replica."""


class Vllm(pulumi.ComponentResource):
    """Deployment, Service, disruption budget and service account of one model."""

    service: pulumi.Output[str]
    """Name of the Service, port 8000."""

    def __init__(self, name: str, args: VllmArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:serving:Vllm", name, None, opts)
        child = ResourceOptions(parent=self)
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=name, namespace=args.namespace, labels=dict(args.labels)
        )
        chosen = selector("vllm", name)
        account = k8s.core.v1.ServiceAccount(
            name, metadata=metadata, automount_service_account_token=False, opts=child
        )
        service = k8s.core.v1.Service(
            name,
            metadata=metadata,
            spec={
                "selector": chosen,
                "ports": [{"name": "http", "port": PORT, "target_port": "http"}],
            },
            opts=child,
        )
        k8s.policy.v1.PodDisruptionBudget(
            name,
            metadata=metadata,
            spec={"max_unavailable": 1, "selector": {"match_labels": chosen}},
            opts=child,
        )
        k8s.apps.v1.Deployment(
            name,
            metadata=metadata,
            spec={
                "replicas": args.replicas,
                "selector": {"match_labels": chosen},
                "progress_deadline_seconds": args.plan.timings.progress_deadline_s,
                "strategy": {
                    # Without a spare GPU a new replica could never start beside the old ones.
                    "type": "RollingUpdate",
                    "rolling_update": {
                        "max_surge": int(args.plan.surge),
                        "max_unavailable": int(not args.plan.surge),
                    },
                },
                "template": pod_template(
                    args.plan,
                    pod_labels=chosen,
                    service_account=name,
                    token_secret=args.token_secret,
                    node_selector=dict(args.node_selector),
                    reads=args.reads,
                ),
            },
            opts=ResourceOptions(
                parent=self,
                depends_on=[account],
                # The autoscaler writes this field while requests come and go. Were it sent again,
                # every `pulumi up` would stop replicas in the middle of the load. Ignored, an
                # update leaves the number that runs; a new floor reaches it by the autoscaler.
                ignore_changes=["spec.replicas"] if args.autoscaled else None,
                custom_timeouts=CustomTimeouts(
                    create=f"{args.plan.timings.deployment_await_s}s",
                    update=f"{args.plan.timings.deployment_await_s}s",
                ),
            ),
        )
        self.service = service.metadata.name
        self.register_outputs({"service": self.service})
