"""The Job that fills or checks a model's folder in the store before its engine starts. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi_kubernetes.batch.v1 import JobSpecArgsDict
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    KeyToPathArgsDict,
    VolumeArgsDict,
)

from components.engine.environment import OFFLINE, aws
from components.jobs import JobPlan
from components.labels import selector
from components.model_store import manifest, prefetch, remote
from components.model_store.accounts import folder, prefetch_name
from components.pods import FILES, hardened, pod_spec, resources, scratch, variable
from stacks.aws.target import Eks
from stacks.sources import StoreSource
from stacks.stack import ServedModel, Stack

COMPONENT: Final = "prefetch"
FOLDER: Final = "/prefetch"
SCRATCH: Final = "/scratch"
SCRIPTS: Final = tuple(Path(str(each.__file__)) for each in (manifest, prefetch, remote))
PACKAGE: Final = "components/model_store"
"""Where the scripts are below FOLDER, so that they find each other there as they do here."""
FILES_AT_ONCE: Final = 8
"""Objects that are read at once: one stream of S3 gives some 80 MB/s, a small node takes ten."""
SLOWEST_MIB_PER_S: Final = 40
"""What the Job must get through at least, each file once; by this it is given up on."""
START_S: Final = 1200
"""Until a node is there that has pulled the engine's image."""
TRIES: Final = 4
AWAIT_SPARE_S: Final = 120
"""What `pulumi up` waits beyond the Job's own end, so that it is the Job that fails, and says why."""
MEMORY_GIB: Final = 3.0
"""Parts in flight of the hub's client and of the upload."""


@dataclass(frozen=True, kw_only=True)
class PrefetchPlan(JobPlan):
    """The Job of one model; its name changes with the revision, the manifest and how they are read."""

    account: str
    """Service account that may read, or fill, the store."""


def prefetch_plans(stack: Stack, bucket: str | None) -> Mapping[str, PrefetchPlan]:
    """Return the Job of each model whose weights are in the store; `bucket` is its name."""
    eks = stack.target
    if bucket is None or not isinstance(eks, Eks):
        return {}
    return {
        model.name: _plan(model, model.serving.source, eks, bucket)
        for model in stack.models
        if isinstance(model.serving.source, StoreSource)
    }


def _plan(model: ServedModel, source: StoreSource, eks: Eks, bucket: str) -> PrefetchPlan:
    files = {path.name: path.read_text("utf-8") for path in SCRIPTS}
    scratch_gib = eks.system_nodes.disk_gib // 2
    container = _container(model, _environment(model, source, eks, bucket, scratch_gib))
    text = json.dumps([files, container], sort_keys=True)
    name = f"{prefetch_name(model)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    seconds = _seconds(eks)
    return PrefetchPlan(
        name=name,
        account=prefetch_name(model),
        spec=_job(model, container, files=name, scratch_gib=scratch_gib, seconds=seconds),
        files=files,
        await_s=seconds + AWAIT_SPARE_S,
    )


def _seconds(eks: Eks) -> int:
    """Return what a Job may take; no model is larger than the store is declared to be."""
    assert eks.model_store, "the stack was refused without a store"  # noqa: S101
    return START_S + math.ceil(eks.model_store.gib * 1024 / SLOWEST_MIB_PER_S)


def _environment(
    model: ServedModel, source: StoreSource, eks: Eks, bucket: str, scratch_gib: int
) -> list[EnvVarArgsDict]:
    """Return all that the script reads; only one that fills has the hub's token, where there is one."""
    plain = {
        "BUCKET": bucket,
        "FOLDER": folder(model),
        "REPOSITORY": model.weights.id,
        "REVISION": model.weights.revision,
        "MANIFEST_SHA256": source.manifest_sha256,
        "FILLED_FROM": source.filled_from,
        "FILES_AT_ONCE": str(FILES_AT_ONCE),
        "SCRATCH": SCRATCH,
        "SCRATCH_GIB": str(scratch_gib),
        "HOME": SCRATCH,
        "HF_HOME": f"{SCRATCH}/.hub",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "10",
    } | aws(eks.region)
    if source.filled_from == "elsewhere":
        return [variable(name, value) for name, value in (plain | OFFLINE).items()]
    token: EnvVarArgsDict = {
        "name": "HF_TOKEN",
        "value_from": {"secret_key_ref": {"name": "hub-token", "key": "token", "optional": True}},
    }
    return [*(variable(name, value) for name, value in plain.items()), token]


def _container(model: ServedModel, environment: list[EnvVarArgsDict]) -> ContainerArgsDict:
    return {
        "name": COMPONENT,
        "image": model.serving.image,
        "command": ["python3", "-m", f"{PACKAGE.replace('/', '.')}.{Path(prefetch.__file__).stem}"],
        "working_dir": FOLDER,
        "env": environment,
        "resources": resources(cpus=1, memory_gib=MEMORY_GIB),
        "security_context": hardened(),
        # Pulumi shows it when the Job fails.
        "termination_message_policy": "FallbackToLogsOnError",
        "volume_mounts": [
            {"name": FILES, "mount_path": FOLDER, "read_only": True},
            {"name": "scratch", "mount_path": SCRATCH},
            {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 - in the container
        ],
    }


def _job(
    model: ServedModel,
    container: ContainerArgsDict,
    *,
    files: str,
    scratch_gib: int,
    seconds: int,
) -> JobSpecArgsDict:
    # No toleration: it runs beside the gateway, and never waits for a GPU node or pays for one.
    chosen = selector(COMPONENT, model.name)
    tmp, _ = scratch("tmp", "/tmp")  # noqa: S108 - in the container
    space: VolumeArgsDict = {"name": "scratch", "empty_dir": {"size_limit": f"{scratch_gib}Gi"}}
    pod = pod_spec(
        [container],
        name=prefetch_name(model),
        chosen=chosen,
        grace_s=5,
        volumes=[_scripts(files), space, tmp],
    )
    return {
        "active_deadline_seconds": seconds,
        "backoff_limit": TRIES - 1,
        "pod_failure_policy": {
            "rules": [
                {
                    "action": "FailJob",
                    "on_exit_codes": {
                        "container_name": COMPONENT,
                        "operator": "In",
                        "values": [prefetch.REFUSED],
                    },
                },
                # A node that went is nobody's fault.
                {"action": "Ignore", "on_pod_conditions": [{"type": "DisruptionTarget"}]},
            ]
        },
        "template": {
            "metadata": {"labels": chosen},
            "spec": {**pod, "restart_policy": "Never"},
        },
    }


def _scripts(files: str) -> VolumeArgsDict:
    items: list[KeyToPathArgsDict] = [
        {"key": path.name, "path": f"{PACKAGE}/{path.name}"} for path in SCRIPTS
    ]
    return {"name": FILES, "config_map": {"name": files, "items": items}}
