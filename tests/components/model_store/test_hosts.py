"""Which host is asked for the weights: without a way out only the region's own names are private."""

import importlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from components.engine.plan import EngineSurroundings, vllm_plan
from components.model_store.plan import prefetch_plans
from components.model_store.remote import Store
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack
from tests.components.aws.registered import declared

BUCKET = "breakeven-regulated-models-123456789012"
FILE = "stacks/Pulumi.regulated.yaml"
HOSTS = {
    "us-east-1": f"{BUCKET}.s3.us-east-1.amazonaws.com",
    "eu-central-1": f"{BUCKET}.s3.eu-central-1.amazonaws.com",
    "cn-north-1": f"{BUCKET}.s3.cn-north-1.amazonaws.com.cn",
}


class AskedError(Exception):
    """Raised in place of a request."""


def stack_in(region: str) -> Stack:
    pinned = {"models[0].serving.image": f"vllm/vllm-openai@sha256:{64 * 'a'}"}
    manifest = {"models[0].serving.source.manifest_sha256": 64 * "b"}
    stack = Stack.model_validate(declared("regulated", pinned | manifest))
    return stack.model_copy(update={"target": stack.target.model_copy(update={"region": region})})


def of_the_engine(stack: Stack) -> dict[str, str]:
    assert isinstance(stack.target, Eks)
    around = EngineSurroundings(model_store=BUCKET)
    place = Place(FILE, "models[0]")
    plan = vllm_plan(stack.models[0], place, stack.target, replicas=1, around=around)
    return plan.environment


def of_the_job(stack: Stack) -> dict[str, str]:
    plan = prefetch_plans(stack, BUCKET, file=FILE)[stack.models[0].name]
    template: Any = plan.spec["template"]
    variables = template["spec"]["containers"][0]["env"]
    return {each["name"]: each["value"] for each in variables if "value" in each}


@pytest.fixture
def pod(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What a pod's variables are set in: credentials as from the agent, nothing of this machine."""
    boto3 = importlib.import_module("boto3")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return monkeypatch


def asked(pod: pytest.MonkeyPatch, variables: dict[str, str]) -> str:
    """Return the host that the weights' own client asks for an object."""
    for name, value in variables.items():
        pod.setenv(name, value)
    store = Store(BUCKET, "support-chat/revision")

    # No request leaves: it is read just before it would.
    def ask(request: Any, **_: object) -> None:
        assert urlsplit(request.url).scheme == "https"
        raise AskedError(urlsplit(request.url).hostname)

    store._s3.meta.events.register("before-send.s3", ask)
    with pytest.raises(AskedError) as host:
        store.text("config.json")
    return str(host.value)


@pytest.mark.parametrize(("region", "host"), HOSTS.items())
@pytest.mark.parametrize("environment", [of_the_engine, of_the_job])
def test_the_bucket_is_asked_for_by_its_name_in_the_region(
    pod: pytest.MonkeyPatch, environment: Any, region: str, host: str
):
    assert asked(pod, environment(stack_in(region))) == host


def test_in_us_east_1_the_client_would_ask_for_a_name_of_no_region(pod: pytest.MonkeyPatch):
    variables = of_the_job(stack_in("us-east-1"))
    del variables["AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"]

    assert asked(pod, variables) == f"{BUCKET}.s3.amazonaws.com"
