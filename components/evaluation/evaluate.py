"""Runs in a pod: asks a model the questions of a dataset, and ends with 0 if enough answers are right.

Standard library only: it runs with the Python of the router's image, and is mounted as it stands here.
"""

import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

BUSY = (429, 502, 503)
"""Not an answer: no replica is there yet, or all are full."""
SHOWN = 20
CHARACTERS = 200


class Asked(NamedTuple):
    """What became of one question."""

    right: bool
    said: str
    """The answer, or why there is none."""


class Model(NamedTuple):
    """Whom to ask, and how long to wait."""

    url: str
    """Base, up to and with /v1."""
    key: str
    name: str
    max_tokens: int
    timeout_s: float
    """For one answer."""
    tries: int
    """While the model is busy."""
    pause_s: float
    """Between two tries."""


def is_right(question: Mapping[str, str], answer: str) -> bool:
    """Return whether an answer is the expected one."""
    if "equals" in question:
        return answer.strip() == question["equals"].strip()
    if "contains" in question:
        return question["contains"] in answer
    return re.search(question["matches"], answer) is not None


def ask(model: Model, question: Mapping[str, str]) -> Asked:
    """Return what became of a question; one without an answer is not right."""
    for last in (attempt == model.tries for attempt in range(1, model.tries + 1)):
        try:
            answer = answer_to(model, question["prompt"])
        except urllib.error.HTTPError as error:
            if last or error.code not in BUSY:
                return Asked(right=False, said=f"no answer: status {error.code}")
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            return Asked(right=False, said=f"no answer: {error!r}")
        else:
            return Asked(right=is_right(question, answer), said=answer)
        time.sleep(model.pause_s)
    return Asked(right=False, said="no answer: never asked")


def answer_to(model: Model, prompt: str) -> str:
    """Return what the model says to a prompt, at temperature 0."""
    body = {
        "model": model.name,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "max_tokens": model.max_tokens,
    }
    request = urllib.request.Request(  # noqa: S310 - the router's own address
        f"{model.url}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {model.key}", "content-type": "application/json"},
    )
    # No proxy: the router is in the cluster.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=model.timeout_s) as response:
        return str(json.load(response)["choices"][0]["message"]["content"] or "")


def main(dataset: str, environment: Mapping[str, str]) -> int:
    """Return 0 if the share of right answers is at least what is asked, else 1."""
    model = Model(
        url=environment["OPENAI_BASE_URL"],
        key=environment["OPENAI_API_KEY"],
        name=environment["EVALUATION_MODEL"],
        max_tokens=int(environment["MAX_TOKENS"]),
        timeout_s=float(environment["TIMEOUT_S"]),
        tries=int(environment["TRIES"]),
        pause_s=float(environment["PAUSE_S"]),
    )
    lines = Path(dataset).read_text(encoding="utf-8").split("\n")
    questions = [json.loads(line) for line in lines if line]
    with ThreadPoolExecutor(int(environment["REQUESTS_AT_ONCE"])) as pool:
        asked = list(pool.map(lambda question: ask(model, question), questions))
    return told(asked, at_least=float(environment["AT_LEAST"]))


def told(asked: list[Asked], *, at_least: float) -> int:
    """Print what was wrong and, in the last line, the score; return the exit code."""
    wrong = [(number, each.said) for number, each in enumerate(asked, 1) if not each.right]
    for number, said in wrong[:SHOWN]:
        print(f"question {number}: {said[:CHARACTERS]!r}")  # noqa: T201 - the log of the pod
    right = len(asked) - len(wrong)
    passed = right / len(asked) >= at_least
    result = {"right": right, "of": len(asked), "at_least": at_least, "passed": passed}
    print(json.dumps(result))  # noqa: T201
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ))
