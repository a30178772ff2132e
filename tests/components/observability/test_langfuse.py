"""Langfuse is told everything it needs, and no secret in clear text."""

import json
import re
from dataclasses import replace
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
from tests.factories import Changes, external_stores


def external(**changes: object) -> Changes:
    """Return the change to stores that are there."""
    return {"observability.langfuse.stores": external_stores(**changes)}


IN_CLEAR = external(
    postgres_host="10.0.0.5",
    postgres_tls=False,
    clickhouse_host="clickhouse.stores.svc",
    clickhouse_tls=False,
    redis_host="192.168.1.5",
    redis_tls=False,
    s3_endpoint="http://blobs.stores.svc:9000",
)
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
PRICE = TokenPrice(name="m-selfhosted", names=("m", "m.v2"), usd_per_mtok=0.25)


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
        ("DATABASE_ARGS", "sslmode=disable"),
        ("CLICKHOUSE_URL", "http://langfuse-clickhouse:8123"),
        ("CLICKHOUSE_MIGRATION_URL", "clickhouse://langfuse-clickhouse:9000"),
        ("CLICKHOUSE_MIGRATION_SSL", "false"),
        ("REDIS_TLS_ENABLED", "false"),
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
        ("CLICKHOUSE_CLUSTER_ENABLED", "true"),
        ("CLICKHOUSE_USER", "langfuse"),
        ("LANGFUSE_S3_BATCH_EXPORT_BUCKET", "traces"),
    ],
)
def test_stores_that_are_there_are_used(name, value):
    assert _environment("langfuse-worker", external())[name] == value


@pytest.mark.parametrize(
    ("name", "by_tls", "in_clear"),
    [
        ("DATABASE_HOST", "pg.example.com", "10.0.0.5"),
        ("DATABASE_ARGS", "sslmode=require", "sslmode=disable"),
        ("CLICKHOUSE_URL", "https://ch.example.com:8443", "http://clickhouse.stores.svc:8123"),
        (
            "CLICKHOUSE_MIGRATION_URL",
            "clickhouse://ch.example.com:9440",
            "clickhouse://clickhouse.stores.svc:9000",
        ),
        ("CLICKHOUSE_MIGRATION_SSL", "true", "false"),
        ("REDIS_HOST", "redis.example.com", "192.168.1.5"),
        ("REDIS_PORT", "6379", "6379"),
        ("REDIS_TLS_ENABLED", "true", "false"),
        ("LANGFUSE_S3_EVENT_UPLOAD_ENDPOINT", None, "http://blobs.stores.svc:9000"),
    ],
)
def test_a_store_is_asked_by_tls_unless_it_is_near_and_said(name, by_tls, in_clear):
    assert _environment("langfuse-worker", external()).get(name) == by_tls
    assert _environment("langfuse-worker", IN_CLEAR).get(name) == in_clear


def test_an_authority_of_ones_own_is_a_file_that_node_reads():
    changes = external(authorities=AUTHORITY)
    for name in ("langfuse-web", "langfuse-worker"):
        (work,) = [work for work in parts(changes).workloads if work.name == name]
        pod: Any = work.pod
        path = _environment(name, changes)["NODE_EXTRA_CA_CERTS"]
        mounted = {m["mount_path"]: m["name"] for m in pod["containers"][0]["volume_mounts"]}
        folder, _, file = path.rpartition("/")

        assert work.files[file] == AUTHORITY
        assert {"name": mounted[folder], "config_map": {"name": name}} in pod["volumes"]
        assert "NODE_EXTRA_CA_CERTS" not in _environment(name, external())


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


def test_a_hosted_answer_has_a_price_of_its_own_whatever_the_providers_name_is():
    """The provider may call the model as clients do: then nothing else tells the two apart."""
    fallback = "models[0].serving.fallback"
    changes = {
        f"{fallback}.model": "support-chat",
        f"{fallback}.input_usd_per_mtok": 0.1,
        f"{fallback}.output_usd_per_mtok": 0.3,
    }
    job = parts(changes).price_job
    assert job is not None
    own, hosted = _registered(job.spec)

    assert own["modelName"] == "support-chat-selfhosted"
    assert re.match(own["matchPattern"], "support-chat")
    assert not re.match(own["matchPattern"], "api.fireworks.ai/support-chat")
    assert re.match(hosted["matchPattern"], "api.fireworks.ai/support-chat")
    assert hosted["pricingTiers"][0]["prices"] == {"input": 1e-7, "output": 3e-7}


def test_a_new_price_is_a_new_job():
    dearer = replace(PRICE, usd_per_mtok=0.26)

    assert price_job_name([PRICE]) == price_job_name([PRICE])
    assert price_job_name([PRICE]) != price_job_name([dearer])


def test_the_job_is_told_the_bodies_it_registers():
    spec = price_job([PRICE], "http://langfuse-web:3000", locked_images())

    assert _registered(spec) == [model_price(PRICE)]


def _registered(spec: Any) -> list[dict[str, Any]]:
    """Return the bodies that a Job registers."""
    (told,) = [
        variable["value"]
        for variable in spec["template"]["spec"]["containers"][0]["env"]
        if variable["name"] == "PRICES"
    ]
    found: list[dict[str, Any]] = json.loads(told)
    return found
