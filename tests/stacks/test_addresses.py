"""Keys and prompts leave a pod encrypted, or never leave networks of one's own."""

from typing import Any

import pytest

from stacks.errors import InputError
from stacks.reading import parse_stack
from tests.factories import a_stack

FALLBACK, LANGFUSE = "models[0].serving.fallback.base_url", "observability.langfuse.url"


def with_url(field: str, url: str) -> dict[str, Any]:
    if field == FALLBACK:
        return a_stack({FALLBACK: url})
    return a_stack({"observability.langfuse": {"kind": "existing", "url": url}})


@pytest.mark.parametrize("field", [FALLBACK, LANGFUSE])
@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1",
        "https://93.184.216.34/v1",
        "http://10.244.3.1:8443/v1",
        "http://192.168.1.5",
        "http://127.0.0.1:8000/v1",
        "http://localhost:8000/v1",
        "http://langfuse.tools.svc:3000",
        "http://langfuse.tools.svc.cluster.local:3000",
    ],
)
def test_what_stays_near_or_is_encrypted_is_taken(field: str, url: str):
    assert parse_stack(with_url(field, url), file="x.yaml").models


@pytest.mark.parametrize("field", [FALLBACK, LANGFUSE])
@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://api.example.com/v1", "in clear text"),
        ("http://93.184.216.34/v1", "in clear text"),
        ("http://10.0.0.1.example.com/v1", "in clear text"),
        ("http://10.0.0.1@example.com/v1", "in clear text"),
        ("http://svc.example.com", "in clear text"),
        ("http://notlocalhost", "in clear text"),
        ("https://api.example.com:99999/v1", ":99999"),
    ],
)
def test_anything_else_is_refused_with_the_remedy(field: str, url: str, found: str):
    with pytest.raises(InputError) as caught:
        parse_stack(with_url(field, url), file="x.yaml")

    (problem,) = caught.value.problems
    assert problem.field == field
    assert found in problem.found
    assert problem.remedy.startswith(("use https", "correct host and port"))


def test_what_people_open_may_be_plain():
    stack = parse_stack(a_stack({LANGFUSE: "http://langfuse.example.com"}), file="x.yaml")

    assert stack.observability.langfuse.kind == "own"
