"""Where weights and adapters come from, and what does not go together."""

import json
from typing import Any

import pytest

from components.engine.weights import check_weights
from stacks.errors import InputError
from tests.components.engine.models import (
    HUB_ADAPTER,
    IMAGE,
    LOCAL_ADAPTER,
    PLACE,
    S3,
    VOLUME,
    a_model,
    flag,
    plan_of,
    words_of,
)

HUB = {"kind": "hub"}
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
