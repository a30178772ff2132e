"""Models to plan for: the demo's, with changes."""

from typing import Any

from components.engine.plan import NO_SURROUNDINGS, EngineSurroundings, VllmPlan, vllm_plan
from stacks.errors import Place
from stacks.stack import ServedModel, Stack
from stacks.target import Render
from tests import cpu_nodes
from tests.factories import a_stack

RENDER = Render(kind="render", directory="out")
PLACE = Place("stacks/Pulumi.test.yaml", "models[0]")
TRACED = EngineSurroundings(traces=True)

S3 = {"kind": "s3", "uri": "s3://models/qwen3-8b/b968826d"}
STORE = {"kind": "store", "manifest_sha256": 64 * "b"}
VOLUME = {"kind": "volume", "claim": "weights", "path": "/qwen3-8b"}
IMAGE = {"kind": "image", "path": "/opt/qwen3-8b"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_ADAPTER = {"name": "legal", "id": "acme/legal-lora", "revision": COMMIT}
ON_CPU = {path.removeprefix(cpu_nodes.M): value for path, value in cpu_nodes.ON_CPU.items()}
LOCAL_ADAPTER = {"name": "sql", "id": "/adapters/sql"}


def a_model(**changes: Any) -> ServedModel:
    """Return the demo's model with changes by path below it."""
    paths = {f"models[0].{path}": value for path, value in changes.items()}
    return Stack.model_validate(a_stack(paths)).models[0]


def plan_of(
    model: ServedModel, *, replicas: int = 2, around: EngineSurroundings = NO_SURROUNDINGS
) -> VllmPlan:
    return vllm_plan(model, PLACE, RENDER, replicas=replicas, around=around)


def flag(arguments: tuple[str, ...], name: str) -> str | None:
    """Return the value of `--name=value`."""
    return next((a.partition("=")[2] for a in arguments if a.split("=")[0] == name), None)


def words_of(arguments: tuple[str, ...], name: str) -> list[str]:
    """Return the words after a flag that takes several."""
    rest = arguments[arguments.index(name) + 1 :]
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return list(rest[:end])
