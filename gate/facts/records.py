"""The nouns of gate/data: a GPU, an instance type and its prices, a model, a price of operations."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple


class Source(NamedTuple):
    """Where a figure was read."""

    url: str
    """The page, or a file at a commit."""
    checked: date
    """The newest day on which the source is known to have said so."""
    note: str = ""
    """How it was read, where not directly."""


class Gpu(NamedTuple):
    """What one GPU can do at most."""

    name: str
    """Key in gate/data/gpus.yaml, e.g. h100-sxm-80gb."""
    memory_gib: float
    """Memory in GiB as nvidia-smi reports it; a process sees a little less."""
    memory_bandwidth_gb_per_s: float
    """Peak memory bandwidth in GB (10^9 bytes) a second."""
    dense_tflops: Mapping[str, float]
    """Peak dense tensor arithmetic in TFLOPS by precision: bf16, fp8, fp4; absent: not in hardware."""
    source: Source
    """Where bandwidth and arithmetic were read."""
    memory_source: Source
    """Where the memory was read."""
    note: str = ""
    """What a reader must know, and what could not be verified."""


class PriceRecord(NamedTuple):
    """What an instance costs in one region and purchase option from a day on."""

    instance: str
    """Instance type, e.g. p5.48xlarge."""
    region: str
    """AWS region, e.g. us-east-1."""
    purchase: str
    """on_demand, capacity_block, reserved_1yr_all_upfront, reserved_3yr_all_upfront or _no_upfront."""
    usd_per_hour: float
    """USD an hour for the whole instance, Linux; upfront payments spread over the term."""
    effective_from: date
    """First dated list that shows the price."""
    source: Source
    """Where it was read."""


class Instance(NamedTuple):
    """What an instance type holds, and the history of its prices."""

    name: str
    """AWS instance type."""
    gpu: str | None
    """Key of its GPU; None on a CPU node."""
    gpus: int
    """GPUs in one instance."""
    vcpus: int
    """Virtual CPUs in one instance."""
    memory_gib: float
    """Main memory in GiB."""
    prices: tuple[PriceRecord, ...]
    """By region and purchase option, oldest first."""
    network_gbit_per_s: float | None = None
    """What its network cards carry at most together; None where it was not read."""
    local_disk_gb: float | None = None
    """GB of its own NVMe disks together; None where it has none, or none that was read."""
    note: str = ""
    """What a reader must know."""


class ModelSpec(NamedTuple):
    """What a model weighs and what its cache costs, out of its config.json."""

    name: str
    """Hugging Face id."""
    parameters: int
    """All parameters."""
    active_parameters: int
    """Parameters one token is multiplied with; all of them in a dense model."""
    layers: int
    """Hidden layers."""
    attention_heads: int
    """Query heads."""
    kv_heads: int
    """Key/value heads."""
    head_dim: int
    """Width of a head in elements."""
    hidden_size: int
    """Width of the residual stream in elements."""
    vocabulary: int
    """Tokens in the vocabulary."""
    max_position_embeddings: int
    """The longest context in tokens that the config states."""
    native_precision: str
    """Precision the weights are published in: bf16, fp8 or fp4."""
    license: str
    """SPDX id, or the name of a community licence."""
    kv_cache_elements_per_token_per_layer: int
    """Cached elements a token costs in each layer; an upper bound with sliding windows."""
    weights_gib: float | None
    """Size of the published weights in GiB where parameters times one precision is not it."""
    revision: str | None
    """Commit of the weights, where it was verified."""
    source: Source
    """Where the figures were read."""
    note: str = ""
    """What a reader must know, and what could not be verified."""


class OperationsPrice(NamedTuple):
    """What AWS bills around the GPUs, from a day on."""

    key: str
    """Key in gate/data/operations.yaml, e.g. nat_gateway_hour."""
    value: float
    """Amount in `unit`."""
    unit: str
    """E.g. USD per GB."""
    effective_from: date
    """First dated list that shows the price."""
    source: Source
    """Where it was read."""
    note: str = ""
    """What the amount covers."""
    region: str = "us-east-1"
    """AWS region it holds in."""


class KubernetesVersion(NamedTuple):
    """How long EKS supports a Kubernetes version."""

    name: str
    """Minor version, e.g. 1.36."""
    on_eks: date
    """Day it came to EKS."""
    standard_ends: date
    """Day standard support ends and the extended fee begins."""
    extended_ends: date | None
    """Day EKS upgrades the cluster by itself; None where it is not known."""
    source: Source
    """Where the days were read."""
    note: str = ""
    """What a reader must know."""
