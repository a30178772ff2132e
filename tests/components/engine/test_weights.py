"""Where weights and adapters come from, and what does not go together."""

import json
from typing import Any

import pytest

from components.engine.plan import EngineSurroundings, vllm_plan
from components.engine.weights import PLACEHOLDER_MANIFEST, check_weights, engine_weights
from stacks.aws.target import Eks
from stacks.errors import InputError
from stacks.stack import ServedModel, Stack
from tests.components.aws.registered import declared
from tests.components.engine.models import (
    HUB_ADAPTER,
    IMAGE,
    LOCAL_ADAPTER,
    PLACE,
    RENDER,
    S3,
    STORE,
    VOLUME,
    a_model,
    flag,
    plan_of,
    words_of,
)

HUB = {"kind": "hub"}
EKS = Eks.model_validate(declared("prod")["target"])
REVISION = "b968826d9c46dd6066d109eabc6255188de91218"


@pytest.mark.parametrize(
    ("source", "model", "revision", "load_format", "offline"),
    [
        (HUB, "Qwen/Qwen3-8B", REVISION, None, False),
        (S3, "s3://models/qwen3-8b/b968826d", None, "runai_streamer", True),
        (VOLUME, "/models-volume/qwen3-8b", None, None, True),
        (IMAGE, "/opt/qwen3-8b", None, None, True),
    ],
)
def test_each_source_of_the_weights(
    source: dict[str, str], model: str, revision: str | None, load_format: str | None, offline: bool
):
    plan = plan_of(a_model(**{"serving.source": source}))

    assert plan.arguments[0] == model
    assert flag(plan.arguments, "--revision") == revision
    assert flag(plan.arguments, "--load-format") == load_format
    assert ("HF_HUB_OFFLINE" in plan.environment) is offline
    assert ("TRANSFORMERS_OFFLINE" in plan.environment) is offline


@pytest.mark.parametrize(("changes", "files"), [({}, 16), ({"concurrency": 4}, 4)])
def test_a_bucket_is_read_with_the_declared_concurrency(changes: dict[str, int], files: int):
    plan = plan_of(a_model(**{"serving.source": S3 | changes}))

    config = flag(plan.arguments, "--model-loader-extra-config")
    assert config
    assert json.loads(config) == {"concurrency": files}


@pytest.mark.parametrize(
    ("source", "adapter", "path"),
    [
        (HUB, HUB_ADAPTER, "/models/adapters/legal"),
        (HUB, LOCAL_ADAPTER, "/adapters/sql"),
        (S3, LOCAL_ADAPTER, "/adapters/sql"),
        (VOLUME, LOCAL_ADAPTER, "/models-volume/adapters/sql"),
        (IMAGE, LOCAL_ADAPTER, "/adapters/sql"),
    ],
)
def test_an_adapter_is_always_read_from_a_folder(
    source: dict[str, str], adapter: dict[str, str], path: str
):
    model = a_model(**{"serving.source": source, "serving.adapters": [adapter]})
    arguments = plan_of(model).arguments

    (module,) = words_of(arguments, "--lora-modules")
    assert json.loads(module) == {
        "name": adapter["name"],
        "path": path,
        "base_model_name": "support-chat",
    }


def test_all_adapters_fit_into_one_batch_at_the_declared_rank():
    adapters = {"serving.adapters": [HUB_ADAPTER, LOCAL_ADAPTER], "serving.max_lora_rank": 64}
    arguments = plan_of(a_model(**adapters)).arguments

    assert "--enable-lora" in arguments
    assert flag(arguments, "--max-loras") == "2"
    assert flag(arguments, "--max-lora-rank") == "64"
    assert not any("lora" in word for word in plan_of(a_model()).arguments)


@pytest.mark.parametrize(
    ("changes", "field", "remedy"),
    [
        ({"weights.id": "/models/qwen"}, "weights.id", "kind: image"),
        ({"weights.id": "qwen"}, "weights.id", "name the repository"),
        ({"weights.id": "s3://models/qwen"}, "weights.id", "or s3"),
        ({"serving.adapters": [HUB_ADAPTER | {"id": "legal"}]}, "serving.adapters[0].id", "name"),
        (
            {"serving.source": VOLUME, "serving.adapters": [LOCAL_ADAPTER, HUB_ADAPTER]},
            "serving.adapters[1].id",
            "in the volume or the image",
        ),
        (
            {"serving.source": S3, "serving.adapters": [HUB_ADAPTER]},
            "serving.adapters[0].id",
            "in the volume or the image",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_when_declared(
    changes: dict[str, Any], field: str, remedy: str
):
    with pytest.raises(InputError) as refused:
        plan_of(a_model(**changes))

    (problem,) = refused.value.problems
    assert problem.field == f"models[0].{field}"
    assert remedy in problem.remedy


@pytest.mark.parametrize("source", [S3, VOLUME, IMAGE])
def test_weights_from_elsewhere_may_have_any_id(source: dict[str, str]):
    model = a_model(**{"serving.source": source, "weights.id": "our-own-model"})

    assert list(check_weights(model, PLACE)) == []


BUCKET = "breakeven-prod-models-123456789012"
IN_STORE = EngineSurroundings(model_store=BUCKET)


def stored(**changes: Any) -> ServedModel:
    """Return the first model of a stack on AWS, its weights in the stack's bucket."""
    paths = {f"models[0].{path}": value for path, value in changes.items()}
    image = f"vllm/vllm-openai@sha256:{64 * 'a'}"
    pinned = {"models[0].serving.source": STORE, "models[0].serving.image": image}
    return Stack.model_validate(declared("prod", pinned | paths)).models[0]


def test_weights_in_the_store_are_streamed_from_the_folder_of_their_revision():
    model = stored(**{"serving.source": STORE | {"concurrency": 4}})
    found = engine_weights(model, BUCKET)

    assert found.model == f"s3://{BUCKET}/support-chat/{model.weights.revision}"
    assert (found.revision, found.load_format) == (None, "runai_streamer")
    assert json.loads(found.loader_config or "") == {"concurrency": 4}


def test_an_engine_that_reads_the_store_knows_its_region_and_never_asks_the_hub():
    plan = vllm_plan(stored(), PLACE, EKS, replicas=2, around=IN_STORE)

    assert plan.environment["AWS_REGION"] == plan.environment["AWS_DEFAULT_REGION"] == EKS.region
    assert plan.environment["HF_HUB_OFFLINE"] == plan.environment["TRANSFORMERS_OFFLINE"] == "1"
    assert plan.environment["VLLM_NO_USAGE_STATS"] == plan.environment["DO_NOT_TRACK"] == "1"


def test_zeros_for_a_manifest_are_refused_on_a_live_target_only():
    model = stored(**{"serving.source": STORE | {"manifest_sha256": PLACEHOLDER_MANIFEST}})

    with pytest.raises(InputError, match=r"source\.manifest_sha256: .* tools/manifest\.py FOLDER"):
        vllm_plan(model, PLACE, EKS, replicas=2, around=IN_STORE)
    vllm_plan(model, PLACE, RENDER, replicas=2, around=IN_STORE)


def test_a_store_that_is_filled_from_the_hub_needs_a_repository():
    elsewhere = STORE | {"filled_from": "elsewhere"}
    own = {"weights.id": "our-own-model"}

    (problem,) = check_weights(stored(**own), PLACE)
    assert problem.field == "models[0].weights.id"
    assert not list(check_weights(stored(**own, **{"serving.source": elsewhere}), PLACE))
