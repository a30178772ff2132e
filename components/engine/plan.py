"""From a declared model to what its pods are: arguments, memory, probes. Pure, and tested as such."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.engine.admission import queued_requests, queued_tokens
from components.engine.arguments import EngineSettings, arguments, check_extra_arguments
from components.engine.environment import environment
from components.engine.known_arguments import pinned_version
from components.engine.probes import Timings, check_timings, timings
from components.engine.weights import (
    Download,
    EngineWeights,
    check_weights,
    engine_weights,
    manifest_problem,
)
from components.images import placeholder_problem
from stacks.aws.target import Eks
from stacks.errors import InputError, Place, Problem
from stacks.pool import Autoscaled
from stacks.sources import StoreSource
from stacks.stack import ServedModel, Stack
from stacks.target import Target, node_start_seconds

PORT: Final = 8000
HOME: Final = "/home/vllm"
WEIGHTS: Final = "/models"
ENGINE_CACHE: Final = "/cache"
PRE_STOP_S: Final = 15
"""Until every router has seen that the pod is going (facts: watch of EndpointSlices, 5 s checks)."""
STARTUP_MARGIN: Final = 2.0
"""Over the measured cold start, and a node's start: on a bad day a registry or a hub is twice as slow."""
CORES_TO_SERVE: Final = 1
"""Not to compute on a CPU: vLLM's own binding keeps a core for its scheduler too."""
SHARED_MEMORY_GIB: Final = 1.0
"""Of /dev/shm for one GPU; vLLM needs 160 MB, the default is 64 MB. Tensor parallel exchanges more."""
SHARED_MEMORY_GIB_PER_GPU: Final = 4.0
COLLECTOR: Final = "http://otel-collector:4318/v1/traces"
"""The stack's own collector, which adds the credentials of where the spans are kept."""

