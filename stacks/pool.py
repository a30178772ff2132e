"""What the model runs on: the node, how it is bought, and how the pool grows."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import (
    Amount,
    Count,
    CountOrZero,
    Day,
    Declared,
    Fraction,
    Positive,
    Statement,
    Text,
    TokensPerRequest,
    TokensPerSecond,
    UsdPerHour,
    check_cap,
)
from stacks.purchase import Purchase


class CatalogNode(Declared):
    """A cloud instance whose list price is a dated fact of the gate."""

    kind: Literal["instance"]
    instance_type: Text
    """As in `python -m gate prices`, e.g. p5.4xlarge."""
    region: Text
    """Region whose list price counts, e.g. us-east-1."""


class QuotedNode(Declared):
    """A node that the gate has no price for."""

    usd_per_hour: UsdPerHour
    """USD for one node-hour, everything it needs to run included (power, space, depreciation)."""
    evidence: Text
    """Where the price comes from: a link or a document id."""
    checked: Day
    """Day the price was last confirmed."""


class OwnNode(QuotedNode):
    """A node with GPUs on-premises, at another cloud, or by a quote."""

    kind: Literal["own"]
    gpu: Text
    """GPU as in `python -m gate prices`, e.g. l4-24gb."""
    gpus: Count
    """GPUs in the node."""


class CpuNode(QuotedNode):
    """A node without a GPU: it holds one replica, of vLLM's build for CPUs."""

    kind: Literal["cpu"]
    processor: Text
    """Its processor, by the name that the benchmark has for it, e.g. ryzen-9-7940hs."""
    memory_bandwidth_gb_per_s: Positive
    """Peak of its memory in GB (10^9 bytes) a second: channels x transfers a second x 8 bytes."""
    bf16_tflops: Positive
    """Peak of its arithmetic on bf16: cores x GHz at boost x operations a cycle / 1,000."""


Node = Annotated[CatalogNode | OwnNode | CpuNode, Field(discriminator="kind")]


class FixedPool(Declared):
    """The pool is sized for the peak and runs all month."""

    kind: Literal["fixed"]


class Autoscaled(Declared):
    """The pool follows the load."""

    kind: Literal["autoscaled"]
    lead_minutes: Amount
    """From the decision to scale up until the replica serves: the measured cold start."""
    hold_minutes: Annotated[Amount, Field(le=60)]
    """How long capacity stays after it was last needed: the cool-down. Kubernetes' HPA takes at most
    an hour."""


Scaling = Annotated[FixedPool | Autoscaled, Field(discriminator="kind")]


class Replicas(Declared):
    """How few and how many replicas may run."""

    min: CountOrZero
    """Floor: 2 for availability, 0 where the model may sleep."""
    max: Count
    """Cap: the bill that is approved cannot outgrow it."""

    @model_validator(mode="after")
    def _cap_holds_the_floor(self) -> Self:
        check_cap(floor=self.min, cap=self.max)
        return self


class Benchmark(Declared):
    """What one replica serves at the SLO, and where the figure comes from."""

    total_tokens_per_second: TokensPerSecond
    """Input and output tokens together that one replica (not one GPU) sustains within the SLO."""
    engine: Text
    """Engine that was measured, e.g. vllm."""
    engine_version: Text
    """Its version."""
    revision: Text
    """Revision of the weights that were measured."""
    precision: Text
    """Precision of the weights that were measured."""
    gpu: Text
    """GPU that was measured; the processor, on a node without one."""
    gpus: CountOrZero
    """GPUs of the replica that was measured."""
    input_tokens: TokensPerRequest
    """Mean input length of the measurement."""
    output_tokens: TokensPerRequest
    """Mean output length of the measurement."""
    prefix_cache_hit_fraction: Fraction
    """Share of the input tokens found in the prefix cache during the measurement."""
    prefill_time_fraction: Fraction | None = None
    """Share of the GPU's time spent in prefill; needed to credit a prefix cache that was not measured."""
    ttft_p99_ms: Positive
    """Time to first token that was observed at this throughput, 99th percentile, milliseconds."""
    tpot_p50_ms: Positive
    """Time per output token that was observed at this throughput, median, milliseconds."""
    measured_on: Day
    """Day of the measurement."""
    source: Statement
    """Report, file or link that holds the measurement."""


class Pool(Declared):
    """The pool of one model."""

    node: Node
    """What is bought; whole nodes are paid, used or not."""
    gpus_per_replica: CountOrZero
    """GPUs that one replica spans (tensor parallel); the GPUs of a node are a multiple of it. 0 on nodes
    without any."""
    replicas: Replicas
    """Floor and cap."""
    scaling: Scaling
    """Fixed, or following the load."""
    purchase: Purchase
    """How nodes are bought."""

    @model_validator(mode="after")
    def _gpus_are_where_nodes_have_them(self) -> Self:
        on_cpu = isinstance(self.node, CpuNode)
        if on_cpu is not (self.gpus_per_replica == 0):
            raise ContradictionError(
                field=".gpus_per_replica",
                found=f"{self.gpus_per_replica}, with node.kind: {self.node.kind}",
                allowed="0 with node.kind: cpu, and from 1 with any other",
                remedy="say how many GPUs a replica spans, or that its node has none",
            )
        return self
