"""What a stack may turn on at its gateway: TLS, a mirror, and the recording of prompts."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from tests.dataplane.live import until
from tests.dataplane.process_node.service_port import service_port
from tests.dataplane.serving.declared import KEYS, MODEL
from tests.dataplane.serving.deployed import Deployed
from tests.engine.control_plane import make_certificate

PROMPT = "what is recorded here"
CERTIFICATE = "gateway-certificate"
TLS_PORT = 8443


@dataclass(frozen=True, kw_only=True)
class Turned:
    """The stack with everything turned on."""

    stack: Deployed
    client: openai.OpenAI
    address: str


@pytest.fixture(scope="module")
def on(whole_stack: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turned]:
    """TLS by a given Secret, all requests mirrored to the hosted stand-in, prompts recorded."""
    folder = tmp_path_factory.mktemp("tls")
    authority = certificate_secret(whole_stack, folder)
    host, _, port = whole_stack.hosted.url.removeprefix("http://").partition(":")
    options = {
        "gateway.tls": {"kind": "secret", "name": CERTIFICATE},
        "gateway.mirror": {"host": host, "port": int(port), "fraction": 1},
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
            base_url=url, api_key=KEYS["claims"], max_retries=0, http_client=trusting
        ) as client:
            yield Turned(stack=whole_stack, client=client, address=address)
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


def test_tls_is_the_only_way_in(on: Turned):
    assert [model.id for model in on.client.models.list()] == [MODEL]

    with pytest.raises((OSError, urllib.error.URLError)):
        urllib.request.urlopen(f"http://{on.address}/v1/models", timeout=5)


def test_a_mirror_gets_a_copy_and_the_client_its_own_answer(on: Turned, stack: Deployed):
    stack.hosted.mood = "broken"

    answer = on.client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=2)

    assert answer.usage is not None
    until(lambda: bool(stack.hosted.requests), timeout_s=10)
    ((_, body),) = stack.hosted.requests
    assert body["prompt"] == PROMPT


def test_prompts_and_answers_are_in_the_traces_of_a_stack_that_records_them(
    on: Turned, stack: Deployed
):
    answer = on.client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": PROMPT}], max_tokens=12
    )

    def recorded() -> list[dict[str, str]]:
        found = stack.langfuse.attributes()
        return [span for span in found if PROMPT in span.get("langfuse.observation.input", "")]

    until(lambda: bool(recorded()), timeout_s=30)
    (span,) = recorded()
    said = json.loads(span["langfuse.observation.output"])
    assert said == answer.choices[0].message.content
