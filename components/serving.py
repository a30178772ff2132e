"""Everything that serves a stack: planned first, so that a mistake is told before anything exists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.autoscaling.component import Autoscaler
from components.autoscaling.scaled_object import follows, prometheus_address, scaled_object
from components.aws.names import pool_selector, store_bucket
from components.engine.keys import KEYS_FILE, keys_text
from components.engine.plan import VllmPlan, vllm_plans
from components.engine.pod import ENGINE_KEY
from components.engine.vllm import Vllm, VllmArgs
from components.evaluation.component import Evaluation
from components.evaluation.plan import EvaluationPlan, evaluation_plans
from components.gateway.certificate import certificates
from components.gateway.envoy import envoy_text
from components.gateway.existing import all_values, check_existing_keys, existing_keys
from components.gateway.plan import GatewayPlan, gateway_plan
from components.gateway.workloads import counters_workload, gateway_workload, limits_workload
from components.images import Images, stack_images
from components.judged import Judged, cost_of, price_of
from components.labels import labels, namespace_name
from components.model_store.component import Prefetch
from components.model_store.plan import PrefetchPlan, prefetch_plans
from components.needed_images import needed_images
from components.network.component import NetworkPolicies
from components.network.policies import network_policies
from components.observability.observed import Observed
from components.observability.parts import observability_parts
from components.observability.prompts import check_prompts
from components.router import router_workload
from components.secrets import stack_secrets
from components.serving_namespace import ServingNamespace, ServingNamespaceArgs
from components.workload import Part, Workload
from stacks.stack import ServedModel, Stack
from stacks.target import Target, node_start_seconds


@dataclass(frozen=True, kw_only=True)
class ServingPlan:
    """All that is known before the first resource."""

    stack: Stack
    namespace: str
    judged: Mapping[str, Judged]
    engines: Mapping[str, VllmPlan]
    prefetches: Mapping[str, PrefetchPlan]
    """Of the models whose weights are in the model store."""
    evaluations: Mapping[str, EvaluationPlan]
    """Of the models that have one."""
    gateway: GatewayPlan
    images: Images
    secrets: Mapping[str, str]
    decision: str
    """Hash of the decision's inputs."""


def serving_plan(
    stack: Stack,
    judged: Mapping[str, Judged],
    *,
    name: str,
    file: str,
    target: Target,
    secrets: Mapping[str, str],
    decision: str,
    today: date,
) -> ServingPlan:
    """Return the plan of the stack called `name`.

    Raises:
        InputError: an image, argument, secret or time does not hold.
    """
    check_prompts(stack, file, today)
    check_existing_keys(stack, file, target)
    known = stack_secrets(stack, secrets, file=file, target=target)
    replicas = {model: each.replicas for model, each in judged.items()}
    model_store = store_bucket(stack, name)
    engines = vllm_plans(stack, replicas, target, file=file, model_store=model_store)
    images = stack_images(stack.images, needed_images(stack), target, file=file)
    return ServingPlan(
        stack=stack,
        namespace=namespace_name(name),
        judged=judged,
        engines=engines,
        prefetches=prefetch_plans(stack, model_store, file=file),
        evaluations=evaluation_plans(stack, engines, target, file=file, images=images),
        gateway=gateway_plan(stack, {name: price_of(each) for name, each in judged.items()}),
        images=images,
        secrets=known,
        decision=decision,
    )


