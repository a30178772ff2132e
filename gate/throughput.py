"""What one replica serves: the benchmark, held against the declaration and against physics."""

from typing import NamedTuple

from gate import facts, physics
from gate.lookup import answering
from gate.nodes import NodePlan
from stacks.errors import Place
from stacks.serving import Architecture
from stacks.stack import ServedModel


class Throughput(NamedTuple):
    """Tokens a second of one replica at the SLO, and how that compares with what is possible."""

    tokens_per_second: float
    """q: the benchmark, with credit for a prefix cache where it was measured."""
    ideal_tokens_per_second: float
    kv_tokens: float
    """Tokens whose KV cache fits beside the weights."""
    weight_gib: float
    usable_gib: float

    @property
    def of_ideal(self) -> float:
        """Return q over the roofline."""
        return self.tokens_per_second / self.ideal_tokens_per_second


def throughput(model: ServedModel, nodes: NodePlan, place: Place) -> Throughput:
    """Return what a replica serves.

    Raises:
        InputError: the model is unknown.
    """
    silicon, network = _silicon(model, nodes), _network(model, nodes, place)
    workload = model.workload
    return Throughput(
        tokens_per_second=_with_prefix_cache(model),
        ideal_tokens_per_second=physics.ideal_tokens_per_second(
            silicon,
            network,
            input_tokens=workload.input_tokens_per_request,
            cached=workload.prefix_cache_hit_fraction,
            output_tokens=workload.output_tokens_per_request,
        ),
        kv_tokens=physics.kv_tokens(silicon, network),
        weight_gib=physics.gib(network.weight_bytes),
        usable_gib=physics.gib(silicon.memory_bytes),
    )


def _silicon(model: ServedModel, nodes: NodePlan) -> physics.Silicon:
    chips, chip = nodes.chips_per_replica, nodes.chip
    # On a CPU vLLM takes its share of the pod's memory instead.
    memory_gib = model.serving.memory_gib if chip.memory_gib is None else chip.memory_gib * chips
    usable = model.serving.gpu_memory_utilization
    return physics.Silicon(
        memory_bytes=memory_gib * physics.GIB * usable,
        bytes_per_second=chip.memory_bandwidth_gb_per_s * 1e9 * chips,
        dense_flops=physics.dense_flops(chip.dense_tflops, model.weights.precision) * chips,
    )


class Shape(NamedTuple):
    """The figures of a model, known or declared."""

    name: str
    parameters: float
    active_parameters: float
    layers: int
    attention_heads: int
    kv_heads: int
    kv_elements_per_layer: int
    max_position_embeddings: int
    published_gib: float | None
    """Size of the weights as they are published, where parameters times a precision is not it."""
    published_precision: str | None


def model_shape(model: ServedModel, place: Place) -> Shape:
    """Return the model's figures, as declared or as known.

    Raises:
        InputError: the gate has no facts about the model, and none were declared.
    """
    declared = model.weights.architecture
    if declared:
        return _shape(model, declared, elements_per_layer=2 * declared.kv_heads * declared.head_dim)
    with answering(place.at("weights.id")):
        spec = facts.model(model.weights.id)
    return _shape(model, spec, elements_per_layer=spec.kv_cache_elements_per_token_per_layer)


def _shape(
    model: ServedModel, figures: Architecture | facts.ModelSpec, *, elements_per_layer: int
) -> Shape:
    latent = elements_per_layer < 2 * figures.kv_heads * figures.head_dim
    return Shape(
        name=model.weights.id,
        parameters=figures.parameters,
        active_parameters=figures.active_parameters,
        layers=figures.layers,
        attention_heads=figures.attention_heads,
        # A latent (MLA) is one for all heads: each tensor-parallel rank holds a copy of it.
        kv_heads=1 if latent else figures.kv_heads,
        kv_elements_per_layer=elements_per_layer,
        max_position_embeddings=figures.max_position_embeddings,
        published_gib=getattr(figures, "weights_gib", None),
        published_precision=getattr(figures, "native_precision", None),
    )


def _network(model: ServedModel, nodes: NodePlan, place: Place) -> physics.Network:
    shape, weights = model_shape(model, place), model.weights
    width = physics.BYTES_PER_WEIGHT[weights.precision]
    published = shape.published_gib if weights.precision == shape.published_precision else None
    kv = physics.kv_bytes_per_token(
        layers=shape.layers,
        elements_per_layer=shape.kv_elements_per_layer,
        kv_heads=shape.kv_heads,
        precision=weights.kv_cache_precision,
        gpus=nodes.chips_per_replica,
    )
    return physics.Network(
        weight_bytes=published * physics.GIB if published else shape.parameters * width,
        active_weight_bytes=shape.active_parameters * width,
        active_parameters=shape.active_parameters,
        kv_bytes_per_token=kv,
    )


def _with_prefix_cache(model: ServedModel) -> float:
    """Return q, credited for hits that the benchmark did not have, if prefill was timed.

    Prefill takes the share f of the time at hit rate h0; at h it takes f (1 - h)/(1 - h0), so
    q rises by 1 / (1 - f (h - h0)/(1 - h0)). Without f there is no credit.
    """
    benchmark = model.benchmark
    measured = benchmark.prefix_cache_hit_fraction
    expected = model.workload.prefix_cache_hit_fraction
    if expected <= measured or benchmark.prefill_time_fraction is None:
        return benchmark.total_tokens_per_second
    saved = benchmark.prefill_time_fraction * (expected - measured) / (1 - measured)
    return benchmark.total_tokens_per_second / (1 - saved)
