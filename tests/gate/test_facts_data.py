"""What every record of the hand-written tables must hold."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import yaml

from gate import facts
from gate.facts import tables

TODAY = date(2026, 11, 21)
"""Frozen: a fact in the repository was read by the day the repository was written."""

TABLES = ("gpus", "instances", "kubernetes", "models", "operations")
KEYED = {
    "gpus": ("sources", "gpus"),
    "instances": ("sources", "instances"),
    "kubernetes": ("sources", "kubernetes"),
    "models": ("sources", "models"),
    "operations": ("sources", "max_age_days", "prices"),
}
PURCHASES = {
    "capacity_block",
    "on_demand",
    "reserved_1yr_all_upfront",
    "reserved_3yr_all_upfront",
    "reserved_3yr_no_upfront",
}


def numbers(content: Any) -> Iterator[float]:
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from numbers(part)
    elif isinstance(content, int | float):
        yield content


class StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):  # noqa: FBT002  (as the class it replaces)
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice in {keys}"
        return super().construct_mapping(node, deep)


@pytest.mark.parametrize("name", TABLES)
def test_no_key_stands_twice_and_keys_are_sorted(name):
    text = (tables.DATA / f"{name}.yaml").read_text("utf-8")
    content = yaml.load(text, StrictLoader)  # noqa: S506  (it is a safe loader)

    assert set(content) == set(KEYED[name])
    for section in KEYED[name]:
        assert list(content[section]) == sorted(content[section])


@pytest.mark.parametrize("name", TABLES)
def test_every_source_has_a_page_and_a_day_that_has_passed(name):
    for key in tables.table(name)["sources"]:
        source = tables.source(name, key)

        assert source.url.startswith("https://")
        assert type(source.checked) is date
        assert source.checked <= TODAY


@pytest.mark.parametrize("name", TABLES)
def test_every_source_is_used(name):
    content = tables.table(name)
    body = yaml.safe_dump({key: part for key, part in content.items() if key != "sources"})

    for key in content["sources"]:
        assert f"source: {key}\n" in body


@pytest.mark.parametrize("name", sorted({*TABLES} - {"kubernetes"}))
def test_every_number_is_finite_and_only_a_count_of_gpus_is_zero(name):
    content = tables.table(name)
    figures = list(numbers({key: part for key, part in content.items() if key != "sources"}))

    assert figures
    assert all(math.isfinite(figure) and figure >= 0 for figure in figures)
    zeros = sum(figure == 0 for figure in figures)
    assert zeros == sum(
        not facts.instance(n).gpus for n in tables.names(name) if name == "instances"
    )


@pytest.mark.parametrize("name", tables.names("gpus"))
def test_a_gpu_says_what_its_name_says(name):
    gpu = facts.gpu(name)
    advertised_gb = float(name.rsplit("-", 1)[1].removesuffix("gb"))

    assert 0.85 * advertised_gb < gpu.memory_gib * 2**30 / 1e9 < 1.08 * advertised_gb
    assert set(gpu.dense_tflops) <= {"bf16", "fp8", "fp4"}
    ladder = [gpu.dense_tflops.get(precision) for precision in ("bf16", "fp8", "fp4")]
    known = [tflops for tflops in ladder if tflops]
    assert known == sorted(known)
    assert None not in ladder[: len(known)]


@pytest.mark.parametrize(
    ("name", "mib"),
    [
        ("a10g-24gb", 23028),
        ("b200-sxm-180gb", 183359),
        ("b300-sxm-288gb", 275040),
        ("h100-sxm-80gb", 81559),
        ("h200-sxm-141gb", 143771),
        ("l4-24gb", 23034),
        ("l40s-48gb", 46068),
        ("rtx-pro-6000-96gb", 97887),
    ],
)
def test_memory_is_what_nvidia_smi_reports_rounded_down(name, mib):
    assert facts.gpu(name).memory_gib == math.floor(mib / 1024 * 100) / 100


def test_dense_figures_are_not_the_sparse_ones():
    assert facts.gpu("h100-sxm-80gb").dense_tflops == {"bf16": 989, "fp8": 1979}
    assert facts.gpu("l4-24gb").dense_tflops == {"bf16": 121, "fp8": 242}
    assert facts.gpu("l40s-48gb").dense_tflops["fp8"] == 733
    assert "fp8" not in facts.gpu("a100-sxm-80gb").dense_tflops


@pytest.mark.parametrize("name", tables.names("instances"))
def test_an_instance_names_a_known_gpu_and_priced_history(name):
    instance = facts.instance(name)

    assert (instance.gpu is None) == (instance.gpus == 0)
    if instance.gpu:
        facts.gpu(instance.gpu)
    order = [(r.region, r.purchase, r.effective_from) for r in instance.prices]
    assert order == sorted(set(order)), "by region, purchase and day, each once"
    for record in instance.prices:
        assert record.purchase in PURCHASES
        assert record.effective_from <= record.source.checked


@pytest.mark.parametrize("key", tables.names("operations"))
def test_a_price_of_operations_is_in_order_and_in_dollars(key):
    records = tables.operations_prices(key)
    starts = [(record.region, record.effective_from) for record in records]

    assert starts == sorted(set(starts)), "by region and day, each once"
    assert all(record.unit.startswith("USD per ") for record in records)
    assert all(record.effective_from <= record.source.checked for record in records)


@pytest.mark.parametrize("name", tables.names("kubernetes"))
def test_a_kubernetes_version_is_supported_for_fourteen_months_and_then_for_twelve(name):
    version = facts.kubernetes(name)

    assert 13 * 30 < (version.standard_ends - version.on_eks).days < 15 * 31
    if version.extended_ends is not None:
        assert (version.extended_ends - version.standard_ends).days == pytest.approx(365, abs=1)


@pytest.mark.parametrize("name", tables.names("models"))
def test_a_model_is_whole(name):
    spec = facts.model(name)

    assert spec.active_parameters <= spec.parameters
    assert spec.attention_heads % spec.kv_heads == 0
    assert spec.native_precision in {"bf16", "fp8", "fp4"}
    embedding = spec.vocabulary * spec.hidden_size
    layer = spec.hidden_size**2
    assert spec.parameters > embedding + spec.layers * layer


def test_dense_parameters_follow_from_the_architecture():
    """Second derivation: attention, gated MLP of the config's width, norms, two embeddings."""
    for name, width in (
        ("meta-llama/Llama-3.1-8B-Instruct", 14336),
        ("meta-llama/Llama-3.3-70B-Instruct", 28672),
    ):
        m = facts.model(name)
        attention = 2 * m.hidden_size * m.head_dim * (m.attention_heads + m.kv_heads)
        layer = attention + 3 * m.hidden_size * width + 2 * m.hidden_size
        total = m.layers * layer + 2 * m.vocabulary * m.hidden_size + m.hidden_size

        assert m.parameters == total == m.active_parameters


def test_a_mixed_precision_checkpoint_weighs_what_its_parts_weigh():
    """gpt-oss-120b: experts in MXFP4 (4 bits and a shared 8-bit scale in 32), the rest in bf16."""
    m = facts.model("openai/gpt-oss-120b")
    experts = m.layers * 128 * 3 * m.hidden_size * 2880

    weighed = (experts * (4 + 8 / 32) / 8 + (m.parameters - experts) * 2) / 2**30

    assert m.weights_gib == pytest.approx(weighed, abs=0.05)


def test_latent_attention_caches_far_less_than_its_heads_would():
    assert facts.model("deepseek-ai/DeepSeek-R1").kv_cache_elements_per_token_per_layer == 512 + 64
    assert facts.model("Qwen/Qwen3-8B").kv_cache_elements_per_token_per_layer == 2 * 8 * 128