class Serving(pulumi.ComponentResource):
    """Namespace, gateway, routers, engines, autoscalers, policies and what observes them."""

    def __init__(
        self,
        plan: ServingPlan,
        *,
        hub_token: pulumi.Input[str] | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:serving:Serving", "serving-stack", None, opts)
        self._plan, self._child = plan, ResourceOptions(parent=self)
        shared = ServingNamespaceArgs(name=plan.namespace, huggingface_token=hub_token)
        self._space = ServingNamespace("serving", shared, self._child)
        self._secrets = {name: Output.secret(value) for name, value in plan.secrets.items()}
        self._engine_keys = Output.secret(keys_text(plan.secrets))
        self._within = ResourceOptions(parent=self, depends_on=[self._space])
        NetworkPolicies(
            "network",
            network_policies(plan.stack, namespace=plan.namespace),
            self._labels("network", "network"),
            self._within,
        )
        self._key = self._engine_key()
        self._evaluations: list[pulumi.Resource] = []
        for model in plan.stack.models:
            self._model(model, hub_token)
        issued = certificates(
            plan.stack.gateway, plan.namespace, self._labels("gateway", "gateway"), self._within
        )
        after = [*issued, *self._evaluations]
        for work in self._gateway():  # in this order: limits read the counters' Secret
            after.append(self._part(work, after))
        parts = observability_parts(
            plan.stack,
            namespace=plan.namespace,
            images=plan.images,
            secrets=self._secrets,
            costs={name: cost_of(each) for name, each in plan.judged.items()},
            gateway=plan.gateway,
        )
        own = self._labels("observability", "observability")
        Observed("observability", parts, self._space.name, own, self._within)
        self.register_outputs({"namespace": self._space.name})

    def _labels(self, component: str, instance: str) -> Mapping[str, str]:
        return labels(component, instance, decision=self._plan.decision)

    def _part(self, work: Workload, after: Sequence[pulumi.Resource] = ()) -> Part:
        own = self._labels(work.component, work.instance)
        opts = ResourceOptions(parent=self, depends_on=[self._space, *after])
        return Part(work, self._space.name, own, opts)

    def _engine_key(self) -> k8s.core.v1.Secret:
        return k8s.core.v1.Secret(
            ENGINE_KEY,
            metadata={
                "name": ENGINE_KEY,
                "namespace": self._space.name,
                "labels": dict(self._labels(ENGINE_KEY, ENGINE_KEY)),
            },
            string_data={"key": self._secrets["engine-key"], KEYS_FILE: self._engine_keys},
            opts=self._within,
        )

    def _model(self, model: ServedModel, token: pulumi.Input[str] | None) -> None:
        plan = self._plan
        router = router_workload(
            model,
            namespace=plan.namespace,
            images=plan.images,
            engine_key=self._secrets["engine-key"],
        )
        self._part(router, [self._key])
        engine = self._engine(model, token)
        after = ResourceOptions(parent=self, depends_on=[engine])
        if follows(model):
            address = prometheus_address(plan.stack, namespace=plan.namespace)
            scaler = scaled_object(
                model,
                node_start_s=node_start_seconds(plan.stack.target),
                namespace=plan.namespace,
                prometheus_address=address,
                labels=self._labels("vllm", model.name),
            )
            Autoscaler(model.name, scaler, after)
        if evaluation := plan.evaluations.get(model.name):
            own = self._labels("evaluation", model.name)
            made = Evaluation(model.name, evaluation, self._space.name, own, after)
            self._evaluations.append(made)

    def _engine(self, model: ServedModel, token: pulumi.Input[str] | None) -> Vllm:
        """Register the replicas of a model, once its weights are where they are read from."""
        plan = self._plan
        reads: dict[str, pulumi.Input[str]] = {f"{ENGINE_KEY}/{KEYS_FILE}": self._engine_keys}
        if token is not None:
            reads["hub-token/token"] = token
        after: list[pulumi.Resource] = [self._space, self._key]
        if prefetch := plan.prefetches.get(model.name):
            own = self._labels("prefetch", model.name)
            after.append(Prefetch(model.name, prefetch, self._space.name, own, self._within))
        return Vllm(
            model.name,
            VllmArgs(
                plan=plan.engines[model.name],
                replicas=plan.judged[model.name].replicas,
                autoscaled=follows(model) is not None,
                namespace=self._space.name,
                token_secret=None if token is None else "hub-token",
                reads=reads,
                labels=self._labels("vllm", model.name),
                node_selector=pool_selector(plan.stack, model),
            ),
            ResourceOptions(parent=self, depends_on=after),
        )

    def _gateway(self) -> Iterator[Workload]:
        plan = self._plan.gateway
        elsewhere = existing_keys(plan.keys, self._plan.namespace, self._child)
        text = elsewhere.apply(
            lambda found: envoy_text(plan, all_values(plan.keys, self._plan.secrets, found))
        )
        password = self._secrets["counters-password"]
        yield counters_workload(self._plan.images, password)
        yield limits_workload(plan, self._plan.images, password)
        yield gateway_workload(plan, self._plan.images, Output.secret(text))
