"""Names that nothing goes by: models, GPUs, instances, comparators, facts."""

from tests.factories import ABSENT, Changes, own_node
from tests.gate.bad_input import Wrong

M = "models[0]."
NODE, HOSTED = M + "pool.node", M + "hosted"
LISTED: Changes = {HOSTED + ".negotiated": ABSENT}
"""The comparator's price is looked up."""


def comparator(provider: str, model: str) -> Changes:
    return {HOSTED + ".provider": provider, HOSTED + ".model": model, **LISTED}


def instance(name: str, region: str = "us-east-1") -> Changes:
    return {NODE: {"kind": "instance", "instance_type": name, "region": region}}


def escalation(provider: str, model: str) -> Changes:
    frontier = {"provider": provider, "model": model, "self_hosted_fraction": 0.1}
    return {M + "costs.escalation": frontier}


NAMES = (
    Wrong(
        "a model the gate has no figures of",
        M + "weights.id",
        "Qwen/Qwen3-9B, an unknown model",
        changes={M + "weights.id": "Qwen/Qwen3-9B"},
        remedy="did you mean Qwen/Qwen3-8B?",
    ),
    Wrong(
        "a GPU that does not exist",
        NODE + ".gpu",
        "h100-sxm-90gb, an unknown GPU",
        changes={NODE: own_node(5, gpu="h100-sxm-90gb")},
        allowed="l4-24gb",
        remedy="did you mean h100-sxm-80gb?",
    ),
    Wrong(
        "an instance type that does not exist",
        NODE + ".instance_type",
        "p5.5xlarge, an unknown instance type",
        changes=instance("p5.5xlarge"),
        remedy="did you mean p5.4xlarge?",
    ),
    Wrong(
        "an instance without a price in the region",
        NODE + ".region",
        "eu-west-3, where no on-demand price of p5.4xlarge is known",
        changes=instance("p5.4xlarge", "eu-west-3"),
        allowed="us-east-1",
        remedy="gate/data/instances.yaml",
    ),
    Wrong(
        "an instance that is not sold on demand",
        NODE + ".region",
        "us-east-2, where no on-demand price of p5e.48xlarge is known",
        changes=instance("p5e.48xlarge", "us-east-2"),
        allowed="no region",
        remedy="another purchase",
    ),
    Wrong(
        "an instance before its first price",
        NODE + ".region",
        "no on-demand price of p5.4xlarge is known on 2025-08-01",
        changes=instance("p5.4xlarge"),
        as_of="2025-08-01",
    ),
    Wrong(
        "an instance without a GPU",
        NODE + ".instance_type",
        "t3.medium, which has no GPU",
        changes=instance("t3.medium"),
        allowed="with GPUs",
    ),
    Wrong(
        "a comparator's provider that is not known",
        HOSTED + ".provider",
        "firework, an unknown hosted provider",
        changes=comparator("firework", "deepseek-v3p2"),
        remedy="did you mean fireworks?",
    ),
    Wrong(
        "a provider that is a path",
        HOSTED + ".provider",
        "../models, an unknown hosted provider",
        changes=comparator("../models", "x"),
    ),
    Wrong(
        "a comparator's model that its provider does not list",
        HOSTED + ".model",
        "deepseek-v3p9, an unknown model at fireworks",
        changes=comparator("fireworks", "deepseek-v3p9"),
        remedy="did you mean deepseek-v3p2?",
    ),
    Wrong(
        "a comparator that is free",
        HOSTED + ".model",
        "a free tier has limits, not a price",
        changes=comparator("openrouter", "agentica-org/deepcoder-14b-preview:free"),
        allowed="a price for input and for output",
        remedy="hosted.negotiated",
    ),
    Wrong(
        "a frontier model that is not known",
        M + "costs.escalation.model",
        "gpt-99, an unknown model at openai",
        changes=escalation("openai", "gpt-99"),
    ),
    Wrong(
        "a frontier provider that is not known",
        M + "costs.escalation.provider",
        "opena, an unknown hosted provider",
        changes=escalation("opena", "gpt-5"),
        remedy="did you mean openai?",
    ),
    Wrong(
        "a cost line on a fact that is not known",
        "operations.infrastructure.storage.fact",
        "gp3_gb_mont, an unknown price of operations",
        changes={"operations.infrastructure.storage": {"fact": "gp3_gb_mont", "quantity": 500}},
        remedy="did you mean gp3_gb_month?",
    ),
)
