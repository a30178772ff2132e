"""The Job: whom it asks, what it may do, and when it runs again."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.evaluation.plan import AWAIT_SPARE_S, EvaluationPlan, evaluation_plan
from components.images import PLACEHOLDER_DIGEST
from stacks.errors import InputError
from stacks.target import Kubernetes, Target
from tests.components.engine.models import (
    COMMIT,
    HUB_ADAPTER,
    PLACE,
    RENDER,
    VOLUME,
    a_model,
    plan_of,
)

IMAGES = {"vllm-router": f"vllm/vllm-router@sha256:{64 * 'b'}"}
EVALS = f"evals@sha256:{64 * 'a'}"
COMMAND = {"kind": "command", "image": EVALS, "command": ["./evaluate", "--at-least", "0.8"]}
DATASET = {"kind": "dataset", "file": "questions.jsonl", "at_least": 0.9}
LIVE = Kubernetes(kind="kubernetes", context="k3s")
QUESTION = '{"prompt": "2+2?", "equals": "4"}\n'
Changes = dict[str, Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    (tmp_path / "questions.jsonl").write_text(QUESTION)
    return tmp_path


def planned(folder: Path, changes: Changes, target: Target = RENDER) -> EvaluationPlan:
    model = a_model(**changes)
    made = evaluation_plan(
        model, plan_of(model), PLACE, target, folder=folder, images=IMAGES
    )  # fmt: skip
    assert made is not None
    return made


def evaluated(folder: Path, evaluation: Changes, target: Target = RENDER) -> EvaluationPlan:
    return planned(folder, {"serving.evaluation": evaluation}, target)


def pod(plan: EvaluationPlan) -> Any:
    template: Any = plan.spec["template"]
    return template["spec"]


def container(plan: EvaluationPlan) -> Any:
    return pod(plan)["containers"][0]


def environment(plan: EvaluationPlan) -> dict[str, Any]:
    return {each["name"]: each.get("value", each) for each in container(plan)["env"]}


def test_without_an_evaluation_there_is_no_job(folder: Path):
    model = a_model()

    made = evaluation_plan(model, plan_of(model), PLACE, LIVE, folder=folder, images=IMAGES)

    assert made is None


@pytest.mark.parametrize("evaluation", [COMMAND, DATASET])
def test_it_asks_the_router_of_its_model_with_the_engines_key(folder: Path, evaluation: Changes):
    found = environment(evaluated(folder, evaluation))

    assert found["OPENAI_BASE_URL"] == "http://support-chat-router:8090/v1"
    assert found["EVALUATION_MODEL"] == "support-chat"
    assert found["OPENAI_API_KEY"]["value_from"] == {
        "secret_key_ref": {"name": "engine-key", "key": "key"}
    }


@pytest.mark.parametrize("evaluation", [COMMAND, DATASET])
def test_it_is_tried_once_and_kept(folder: Path, evaluation: Changes):
    plan = evaluated(folder, evaluation | {"timeout_minutes": 1.5})

    assert plan.spec["backoff_limit"] == 0
    assert plan.spec["active_deadline_seconds"] == 90
    assert plan.await_s == 90 + AWAIT_SPARE_S
    assert "ttl_seconds_after_finished" not in plan.spec
    assert pod(plan)["restart_policy"] == "Never"


@pytest.mark.parametrize("evaluation", [COMMAND, DATASET])
def test_its_pod_meets_pod_security_restricted_and_has_no_token(folder: Path, evaluation: Changes):
    spec = pod(evaluated(folder, evaluation))

    assert spec["automount_service_account_token"] is False
    assert spec["security_context"]["run_as_non_root"] is True
    assert spec["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}
    for each in (*spec["containers"], *spec["init_containers"]):
        assert each["security_context"] == {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "read_only_root_filesystem": True,
        }
        assert "@sha256:" in each["image"]


def test_it_begins_when_the_router_has_a_replica(folder: Path):
    (before,) = pod(evaluated(folder, COMMAND))["init_containers"]

    assert before["args"] == ["http://support-chat-router:8090/readiness"]


def test_a_command_runs_as_declared(folder: Path):
    declared = COMMAND | {"environment": {"TASK": "gsm8k"}, "cpus": 2, "memory_gib": 3}
    plan = evaluated(folder, declared)
    found = container(plan)

    assert (found["image"], found["command"]) == (EVALS, ["./evaluate", "--at-least", "0.8"])
    assert environment(plan)["TASK"] == "gsm8k"
    assert found["resources"]["requests"] == {"cpu": "2", "memory": "3072Mi"}
    assert plan.files == {}


def test_a_dataset_travels_with_its_script_and_needs_no_image_of_ones_own(folder: Path):
    plan = evaluated(folder, DATASET)
    found = container(plan)

    assert found["image"] == IMAGES["vllm-router"]
    assert json.loads(plan.files["dataset"]) == json.loads(QUESTION)
    assert "Standard library only" in plan.files["evaluate.py"]
    assert found["command"] == ["python3", "/evaluation/evaluate.py", "/evaluation/dataset"]
    assert {"name": "files", "config_map": {"name": plan.name}} in pod(plan)["volumes"]
    assert {"name": "files", "mount_path": "/evaluation", "read_only": True} in found[
        "volume_mounts"
    ]
    assert environment(plan)["AT_LEAST"] == "0.9"


def test_a_script_of_a_dataset_is_told_all_that_it_reads(folder: Path):
    read = {"MAX_TOKENS", "TIMEOUT_S", "TRIES", "PAUSE_S", "REQUESTS_AT_ONCE", "AT_LEAST"}

    assert read <= set(environment(evaluated(folder, DATASET)))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights.revision": COMMIT, "benchmark.revision": COMMIT},
        {"weights.precision": "fp8"},
        {"serving.adapters": [HUB_ADAPTER]},
        {"serving.image": f"vllm/vllm-openai@sha256:{64 * 'c'}"},
        {"serving.arguments": {"--seed": 7}},
        {"serving.evaluation": DATASET | {"at_least": 0.8}},
        {"serving.evaluation": COMMAND},
    ],
)
def test_it_runs_again_when_something_that_is_evaluated_changes(folder: Path, changes: Changes):
    before = evaluated(folder, DATASET)

    assert planned(folder, {"serving.evaluation": DATASET} | changes).name != before.name


def test_it_runs_again_for_another_revision_that_no_argument_of_the_engine_names(folder: Path):
    declared = {"serving.evaluation": DATASET, "serving.source": VOLUME}
    before = planned(folder, declared)

    after = planned(folder, declared | {"weights.revision": COMMIT, "benchmark.revision": COMMIT})

    assert after.name != before.name


def test_it_runs_again_when_a_question_changes(folder: Path):
    before = evaluated(folder, DATASET)
    (folder / "questions.jsonl").write_text(QUESTION.replace("4", "5"))

    assert evaluated(folder, DATASET).name != before.name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"serving.router_replicas": 3},
        {"serving.cpus": 9},
        {"workload.growth_per_month": 0.5},
        {"pool.replicas.max": 13},
    ],
)
def test_it_does_not_run_again_when_nothing_of_that_changes(folder: Path, changes: Changes):
    before = evaluated(folder, DATASET)

    assert planned(folder, {"serving.evaluation": DATASET} | changes).name == before.name


def test_its_name_is_one_that_a_job_may_have(folder: Path):
    plan = planned(folder, {"name": 42 * "m", "serving.evaluation": COMMAND})

    assert len(plan.name) <= 63


def test_a_placeholder_for_a_digest_is_refused_on_a_live_target_only(folder: Path):
    declared = COMMAND | {"image": f"evals@{PLACEHOLDER_DIGEST}"}

    with pytest.raises(InputError, match=r"evaluation\.image: found evals with a placeholder"):
        evaluated(folder, declared, LIVE)
    assert container(evaluated(folder, declared, RENDER))["image"] == declared["image"]


def test_a_dataset_that_is_not_there_is_told_before_anything_exists(folder: Path):
    with pytest.raises(InputError, match=r"models\[0\]\.serving\.evaluation\.file"):
        evaluated(folder, DATASET | {"file": "none.jsonl"})
