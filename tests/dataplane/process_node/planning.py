"""From a container's manifest to the plan of one run of it."""

from pathlib import Path
from typing import Any

from tests.dataplane.process_node.container import Plan
from tests.dataplane.process_node.environment import expanded, variables
from tests.dataplane.process_node.images import Image, repository
from tests.dataplane.process_node.network import Attachment
from tests.dataplane.process_node.objects import Owner
from tests.dataplane.process_node.runner import ConfigError
from tests.dataplane.process_node.volumes import mounts

HOSTNAME_LENGTH = 63


def plan_of(
    owner: Owner,
    container: dict[str, Any],
    *,
    volumes: dict[str, Path],
    attachment: Attachment,
    folder: Path,
) -> Plan:
    """Return the plan; raise MissingError or ConfigError with why there is none."""
    image = _image(owner, container)
    environment = variables(owner, container, image)
    words = {
        name: [expanded(word, environment) for word in container.get(name, [])]
        for name in ("command", "args")
    }
    command = image.command(words["command"], words["args"])
    if not command:
        raise ConfigError("CreateContainerError", "no command specified")
    stage = folder / "stage"
    stage.mkdir(exist_ok=True)
    mounted = mounts(owner, container, volumes, environment)
    return Plan(
        command=command,
        environment=environment,
        directory=container.get("workingDir") or image.working_directory,
        network=str(attachment.path),
        hostname=str(owner.spec.get("hostname") or owner.name)[:HOSTNAME_LENGTH],
        stage=str(stage),
        pod_files=str(folder / "files"),
        volumes=mounted,
        reached=image.reached(),
        **_security(owner, container, image),
    )


def _image(owner: Owner, container: dict[str, Any]) -> Image:
    known, name = owner.around.images, repository(container["image"])
    if name not in known:
        raise ConfigError(
            "ErrImagePull",
            f"no program stands for the image {name}; known are {', '.join(sorted(known))}",
        )
    return known[name]


def _security(owner: Owner, container: dict[str, Any], image: Image) -> dict[str, Any]:
    pod = owner.spec.get("securityContext") or {}
    both = pod | (container.get("securityContext") or {})
    user = both.get("runAsUser", image.user)
    if both.get("runAsNonRoot") and user == 0:
        message = "container has runAsNonRoot and image will run as root"
        raise ConfigError("CreateContainerConfigError", message)
    capabilities = both.get("capabilities") or {}
    group = pod.get("fsGroup")
    return {
        "read_only": bool(both.get("readOnlyRootFilesystem")),
        "user": user,
        "group": both.get("runAsGroup", 0),
        "groups": [*pod.get("supplementalGroups", []), *([] if group is None else [group])],
        "drop": [_short(name) for name in capabilities.get("drop", [])],
        "add": [_short(name) for name in capabilities.get("add", [])],
        "no_new_privileges": both.get("allowPrivilegeEscalation") is False,
    }


def _short(capability: str) -> str:
    return capability.upper().removeprefix("CAP_")
