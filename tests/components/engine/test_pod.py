"""The pod: what it may do, where it writes, and which secrets and volumes it refers to."""

from typing import Any

import pytest

from components.engine.pod import pod_template
from stacks.stack import ServedModel
from tests.components.engine.models import (
    COMMIT,
    HUB_ADAPTER,
    IMAGE,
    LOCAL_ADAPTER,
    ON_CPU,
    S3,
    VOLUME,
    a_model,
    plan_of,
)
from tests.components.outputs import resolved


def whole(
    model: ServedModel | None = None,
    *,
    token_secret: str | None = None,
    reads: dict[str, Any] | None = None,
) -> Any:
    made: Any = pod_template(
        plan_of(model or a_model()),
        pod_labels={"app": "x"},
        service_account="support-chat",
        token_secret=token_secret,
        node_selector={"gpu": "h100"},
        reads=reads or {},
    )
    return made


def template(model: ServedModel | None = None, *, token_secret: str | None = None) -> Any:
    return dict(whole(model, token_secret=token_secret)["spec"])


def variables(container: Any) -> dict[str, Any]:
    return {variable["name"]: variable for variable in container["env"]}


def test_the_pod_meets_pod_security_restricted():
    spec = template()
    container = spec["containers"][0]

    assert spec["security_context"]["run_as_non_root"] is True
    assert spec["security_context"]["seccomp_profile"] == {"type": "RuntimeDefault"}
    assert container["security_context"]["allow_privilege_escalation"] is False
    assert container["security_context"]["capabilities"] == {"drop": ["ALL"]}
    assert all({"empty_dir", "secret"} & set(volume) for volume in spec["volumes"])


def test_the_pod_has_time_to_drain_and_no_access_to_the_cluster():
    spec = template()
    pre_stop = spec["containers"][0]["lifecycle"]["pre_stop"]["sleep"]["seconds"]

    assert spec["termination_grace_period_seconds"] >= pre_stop + 120 + 15
    assert spec["automount_service_account_token"] is False
    assert spec["enable_service_links"] is False


def test_every_folder_the_engine_writes_to_is_mounted():
    spec, environment = template(), plan_of(a_model()).environment
    mounted = {
        mount["mount_path"]
        for mount in spec["containers"][0]["volume_mounts"]
        if not mount.get("read_only")
    }

    written = {environment[name] for name in ("HOME", "HF_HOME", "VLLM_CACHE_ROOT")}
    assert written | {"/tmp", "/dev/shm"} == mounted  # noqa: S108 - in the container


def test_the_engine_reads_its_keys_from_the_secret_that_is_mounted():
    spec = template()
    engine = spec["containers"][0]

    (mount,) = [m for m in engine["volume_mounts"] if m["name"] == "engine-key"]
    (volume,) = [v for v in spec["volumes"] if v["name"] == "engine-key"]
    assert volume["secret"] == {"secret_name": "engine-key", "default_mode": 0o440}
    assert engine["args"][-2:] == ["--config", f"{mount['mount_path']}/keys.yaml"]


def test_another_key_or_token_replaces_the_pods():
    def annotation(**reads: str) -> Any:
        return resolved(lambda: whole(reads=reads)["metadata"]["annotations"]["breakeven/files"])

    base = annotation(keys="a", token="t")
    assert annotation(keys="a", token="t") == base
    assert annotation(keys="b", token="t") != base
    assert annotation(keys="a", token="u") != base


def test_the_hub_token_is_a_reference_and_only_where_there_is_one():
    assert "HF_TOKEN" not in variables(template()["containers"][0])
    reference = variables(template(token_secret="hub-token")["containers"][0])["HF_TOKEN"]
    assert reference["value_from"]["secret_key_ref"] == {"name": "hub-token", "key": "token"}


def test_a_replica_on_a_gpu_asks_for_it_and_passes_the_taint_of_its_node():
    spec = template()

    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert [each["key"] for each in spec["tolerations"]] == ["nvidia.com/gpu"]


def test_a_replica_on_a_cpu_asks_for_no_gpu_passes_no_taint_and_is_spread_over_nodes():
    spec = template(a_model(**ON_CPU))

    assert set(spec["containers"][0]["resources"]["limits"]) == {"cpu", "memory"}
    assert "tolerations" not in spec
    (spread,) = spec["topology_spread_constraints"]
    assert spread["topology_key"] == "kubernetes.io/hostname"


def test_a_volume_of_weights_is_mounted_read_only():
    spec = template(a_model(**{"serving.source": VOLUME}))

    (volume,) = [v for v in spec["volumes"] if "persistent_volume_claim" in v]
    (mount,) = [m for m in spec["containers"][0]["volume_mounts"] if m["name"] == volume["name"]]
    assert volume["persistent_volume_claim"] == {"claim_name": "weights", "read_only": True}
    assert (mount["mount_path"], mount["read_only"]) == ("/models-volume", True)


@pytest.mark.parametrize("source", [S3, IMAGE])
def test_weights_from_elsewhere_need_no_volume_and_no_secret(source: dict[str, str]):
    spec = template(a_model(**{"serving.source": source}))

    assert not [volume for volume in spec["volumes"] if "persistent_volume_claim" in volume]
    assert not [v for v in spec["containers"][0]["env"] if "value_from" in v]


def test_an_adapter_of_the_hub_is_fetched_at_its_commit_before_the_engine_starts():
    model = a_model(**{"serving.adapters": [HUB_ADAPTER, LOCAL_ADAPTER]})
    spec = template(model, token_secret="hub-token")

    (fetch,) = spec["init_containers"]
    engine = spec["containers"][0]
    assert fetch["image"] == engine["image"]
    assert [*fetch["command"], *fetch["args"]] == [
        "hf",
        "download",
        "acme/legal-lora",
        f"--revision={COMMIT}",
        "--local-dir=/models/adapters/legal",
        "--quiet",
    ]
    assert "HF_TOKEN" in variables(fetch)
    assert "engine-key" not in {mount["name"] for mount in fetch["volume_mounts"]}
    assert "nvidia.com/gpu" not in fetch["resources"]["limits"]
    assert fetch["security_context"] == engine["security_context"]
    assert fetch["volume_mounts"] == engine["volume_mounts"][:-1]


def test_without_adapters_of_the_hub_nothing_runs_before_the_engine():
    assert "init_containers" not in template(a_model(**{"serving.adapters": [LOCAL_ADAPTER]}))
