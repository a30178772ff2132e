"""Everything that serves a stack: planned first, so that a mistake is told before anything exists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.autoscaling.component import Autoscaler
from components.autoscaling.scaled_object import follows, prometheus_address, scaled_object
from components.engine.plan import EngineSurroundings, VllmPlan, vllm_plan
from components.engine.pod import ENGINE_KEY
from components.engine.vllm import Vllm, VllmArgs
from components.gateway.envoy import envoy_text
from components.gateway.plan import GatewayPlan, Price, gateway_plan
from components.gateway.workloads import counters_workload, gateway_workload, limits_workload
from components.images import Images, stack_images
from components.labels import labels, namespace_name
from components.network.component import NetworkPolicies
from components.network.policies import network_policies
from components.observability.observed import Observed
from components.observability.parts import ModelCost, observability_images, observability_parts
from components.router import router_workload
from components.secrets import stack_secrets
from components.serving_namespace import ServingNamespace, ServingNamespaceArgs
from components.workload import Part, Workload
from stacks.errors import InputError, Place
from stacks.observability import NoLangfuse
from stacks.stack import ServedModel, Stack
from stacks.target import Render, Target

GATEWAY_IMAGES = frozenset({"envoy", "ratelimit", "redis", "vllm-router"})


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the decision says of one model."""

    replicas: int
    price: Price
    """Of the comparator, by which the hosted fallback is charged."""
    cost: ModelCost


@dataclass(frozen=True, kw_only=True)
class ServingPlan:
    """All that is known before the first resource."""

    stack: Stack
    namespace: str
    judged: Mapping[str, Judged]
    engines: Mapping[str, VllmPlan]
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
    _check_prompts(stack, file, today)
    _check_existing_secrets(stack, file, target)
    known = stack_secrets(stack, secrets, file=file, target=target)
    around = EngineSurroundings(
        traces=not isinstance(stack.observability.langfuse, NoLangfuse),
        largest_request_mib=stack.gateway.largest_request_mib,
    )
    models = Place(file, "")
    engines = {
        model.name: vllm_plan(
            model,
            models.at(f"models[{index}]"),
            target,
            replicas=judged[model.name].replicas,
            around=around,
        )
        for index, model in enumerate(stack.models)
    }
    needed = GATEWAY_IMAGES | observability_images(stack)
    return ServingPlan(
        stack=stack,
        namespace=namespace_name(name),
        judged=judged,
        engines=engines,
        gateway=gateway_plan(stack, {name: each.price for name, each in judged.items()}),
        images=stack_images(stack.images, needed, target, file=file),
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
        self._within = ResourceOptions(parent=self, depends_on=[self._space])
        NetworkPolicies(
            "network",
            network_policies(plan.stack, namespace=plan.namespace),
            self._labels("network", "network"),
            self._within,
        )
        self._engine_key()
        for model in plan.stack.models:
            self._model(model, has_token=hub_token is not None)
        for work in self._gateway():
            self._part(work)
        parts = observability_parts(
            plan.stack,
            namespace=plan.namespace,
            images=plan.images,
            secrets=self._secrets,
            costs={name: each.cost for name, each in plan.judged.items()},
        )
        own = self._labels("observability", "observability")
        Observed("observability", parts, self._space.name, own, self._within)
        self.register_outputs({"namespace": self._space.name})

    def _labels(self, component: str, instance: str) -> Mapping[str, str]:
        return labels(component, instance, decision=self._plan.decision)

    def _part(self, work: Workload) -> None:
        own = self._labels(work.component, work.instance)
        Part(work, self._space.name, own, self._within)

    def _engine_key(self) -> None:
        k8s.core.v1.Secret(
            ENGINE_KEY,
            metadata={
                "name": ENGINE_KEY,
                "namespace": self._space.name,
                "labels": dict(self._labels(ENGINE_KEY, ENGINE_KEY)),
            },
            string_data={"key": self._secrets["engine-key"]},
            opts=self._within,
        )

    def _model(self, model: ServedModel, *, has_token: bool) -> None:
        plan = self._plan
        self._part(router_workload(model, namespace=plan.namespace, images=plan.images))
        own = self._labels("vllm", model.name)
        Vllm(
            model.name,
            VllmArgs(
                plan=plan.engines[model.name],
                replicas=plan.judged[model.name].replicas,
                autoscaled=follows(model) is not None,
                namespace=self._space.name,
                token_secret="hub-token" if has_token else None,
                labels=own,
                node_selector=model.serving.node_selector,
            ),
            self._within,
        )
        if follows(model):
            address = prometheus_address(plan.stack, namespace=plan.namespace)
            scaler = scaled_object(
                model, namespace=plan.namespace, prometheus_address=address, labels=own
            )
            Autoscaler(model.name, scaler, self._within)

    def _gateway(self) -> Iterator[Workload]:
        plan = self._plan.gateway
        known = self._secrets | self._existing_keys()
        text = Output.all(**known).apply(lambda values: envoy_text(plan, values))
        yield counters_workload(self._plan.images, self._secrets["counters-password"])
        yield limits_workload(plan, self._plan.images)
        yield gateway_workload(plan, self._plan.images, Output.secret(text))

    def _existing_keys(self) -> dict[str, Output[str]]:
        """Return the keys that stand in Secrets of the cluster; read by each preview and update."""
        found = {}
        for key in self._plan.stack.gateway.keys:
            if key.existing_secret:
                place = f"{self._plan.namespace}/{key.existing_secret}"
                secret = k8s.core.v1.Secret.get(f"key-{key.alias}", place, opts=self._child)
                found[f"key-{key.alias}"] = secret.data.apply(_key_of)
        return found


def _key_of(data: Mapping[str, str]) -> str:
    import base64  # noqa: PLC0415 - only such a stack needs it

    return base64.b64decode(data["key"]).decode()


def _check_prompts(stack: Stack, file: str, today: date) -> None:
    recording = stack.observability.prompts
    if recording and recording.until < today:
        place = Place(file, "observability.prompts.until")
        raise place.error(
            found=f"{recording.until}, which is over",
            allowed=f"a day from {today}",
            remedy="take prompts out, or agree with their readers on a later day",
        )


def _check_existing_secrets(stack: Stack, file: str, target: Target) -> None:
    if not isinstance(target, Render):
        return
    problems = [
        Place(file, f"gateway.keys[{index}].existing_secret").problem(
            found=f"{key.existing_secret}, with target: render",
            allowed="a live target: without a cluster there is nothing to read it from",
            remedy=f"leave it out and set breakeven:secrets.key-{key.alias}",
        )
        for index, key in enumerate(stack.gateway.keys)
        if key.existing_secret
    ]
    if problems:
        raise InputError(*problems)
