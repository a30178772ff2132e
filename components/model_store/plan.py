"""The Job that fills or checks a model's folder in the store before its engine starts. Pure."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi_kubernetes.batch.v1 import JobSpecArgsDict, PodFailurePolicyArgsDict
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    KeyToPathArgsDict,
    VolumeArgsDict,
)

from components.aws.node_groups import EPHEMERAL_FRACTION
from components.engine.environment import OFFLINE, aws
from components.jobs import JobPlan
from components.labels import selector
from components.model_store import manifest, prefetch, remote
from components.model_store.accounts import folder, prefetch_name
from components.pods import FILES, STAYS, hardened, pod_spec, resources, scratch, variable
from stacks.aws.target import Eks
from stacks.errors import Place
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
"""Until a node that is there has pulled the engine's image."""
TRIES: Final = 4
AWAIT_SPARE_S: Final = 120
"""What `pulumi up` waits beyond the Job's own end, so that it is the Job that fails, and says why."""
MEMORY_GIB: Final = 3.0
"""Parts in flight of the hub's client and of the upload."""
IMAGES_GIB: Final = 30
"""Of a system node's disk: the engine's image, 10 to 20 GB unpacked, and those of what else runs there.
The scheduler counts no images."""
LEAST_SCRATCH_GIB: Final = 5
"""The hub's usual file of weights, 5 GB."""
CHECK_SCRATCH_GIB: Final = 1
"""Of a Job that only checks: it reads objects and keeps none."""
LOGS_GIB: Final = 1
"""Beside the scratch space: logs and /tmp."""


@dataclass(frozen=True, kw_only=True)
class PrefetchPlan(JobPlan):
    """The Job of one model; its name changes with the revision, the manifest and how they are read."""

    account: str
    """Service account that may read, or fill, the store."""


def prefetch_plans(stack: Stack, bucket: str | None, *, file: str) -> Mapping[str, PrefetchPlan]:
    """Return the Job of each model whose weights are in the store.

    `bucket` is the name of the store, `file` is the stack's.

    Raises:
        InputError: a system node's disk holds the engine's image, and nothing of the weights beside it.
    """
    eks = stack.target
    if bucket is None or not isinstance(eks, Eks):
        return {}
    stored = [(m, s) for m in stack.models if isinstance(s := m.serving.source, StoreSource)]
    if stored:
        _check_disk(eks, Place(file, "target.system_nodes.disk_gib"))
    return {model.name: _plan(model, source, eks, bucket) for model, source in stored}


def _free_gib(disk_gib: int) -> int:
    """Return what a system node's disk has for weights, above the kubelet's threshold: 60 GiB, 21."""
    return int(disk_gib * EPHEMERAL_FRACTION) - IMAGES_GIB


def _check_disk(eks: Eks, place: Place) -> None:
    found = eks.system_nodes.disk_gib
    if _free_gib(found) >= LEAST_SCRATCH_GIB:
        return
    least = math.ceil((IMAGES_GIB + LEAST_SCRATCH_GIB) / EPHEMERAL_FRACTION)
    raise place.error(
        found=f"{found} GiB, with weights in the model store",
        allowed=f"from {least} GiB: {EPHEMERAL_FRACTION:.0%} of it hold {IMAGES_GIB} GiB of images and a"
        " file of weights",
        remedy="raise it: the Job that fills the store runs there, with the engine's image",
    )


def _plan(model: ServedModel, source: StoreSource, eks: Eks, bucket: str) -> PrefetchPlan:
    files = {path.name: path.read_text("utf-8") for path in SCRIPTS}
    fills = source.filled_from == "hub"
    scratch_gib = _free_gib(eks.system_nodes.disk_gib) if fills else CHECK_SCRATCH_GIB
    variables = _environment(model, source, eks, bucket, scratch_gib)
    container = _container(model, variables, disk_gib=scratch_gib + LOGS_GIB)
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
    """Return what a Job may take; no model is larger than the store is declared to be.

    A system node may have to come first: it takes less than a GPU node, which was measured.
    """
    assert eks.model_store, "the stack was refused without a store"  # noqa: S101
    start_s = START_S + math.ceil(eks.gpu_nodes.start_seconds)
    return start_s + math.ceil(eks.model_store.gib * 1024 / SLOWEST_MIB_PER_S)


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
        # Each file is fetched once: chunks that are kept would only fill the scratch space.
        "HF_XET_CHUNK_CACHE_SIZE_BYTES": "0",
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


def _container(
    model: ServedModel, environment: list[EnvVarArgsDict], *, disk_gib: int
) -> ContainerArgsDict:
    return {
        "name": COMPONENT,
        "image": model.serving.image,
        "command": ["python3", "-m", f"{PACKAGE.replace('/', '.')}.{Path(prefetch.__file__).stem}"],
        "working_dir": FOLDER,
        "env": environment,
        # Two of them go to one node only where both have room, and one that takes more ends itself:
        # without both, a full disk ends the gateway as well.
        "resources": resources(cpus=1, memory_gib=MEMORY_GIB, disk_gib=disk_gib),
        "security_context": hardened(),
        # Pulumi shows it when the Job fails.
        "termination_message_policy": "FallbackToLogsOnError",
        "volume_mounts": [
            {"name": FILES, "mount_path": FOLDER, "read_only": True},
            {"name": "scratch", "mount_path": SCRATCH},
            {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 - in the container
        ],
    }


_FAILURES: Final[PodFailurePolicyArgsDict] = {
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
}
"""What is refused is refused again: only what another try may mend is tried again."""


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
        "pod_failure_policy": _FAILURES,
        "template": {
            "metadata": {"labels": chosen, "annotations": STAYS},
            "spec": {**pod, "restart_policy": "Never"},
        },
    }


def _scripts(files: str) -> VolumeArgsDict:
    items: list[KeyToPathArgsDict] = [
        {"key": path.name, "path": f"{PACKAGE}/{path.name}"} for path in SCRIPTS
    ]
    return {"name": FILES, "config_map": {"name": files, "items": items}}
