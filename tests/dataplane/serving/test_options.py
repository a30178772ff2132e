"""What a stack may turn on at its gateway: TLS, a mirror, and the recording of prompts."""

import http.client
import json
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from tests.dataplane.live import until
from tests.dataplane.process_node.service_port import service_port
from tests.dataplane.serving.declared import KEYS, MODEL
from tests.dataplane.serving.deployed import Deployed
from tests.engine.control_plane import make_certificate

PROMPT = "what is recorded here"
HUSHED = "what stays between us"
ELSEWHERE, SHADOW = "elsewhere", "shadow"
CERTIFICATE = "gateway-certificate"
TLS_PORT = 8443


@dataclass(frozen=True, kw_only=True)
class Turned:
    """The stack with everything turned on."""

    client: openai.OpenAI
    """Of an open key."""
    restricted: openai.OpenAI
    address: str


@pytest.fixture(scope="module")
def on(whole_stack: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turned]:
    """TLS by a given Secret, open keys mirrored to the hosted stand-in, prompts recorded."""
    folder = tmp_path_factory.mktemp("tls")
    authority = certificate_secret(whole_stack, folder)
    options = {
        "gateway.tls": {"kind": "secret", "name": CERTIFICATE},
        "gateway.mirror": {**shadow_service(whole_stack), "fraction": 1},
        "observability.prompts": {
            "until": "2027-06-30",
            "readers": ["platform team"],
            "reason": "to see that they are recorded",
        },
    }
    whole_stack.up(options)
    with service_port(whole_stack.api, whole_stack.namespace, "gateway", TLS_PORT) as address:
        url = f"https://localhost:{address.rpartition(':')[2]}/v1"
        trusting = openai.DefaultHttpxClient(verify=ssl.create_default_context(cafile=authority))
        with openai.OpenAI(
            base_url=url, api_key=KEYS["web-chat"], max_retries=0, http_client=trusting
        ) as client:
            yield Turned(
                client=client,
                restricted=client.with_options(api_key=KEYS["claims"]),
                address=address,
            )
    whole_stack.back(options)


def certificate_secret(stack: Deployed, folder: Path) -> Path:
    """Put a certificate for localhost where the stack looks for it; return its authority."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    make_certificate("localhost", key=key, certificate=certificate)
    stack.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": CERTIFICATE, "namespace": stack.namespace},
            "stringData": {"tls.key": key.read_text(), "tls.crt": certificate.read_text()},
        }
    )
    return certificate


def shadow_service(stack: Deployed) -> dict[str, Any]:
    """Put a Service of another namespace before the hosted stand-in; return what a mirror declares."""
    address, _, port = stack.hosted.url.removeprefix("http://").partition(":")
    stack.plane.add_namespace(ELSEWHERE)
    metadata = {"name": SHADOW, "namespace": ELSEWHERE}
    ports = [{"name": "http", "port": int(port)}]
    stack.api.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    )
    stack.api.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata | {"labels": {"kubernetes.io/service-name": SHADOW}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]}],
            "ports": ports,
        }
    )
    return {"host": f"{SHADOW}.{ELSEWHERE}", "port": int(port)}


def copies(stack: Deployed, prompt: str) -> list[dict[str, Any]]:
    """Return the mirrored requests with a prompt; what falls back has the hosted model's name."""
    return [
        body
        for _, body in stack.hosted.requests
        if body["model"] == MODEL and prompt in json.dumps(body)
    ]


def test_tls_is_the_only_way_in(on: Turned):
    assert [model.id for model in on.client.models.list()] == [MODEL]

    with pytest.raises((OSError, http.client.HTTPException)):
        urllib.request.urlopen(f"http://{on.address}/v1/models", timeout=5)


def test_a_mirror_gets_a_copy_and_the_client_its_own_answer(on: Turned, stack: Deployed):
    stack.hosted.mood = "broken"

    raw = on.client.completions.with_raw_response.create(model=MODEL, prompt=PROMPT, max_tokens=2)

    assert raw.headers["x-breakeven-upstream"] == "own"
    assert raw.parse().usage is not None
    until(lambda: bool(copies(stack, PROMPT)), timeout_s=10)
    (body,) = copies(stack, PROMPT)
    assert body["prompt"] == PROMPT


def test_a_restricted_key_is_neither_mirrored_nor_recorded(on: Turned, stack: Deployed):
    ask(on.restricted, HUSHED)
    ask(on.client, PROMPT)  # what comes of it has taken as long a way, and began later

    until(lambda: bool(copies(stack, PROMPT) and spans_with(stack, PROMPT)), timeout_s=30)
    assert HUSHED not in str(stack.hosted.requests)
    assert not spans_with(stack, HUSHED)


def test_prompts_and_answers_are_in_the_traces_of_a_stack_that_records_them(
    on: Turned, stack: Deployed
):
    told = "something that no other test asks"  # whose spans may still be on their way
    answer = ask(on.client, told)

    until(lambda: bool(spans_with(stack, told)), timeout_s=30)
    (span,) = spans_with(stack, told)
    assert told in span["langfuse.observation.input"]
    said = json.loads(span["langfuse.observation.output"])
    assert said == answer.choices[0].message.content


def ask(client: openai.OpenAI, prompt: str) -> ChatCompletion:
    """Return the answer to a prompt."""
    return client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": prompt}], max_tokens=12
    )


def spans_with(stack: Deployed, prompt: str) -> list[dict[str, str]]:
    """Return the attributes of each span that has a prompt in any of them."""
    return [span for span in stack.langfuse.attributes() if prompt in str(span)]
