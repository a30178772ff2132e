"""The Job that evaluates a model, and when it runs again. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from pulumi_kubernetes.batch.v1 import JobSpecArgsDict
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from components.engine.plan import VllmPlan
from components.engine.pod import ENGINE_KEY
from components.images import Images, placeholder_problem
from components.jobs import JobPlan
from components.labels import selector
from components.pods import (
    FILES,
    STAYS,
    files_volume,
    hardened,
    pod_spec,
    resources,
    scratch,
    secret_variable,
    variable,
)
from components.router import PORT, request_timeout_s, router_name
from stacks.dataset import dataset_text, read_dataset
from stacks.errors import InputError, Place
from stacks.evaluation import CommandEvaluation, DatasetEvaluation
from stacks.stack import ServedModel, Stack
from stacks.target import Target

COMPONENT: Final = "evaluation"
SCRIPT: Final = Path(__file__).with_name("evaluate.py")
DATASET: Final = "dataset"
FOLDER: Final = "/evaluation"
AWAIT_SPARE_S: Final = 120
"""What `pulumi up` waits beyond the Job's own end, so that it is the Job that fails, and says why."""
WAIT_FOR_ROUTER: Final = """
import sys, time, urllib.request
while True:
    try:
        urllib.request.urlopen(sys.argv[1], timeout=5)
        break
    except Exception as error:
        print(error, flush=True)
        time.sleep(2)
"""
"""A replica is ready before its router has found it; until then requests would fail."""


class EvaluationPlan(JobPlan):
    """The Job of one model; its name changes whenever anything that is evaluated does."""


def evaluation_plans(
    stack: Stack, engines: Mapping[str, VllmPlan], target: Target, *, file: str, images: Images
) -> Mapping[str, EvaluationPlan]:
    """Return the evaluation of each model that has one; `engines` by model, `file` is the stack's.

    Raises:
        InputError: as `evaluation_plan`.
    """
    found = {}
    for index, model in enumerate(stack.models):
        place, engine = Place(file, f"models[{index}]"), engines[model.name]
        plan = evaluation_plan(
            model, engine, place, target, folder=Path(file).parent, images=images
        )
        if plan:
            found[model.name] = plan
    return found


def evaluation_plan(
    model: ServedModel,
    engine: VllmPlan,
    place: Place,
    target: Target,
    *,
    folder: Path,
    images: Images,
) -> EvaluationPlan | None:
    """Return the evaluation of a model; None where none is declared.

    `place` is the model's in the stack file, `folder` that of the file.

    Raises:
        InputError: the image has no digest yet and the target is live, or the dataset is wrong.
    """
    declared, here = model.serving.evaluation, place.at("serving.evaluation")
    if declared is None:
        return None
    if isinstance(declared, CommandEvaluation):
        files, container = {}, _command(model, declared)
        if problem := placeholder_problem(declared.image, here.at("image"), target):
            raise InputError(problem)
    else:
        files, container = _files(declared, folder, here), _dataset(model, declared, images)
    seconds = math.ceil(declared.timeout_minutes * 60)
    name = f"{model.name}-{COMPONENT}-{_digest(model, engine, files, container)}"
    return EvaluationPlan(
        name=name,
        spec=_job(model, container, images, files=name if files else None, seconds=seconds),
        files=files,
        await_s=seconds + AWAIT_SPARE_S,
    )


def _files(declared: DatasetEvaluation, folder: Path, place: Place) -> dict[str, str]:
    questions = read_dataset(folder / declared.file, place.at("file"))
    return {SCRIPT.name: SCRIPT.read_text("utf-8"), DATASET: dataset_text(questions)}


def _digest(
    model: ServedModel, engine: VllmPlan, files: Mapping[str, str], container: ContainerArgsDict
) -> str:
    """Return eight hex digits that change with what is evaluated, and with how."""
    evaluated = {
        "weights": model.weights.model_dump(mode="json", exclude={"architecture"}),
        "source": model.serving.source.model_dump(mode="json"),
        "adapters": [each.model_dump(mode="json") for each in model.serving.adapters],
        "engine": [model.serving.engine_version, engine.image, engine.arguments],
        "downloads": [asdict(each) for each in engine.downloads],
        "files": dict(files),
        "container": container,
    }
    text = json.dumps(evaluated, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _job(
    model: ServedModel,
    container: ContainerArgsDict,
    images: Images,
    *,
    files: str | None,
    seconds: int,
) -> JobSpecArgsDict:
    chosen = selector(COMPONENT, model.name)
    tmp, tmp_mount = scratch("tmp", "/tmp")  # noqa: S108 - in the container
    mounts = [tmp_mount]
    if files:
        mounts.append({"name": FILES, "mount_path": FOLDER, "read_only": True})
    pod = pod_spec(
        [{**container, "volume_mounts": mounts}],
        name="default",
        chosen=chosen,
        grace_s=5,
        volumes=[tmp, files_volume(files)] if files else [tmp],
    )
    return {
        "active_deadline_seconds": seconds,
        "backoff_limit": 0,  # a second try until it passes would be no gate
        "template": {
            # An evaluation that is moved has failed, and with it the update.
            "metadata": {"labels": chosen, "annotations": STAYS},
            "spec": {**pod, "init_containers": [_wait(model, images)], "restart_policy": "Never"},
        },
    }


def _wait(model: ServedModel, images: Images) -> ContainerArgsDict:
    return {
        "name": "router-has-a-replica",
        "image": images["vllm-router"],
        "command": ["python3", "-c", WAIT_FOR_ROUTER],
        "args": [f"http://{router_name(model)}:{PORT}/readiness"],
        "resources": resources(cpus=0.1, memory_gib=0.125),
        "security_context": hardened(),
    }


def _command(model: ServedModel, declared: CommandEvaluation) -> ContainerArgsDict:
    return {
        "name": COMPONENT,
        "image": declared.image,
        "command": list(declared.command),
        "env": _environment(model, declared.environment),
        "resources": resources(cpus=declared.cpus, memory_gib=declared.memory_gib),
        "security_context": hardened(),
    }


def _dataset(model: ServedModel, declared: DatasetEvaluation, images: Images) -> ContainerArgsDict:
    settings = {
        "AT_LEAST": f"{declared.at_least!r}",
        "MAX_TOKENS": str(declared.max_tokens),
        "REQUESTS_AT_ONCE": str(declared.requests_at_once),
        "TIMEOUT_S": str(request_timeout_s(model)),
        "TRIES": "10",
        "PAUSE_S": "5",
    }
    return {
        "name": COMPONENT,
        "image": images["vllm-router"],
        "command": ["python3", f"{FOLDER}/{SCRIPT.name}", f"{FOLDER}/{DATASET}"],
        "env": _environment(model, settings),
        "resources": resources(cpus=0.5, memory_gib=0.5),
        "security_context": hardened(),
    }


def _environment(model: ServedModel, more: Mapping[str, str]) -> list[EnvVarArgsDict]:
    """Return the variables: those that OpenAI's clients read, so that most commands need no others."""
    plain = {
        **dict(sorted(more.items())),
        "HOME": "/tmp",  # noqa: S108 - in the container
        "EVALUATION_MODEL": model.name,
        "OPENAI_BASE_URL": f"http://{router_name(model)}:{PORT}/v1",
    }
    key = secret_variable("OPENAI_API_KEY", secret=ENGINE_KEY, key="key")
    return [*(variable(name, value) for name, value in plain.items()), key]