QUANTIZATION: Final = {"bf16": None, "fp8": "fp8", "int8": None, "int4": None, "fp4": None}
"""vLLM quantizes bf16 weights to fp8 while loading; other precisions are in the checkpoint itself."""
KV_CACHE_DTYPE: Final = {"bf16": "auto", "fp8": "fp8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSurroundings:
    """What the rest of the stack means for an engine."""

    traces: bool = False
    """Whether the stack runs a collector that keeps spans."""
    largest_request_mib: float = 4.0
    """Largest body that the gateway lets through."""
    aliases: frozenset[str] = frozenset()
    """Of all models. Each engine answers to each of them, and the gateway alone says whom a request
    reaches: an alias moves to another model without a restart of either."""
    model_store: str | None = None
    """Name of the stack's bucket for weights; None where it has none."""


NO_SURROUNDINGS: Final = EngineSurroundings()


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmPlan:
    """What the pods of one engine are made of."""

    image: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    timings: Timings
    gpus: int
    """0 where the CPUs compute."""
    cpus: float
    memory_gib: float
    """Request and limit; shared memory comes on top with GPUs alone: on a CPU the gate judged the whole."""
    shared_memory_gib: float
    weights_claim: str | None
    """PersistentVolumeClaim of the weights, mounted read-only; None where they are elsewhere."""
    downloads: tuple[Download, ...]
    """What an init container fetches from the hub."""
    surge: bool
    """A roll-out may start a new replica before an old one stops: a GPU is spare."""


def vllm_plans(
    stack: Stack,
    replicas: Mapping[str, int],
    target: Target,
    *,
    file: str,
    model_store: str | None,
) -> dict[str, VllmPlan]:
    """Return the plan of each model of a stack; `replicas` by model.

    `model_store` is the name of the stack's bucket for weights, None where it has none.

    Raises:
        InputError: as `vllm_plan`.
    """
    around = EngineSurroundings(
        traces=stack.observability.traces,
        largest_request_mib=stack.gateway.largest_request_mib,
        aliases=frozenset(alias for each in stack.models for alias in each.serving.aliases),
        model_store=model_store,
    )
    return {
        model.name: vllm_plan(
            model,
            Place(file, f"models[{index}]"),
            target,
            replicas=replicas[model.name],
            around=around,
        )
        for index, model in enumerate(stack.models)
    }


def vllm_plan(
    model: ServedModel,
    place: Place,
    target: Target,
    *,
    replicas: int,
    around: EngineSurroundings = NO_SURROUNDINGS,
) -> VllmPlan:
    """Return the plan of a declared model; `place` is where it stands in the stack file.

    Raises:
        InputError: an argument is unknown to the pinned vLLM or owned by a setting, the version is
            another one, or a timing cannot hold; all of them at once.
    """
    times = _timings(model, replicas, target)
    problems = list(_problems(model, times, place, target))
    if problems:
        raise InputError(*problems)
    return _checked_plan(model, times, target, around)


def _checked_plan(
    model: ServedModel, times: Timings, target: Target, around: EngineSurroundings
) -> VllmPlan:
    serving, gpus = model.serving, model.pool.gpus_per_replica
    weights = engine_weights(model, around.model_store)
    shared = SHARED_MEMORY_GIB if gpus <= 1 else SHARED_MEMORY_GIB_PER_GPU * gpus
    return VllmPlan(
        image=serving.image,
        arguments=arguments(engine_settings(model, weights, around)),
        environment=environment(
            weights_path=WEIGHTS,
            engine_cache_path=ENGINE_CACHE,
            home_path=HOME,
            startup_budget_s=times.startup_budget_s,
            largest_request_mib=around.largest_request_mib,
            offline=weights.offline,
            traced_as=f"vllm-{model.name}" if around.traces else None,
            aws_region=_store_region(model, target),
            cpu_threads=None if gpus else max(1, math.floor(serving.cpus) - CORES_TO_SERVE),
        ),
        timings=times,
        gpus=gpus,
        cpus=serving.cpus,
        memory_gib=serving.memory_gib + (shared if gpus else 0),
        shared_memory_gib=shared,
        weights_claim=weights.claim,
        downloads=weights.downloads,
        surge=serving.spare_gpus_for_rollout >= gpus > 0,
    )


def _store_region(model: ServedModel, target: Target) -> str | None:
    """Return the region of the stack's bucket, where the weights are there."""
    stored = isinstance(model.serving.source, StoreSource)
    return target.region if stored and isinstance(target, Eks) else None


def _timings(model: ServedModel, replicas: int, target: Target) -> Timings:
    return timings(
        cold_start_s=model.serving.cold_start_seconds,
        startup_budget_s=math.ceil(model.serving.cold_start_seconds * STARTUP_MARGIN),
        pre_stop_s=PRE_STOP_S,
        drain_s=math.ceil(model.serving.drain_seconds),
        rollout_steps=max(1, _most_replicas(model, replicas)),
        node_start_s=math.ceil(node_start_seconds(target) * STARTUP_MARGIN),
    )


def _most_replicas(model: ServedModel, replicas: int) -> int:
    """Return how many an update may find: an autoscaler has changed what was registered."""
    pool = model.pool
    return pool.replicas.max if isinstance(pool.scaling, Autoscaled) else replicas


def engine_settings(
    model: ServedModel, source: EngineWeights, around: EngineSurroundings
) -> EngineSettings:
    """Return what the engine is started with: the figures the gate judged, and nothing else."""
    weights, serving = model.weights, model.serving
    return EngineSettings(
        model=source.model,
        revision=source.revision,
        served_model_name=(model.name, *sorted(around.aliases.union(serving.aliases))),
        port=PORT,
        tensor_parallel_size=model.pool.gpus_per_replica or 1,
        pipeline_parallel_size=1,
        max_model_len=model.workload.max_model_len,
        max_num_seqs=serving.max_num_seqs,
        gpu_memory_utilization=serving.gpu_memory_utilization,
        dtype="bfloat16" if weights.precision == "bf16" else "auto",
        quantization=QUANTIZATION[weights.precision],
        kv_cache_dtype=KV_CACHE_DTYPE[weights.kv_cache_precision],
        enable_prefix_caching=True,
        shutdown_timeout_s=math.ceil(serving.drain_seconds),
        max_num_queued_reqs=queued_requests(model),
        max_num_queued_tokens=queued_tokens(model),
        load_format=source.load_format,
        model_loader_extra_config=source.loader_config,
        lora_modules=source.lora_modules,
        max_lora_rank=serving.max_lora_rank,
        otlp_traces_endpoint=COLLECTOR if around.traces else None,
        tool_call_parser=serving.tool_call_parser,
        reasoning_parser=serving.reasoning_parser,
        extra=tuple(serving.arguments.items()),
    )


def _problems(
    model: ServedModel, times: Timings, place: Place, target: Target
) -> Iterator[Problem]:
    serving, here = model.serving, place.at("serving")
    yield from check_weights(model, place)
    if problem := placeholder_problem(serving.image, here.at("image"), target):
        yield problem
    if problem := manifest_problem(serving.source, here.at("source"), target):
        yield problem
    for wrong in check_extra_arguments(tuple(serving.arguments.items())):
        yield here.at("arguments").problem(
            found=wrong.found, allowed=wrong.allowed, remedy=wrong.remedy
        )
    if serving.engine_version != pinned_version():
        yield here.at("engine_version").problem(
            found=serving.engine_version,
            allowed=pinned_version(),
            remedy="deploy the pinned version, or pin another one (requirements-serving.txt)",
        )
    for broken in check_timings(times):
        yield here.problem(found=broken.found, allowed=broken.allowed, remedy=broken.remedy)
