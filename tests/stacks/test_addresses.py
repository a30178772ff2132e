"""Keys and prompts leave a pod encrypted, or never leave networks of one's own."""

from typing import Any

import pytest

from stacks.errors import InputError
from stacks.reading import parse_stack
from tests.factories import a_stack, external_stores

FALLBACK, LANGFUSE = "models[0].serving.fallback.base_url", "observability.langfuse.url"
STORES = "observability.langfuse.stores"
BUCKET = f"{STORES}.s3_endpoint"


def with_url(field: str, url: str) -> dict[str, Any]:
    if field == FALLBACK:
        return a_stack({FALLBACK: url})
    if field == BUCKET:
        return with_stores(s3_endpoint=url)
    return a_stack({"observability.langfuse": {"kind": "existing", "url": url}})


@pytest.mark.parametrize("field", [FALLBACK, LANGFUSE, BUCKET])
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


@pytest.mark.parametrize("field", [FALLBACK, LANGFUSE, BUCKET])
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


def with_stores(**changes: object) -> dict[str, Any]:
    return a_stack({STORES: external_stores(**changes)})


@pytest.mark.parametrize("store", ["postgres", "clickhouse", "redis"])
@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("10.0.0.5", True),
        ("192.168.1.5", True),
        ("store.stores.svc", True),
        ("store.stores.svc.cluster.local", True),
        ("93.184.216.34", False),
        ("store.example.com", False),
        ("store.cluster-example.us-east-1.rds.amazonaws.com", False),
        ("svc.example.com", False),
    ],
)
def test_a_store_is_asked_in_clear_only_where_it_is_near(store: str, host: str, near: bool):
    assert parse_stack(with_stores(**{f"{store}_host": host}), file="x.yaml").models
    plain = with_stores(**{f"{store}_host": host, f"{store}_tls": False})
    if near:
        assert parse_stack(plain, file="x.yaml").models
        return
    with pytest.raises(InputError) as caught:
        parse_stack(plain, file="x.yaml")

    (problem,) = caught.value.problems
    assert problem.field == f"{STORES}.{store}_tls"
    assert problem.found == f"false, with {host}"
    assert problem.remedy.startswith("use TLS")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("redis_host", "rediss://store.example.com"),
        ("postgres_host", "store.example.com:5433"),
        ("clickhouse_host", "example.com/store.stores.svc"),
        ("authorities", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
        ("authorities", "/etc/ssl/company.pem"),
    ],
)
def test_a_host_is_a_host_alone_and_an_authority_its_certificate(field: str, value: str):
    with pytest.raises(InputError) as caught:
        parse_stack(with_stores(**{field: value}), file="x.yaml")

    (problem,) = caught.value.problems
    assert problem.field == f"{STORES}.{field}"
    assert "alone" in problem.allowed or "no private key" in problem.allowed


def test_what_people_open_may_be_plain():
    stack = parse_stack(a_stack({LANGFUSE: "http://langfuse.example.com"}), file="x.yaml")

    assert stack.observability.langfuse.kind == "own"
