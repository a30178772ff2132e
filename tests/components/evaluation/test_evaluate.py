"""The script of a dataset, run as the pod runs it, against a model that is right, wrong, full, or silent."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from components.evaluation.evaluate import Asked, is_right, told
from components.evaluation.plan import SCRIPT, WAIT_FOR_ROUTER
from tests.threads import served

ANSWERS = {"right": "4", "padded": " 4\n", "wrong": "5", "empty": None}


class Handler(BaseHTTPRequestHandler):
    """Answers by the prompt; `seen` of the server has what was asked."""

    server: "Server"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, self.headers["authorization"], body))
        prompt = body["messages"][0]["content"]
        if prompt == "hanging":
            self.server.closing.wait(30)
        if prompt == "full once" and self.server.full_once():
            return self.answer(503, b"{}")
        if prompt in ("500", "503"):
            return self.answer(int(prompt), b"{}")
        if prompt == "no json":
            return self.answer(200, b"<html>")
        if prompt == "no choice":
            return self.answer(200, b'{"choices": []}')
        said = ANSWERS.get(prompt, "4")
        return self.answer(200, json.dumps({"choices": [{"message": {"content": said}}]}).encode())

    def do_GET(self):
        self.answer(503 if self.server.full_once() else 200, b"{}")

    def answer(self, status: int, content: bytes):
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any):
        pass


class Server(ThreadingHTTPServer):
    """A model that says what is asked of it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        self.closing, self._was_full = threading.Event(), threading.Event()

    def full_once(self) -> bool:
        first = not self._was_full.is_set()
        self._was_full.set()
        return first

    def handle_error(self, *_: Any):  # the script has left a request that hangs
        pass


@pytest.fixture
def model() -> Iterator[Server]:
    server = Server()
    with served(server):
        yield server
        server.closing.set()


class Ran(NamedTuple):
    code: int
    result: dict[str, Any]
    """The last line."""
    said: str


def test_it_waits_until_the_router_has_a_replica(model: Server):
    url = f"http://127.0.0.1:{model.server_address[1]}/readiness"

    done = subprocess.run(
        [sys.executable, "-I", "-c", WAIT_FOR_ROUTER.replace("sleep(2)", "sleep(0)"), url],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "503" in done.stdout
    assert model.full_once() is False


def run(model: Server, tmp_path: Path, *prompts: str, at_least: float = 1.0) -> Ran:
    dataset = tmp_path / "dataset"
    lines = [json.dumps({"prompt": prompt, "equals": "4"}) for prompt in prompts]
    dataset.write_text("\n".join(lines) + "\n")
    settings = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model.server_address[1]}/v1",
        "OPENAI_API_KEY": "the-engine-key",
        "EVALUATION_MODEL": "support-chat",
        "http_proxy": "http://127.0.0.1:1",
        "MAX_TOKENS": "7",
        "REQUESTS_AT_ONCE": "4",
        "AT_LEAST": str(at_least),
        "TIMEOUT_S": "0.5",
        "TRIES": "3",
        "PAUSE_S": "0.01",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(dataset)],
        env=settings, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return Ran(done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout)


@pytest.mark.parametrize("prompt", ["right", "padded", "full once"])
def test_a_right_answer_passes(model: Server, tmp_path: Path, prompt: str):
    ran = run(model, tmp_path, prompt)

    assert ran == Ran(0, {"right": 1, "of": 1, "at_least": 1.0, "passed": True}, ran.said)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("wrong", "'5'"),
        ("empty", "''"),
        ("500", "status 500"),
        ("503", "status 503"),
        ("hanging", "timed out"),
        ("no json", "JSONDecodeError"),
        ("no choice", "IndexError"),
    ],
)
def test_whatever_is_no_right_answer_does_not_pass_and_is_shown(
    model: Server, tmp_path: Path, prompt: str, said: str
):
    ran = run(model, tmp_path, "right", prompt)

    assert ran.code == 1
    assert ran.result == {"right": 1, "of": 2, "at_least": 1.0, "passed": False}
    assert "question 2: " in ran.said
    assert said in ran.said


def test_a_model_that_is_not_there_does_not_pass(model: Server, tmp_path: Path):
    model.server_close()

    assert run(model, tmp_path, "right").result["right"] == 0


@pytest.mark.parametrize(
    ("right", "of", "at_least", "passed"),
    [
        (9, 10, 0.9, True),
        (7, 10, 0.7, True),
        (8, 10, 0.9, False),
        (0, 1, 0.0001, False),
        (19, 20, 0.951, False),
    ],
)
def test_the_share_of_right_answers_decides(
    capsys: pytest.CaptureFixture[str], right: int, of: int, at_least: float, *, passed: bool
):
    asked = [Asked(right=number < right, said="") for number in range(of)]

    assert told(asked, at_least=at_least) == (0 if passed else 1)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result == {"right": right, "of": of, "at_least": at_least, "passed": passed}


def test_only_a_model_that_is_busy_is_asked_again(model: Server, tmp_path: Path):
    run(model, tmp_path, "503", "500", "wrong")

    asked = [body["messages"][0]["content"] for _, _, body in model.seen]
    assert sorted(asked) == ["500", "503", "503", "503", "wrong"]


def test_it_asks_the_model_by_name_with_the_key_and_without_chance(model: Server, tmp_path: Path):
    run(model, tmp_path, "right")

    [(path, key, body)] = model.seen
    assert (path, key) == ("/v1/chat/completions", "Bearer the-engine-key")
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("support-chat", 0, 7)


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        ({"equals": "Paris"}, "Paris ", True),
        ({"equals": "Paris"}, "paris", False),
        ({"equals": "Paris"}, "Paris.", False),
        ({"contains": "Paris"}, "It is Paris.", True),
        ({"contains": "Paris"}, "It is Rome.", False),
        ({"matches": r"^\d{4}$"}, "1789", True),
        ({"matches": r"^\d{4}$"}, "in 1789", False),
        ({"matches": "(?i)PARIS"}, "It is Paris.", True),
    ],
)
def test_an_answer_is_right_as_its_question_says(
    question: dict[str, str], answer: str, *, right: bool
):
    assert is_right(question, answer) is right
