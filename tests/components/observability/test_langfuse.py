"""Langfuse is told everything it needs, and no secret in clear text."""

import json
from typing import Any

import pytest

from components.images import locked_images
from components.observability.langfuse import langfuse_secret
from components.observability.langfuse_prices import (
    TokenPrice,
    model_price,
    price_job,
    price_job_name,
)
from tests.components.observability.declared import EXISTING, NONE, SECRETS, a_declared, parts

EXTERNAL = {
    "observability.langfuse.stores": {
        "kind": "external",
        "postgres_host": "pg.example.com",
        "clickhouse_host": "ch.example.com",
        "clickhouse_cluster": True,
        "redis_host": "redis.example.com",
        "s3_bucket": "traces",
        "s3_region": "us-east-1",
    }
}
PRICE = TokenPrice(model="m", names=("m", "m.v2"), usd_per_mtok=0.25)


def _environment(name: str, changes=None) -> dict[str, str]:
    """Return values by name; a secret is told as its key in parentheses."""
    (work,) = [work for work in parts(changes).workloads if work.name == name]
    pod: Any = work.pod
    return {
        v["name"]: v["value"] if "value" in v else f"({v['value_from']['secret_key_ref']['key']})"
        for v in pod["containers"][0]["env"]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_DISABLE_SIGNUP", "true"),
        ("TELEMETRY_ENABLED", "false"),
        ("NEXTAUTH_URL", "https://langfuse.example.com"),
        ("SALT", "(salt)"),
        ("ENCRYPTION_KEY", "(encryption-key)"),
        ("DATABASE_HOST", "langfuse-postgres"),
        ("CLICKHOUSE_CLUSTER_ENABLED", "false"),
        ("CLICKHOUSE_MIGRATION_URL", "clickhouse://langfuse-clickhouse:9000"),
        ("LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT", "http://langfuse-blobs:8333"),
        ("LANGFUSE_S3_MEDIA_UPLOAD_PREFIX", "media/"),
        ("LANGFUSE_INIT_PROJECT_SECRET_KEY", "(secret-key)"),
        ("NODE_OPTIONS", "--max-old-space-size=3072"),
    ],
)
def test_the_web_part_with_trial_stores_is_told(name, value):
    assert _environment("langfuse-web")[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_HOST", "pg.example.com"),
        ("CLICKHOUSE_URL", "http://ch.example.com:8123"),
        ("CLICKHOUSE_CLUSTER_ENABLED", "true"),
        ("REDIS_HOST", "redis.example.com"),
        ("LANGFUSE_S3_BATCH_EXPORT_BUCKET", "traces"),
        ("LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT", None),
    ],
)
def test_stores_that_are_there_are_used(name, value):
    assert _environment("langfuse-worker", EXTERNAL).get(name) == value


def test_the_worker_is_told_the_same_as_the_web_part():
    assert _environment("langfuse-worker").items() <= _environment("langfuse-web").items()


def test_no_secret_stands_in_a_variable():
    told = {*_environment("langfuse-web").values(), *_environment("langfuse-worker").values()}

    assert not told & set(SECRETS.values())


@pytest.mark.parametrize(
    ("changes", "keys"),
    [({}, 11), (EXISTING, 2), (NONE, 0)],
)
def test_the_secret_has_what_is_read(changes, keys):
    langfuse = a_declared(changes).observability.langfuse

    assert len(langfuse_secret(langfuse, SECRETS)) == keys


def test_a_quarter_dollar_per_million_is_that_much_a_token():
    body = model_price(PRICE)

    assert body["pricingTiers"][0]["prices"] == {"input": 2.5e-7, "output": 2.5e-7}
    assert body["matchPattern"] == r"(?i)^(m|m\.v2)$"


def test_a_new_price_is_a_new_job():
    dearer = TokenPrice(model="m", names=("m", "m.v2"), usd_per_mtok=0.26)

    assert price_job_name([PRICE]) == price_job_name([PRICE])
    assert price_job_name([PRICE]) != price_job_name([dearer])


def test_the_job_is_told_the_bodies_it_registers():
    spec: Any = price_job([PRICE], "http://langfuse-web:3000", locked_images())
    env = {v["name"]: v.get("value") for v in spec["template"]["spec"]["containers"][0]["env"]}

    assert json.loads(env["PRICES"]) == [model_price(PRICE)]
