"""A deployed stack: what tests ask of it, and what they do to it."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai

from tests.dataplane.live import is_whole, until
from tests.dataplane.process_node.node import ProcessNode
from tests.dataplane.process_node.pod import Pod
from tests.dataplane.process_node.service_port import service_port
from tests.dataplane.serving.declared import KEYS, MODEL
from tests.dataplane.serving.stand_ins import Hosted, Langfuse
from tests.engine.control_plane import ControlPlane
from tests.engine.declared import SECRETS, Changes, declare, new_project
from tests.engine.kubernetes_api import KubernetesApi
from tests.engine.pulumi_cli import PulumiProject, Result
from tests.prometheus_text import total

UP_S = 400
READY_S = 200
DOWN_S = 400
LOG_TAIL = 3000


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A stack that serves."""

    plane: ControlPlane
    node: ProcessNode
    project: PulumiProject
    name: str
    """Of the stack."""
    declared: dict[str, Any]
    """What differs from the stack file it comes from, by now."""
    gateway: str
    """HOST:PORT of the gateway's Service."""
    secrets: dict[str, str]
    """Of the stack, by now."""
    hosted: Hosted
    langfuse: Langfuse
    clients: dict[str, openai.OpenAI] = field(default_factory=dict)
    """Made so far, by the alias of their key."""

    @property
    def namespace(self) -> str:
        """Where it is."""
        return f"serving-{self.name}"

    @property
    def api(self) -> KubernetesApi:
        """The API server's."""
        return self.plane.api

    def client(self, alias: str = "web-chat", **options: Any) -> openai.OpenAI:
        """Return the unchanged client of a key, told only another base URL; it asks once."""
        if alias not in self.clients:
            self.clients[alias] = openai.OpenAI(
                base_url=self.base_url, api_key=KEYS[alias], max_retries=0
            )
        return self.clients[alias].with_options(**options)

    @property
    def base_url(self) -> str:
        """What a client is told."""
        return f"http://{self.gateway}/v1"

    def up(self, changes: Changes) -> Result:
        """Deploy with further changes; they stay for the tests that follow."""
        self.declared.update(changes)
        declare(self.project, self.name, self.declared, base="local", secrets=self.secrets)
        return self.project.up(self.name, timeout_s=UP_S).expect()

    def back(self, changes: Changes) -> Result:
        """Deploy without those changes."""
        for path in changes:
            self.declared.pop(path)
        return self.up({})

    def pods(self, workload: str) -> list[Pod]:
        """Return the pods of a Deployment that are not on their way out."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        found = {
            pod["metadata"]["name"]
            for pod in self.api.items(path)
            if "deletionTimestamp" not in pod["metadata"]
        }
        pods = self.node.pods(f"{workload}-", self.namespace)
        return [pod for pod in pods if pod.name in found and pod.name.rsplit("-", 2)[0] == workload]

    def wait_ready(self, workload: str, replicas: int, *, timeout_s: float = READY_S) -> None:
        """Wait until a Deployment has so many pods, all of its last template and ready."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{workload}"
        self.api.wait_for(path, lambda found: is_whole(found, replicas), timeout_s=timeout_s)

    def wait_answers(self) -> None:
        """Wait until the routers have found the engines: a pod is ready a moment before."""
        until(lambda: _answers(self), timeout_s=READY_S)

    def running(self, engine: Pod | None = None) -> int:
        """Return the requests that run in an engine, or in all."""
        engines = [engine] if engine else self.pods(MODEL)
        return sum(_running(pod.address) for pod in engines)

    def ask_prometheus(self, query: str) -> list[dict[str, Any]]:
        """Return the result of a query to the stack's own Prometheus."""
        answer = self._prometheus(f"query?{urllib.parse.urlencode({'query': query})}")
        return list(answer["result"])

    def rules(self) -> list[dict[str, Any]]:
        """Return the groups of rules as Prometheus evaluates them."""
        return list(self._prometheus("rules")["groups"])

    def value(self, query: str) -> float:
        """Return the one value that a query has; nan if it has none."""
        found = self.ask_prometheus(query)
        return float(found[0]["value"][1]) if len(found) == 1 else float("nan")

    def until_value(self, query: str, holds: Callable[[float], bool], *, timeout_s: float) -> None:
        """Wait until the value of a query is as wanted; fail with what it is."""
        deadline, found = time.monotonic() + timeout_s, float("nan")
        while not holds(found := self.value(query)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{query} is {found} after {timeout_s} s")
            time.sleep(0.5)

    def _prometheus(self, path: str) -> dict[str, Any]:
        url = f"http://{self.node.pod('prometheus', self.namespace).address}:9090/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return dict(json.load(response)["data"])


@contextmanager
def deployed(
    plane: ControlPlane,
    node: ProcessNode,
    changes: Changes,
    *,
    name: str,
    folder: Path,
    search_path: str,
    stand_ins: tuple[Hosted, Langfuse],
    answers: bool = True,
) -> Iterator[Deployed]:
    """Run `pulumi up` of a stack; at the end `pulumi destroy`, after which nothing is left.

    `answers`: whether engines are up at first.
    """
    project = new_project(folder, search_path, plane.kubeconfig)
    _first_up(project, node, name, changes)
    with service_port(plane.api, f"serving-{name}", "gateway", 8080) as gateway:
        stack = Deployed(
            plane=plane,
            node=node,
            project=project,
            name=name,
            declared=dict(changes),
            secrets=dict(SECRETS),
            gateway=gateway,
            hosted=stand_ins[0],
            langfuse=stand_ins[1],
        )
        if answers:
            stack.wait_answers()
        yield stack
        for client in stack.clients.values():
            client.close()
    project.destroy(name, timeout_s=DOWN_S).expect()
    assert not plane.api.exists(f"/api/v1/namespaces/serving-{name}")


def _first_up(project: PulumiProject, node: ProcessNode, name: str, changes: Changes) -> None:
    declare(project, name, changes, base="local")
    project.init(name)
    with last_words(node, f"serving-{name}"):
        project.up(name, timeout_s=UP_S).expect()


@contextmanager
def last_words(node: ProcessNode, namespace: str) -> Iterator[None]:
    """Add to a failure the end of the log of each container that is not up."""
    try:
        yield
    except AssertionError as error:
        for pod in node.pods(namespace=namespace):
            for container, log in pod.troubled().items():
                error.add_note(f"--- {pod.name}, {container}:\n{log[-LOG_TAIL:]}")
        raise


def _running(address: str) -> int:
    """Return vLLM's own gauge."""
    return int(total(f"http://{address}:8000/metrics", "vllm:num_requests_running"))


def _answers(stack: Deployed) -> bool:
    try:
        stack.client("claims", timeout=20).completions.create(
            model=MODEL, prompt="hello", max_tokens=1
        )
    except openai.APIError:
        return False
    return True
