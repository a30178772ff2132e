"""A pod's volumes, as folders of the node's root."""

import shutil
from pathlib import Path
from typing import Any

from tests.dataplane.process_node.claims import folder_of
from tests.dataplane.process_node.container import Mount
from tests.dataplane.process_node.environment import expanded
from tests.dataplane.process_node.objects import CONFIG_MAP, SECRET, MissingError, Owner

Files = dict[str, tuple[bytes, int]]
"""A file's content and mode, by its path in the volume."""
DEFAULT_MODE = 0o644
EVERYBODY_WRITES = 0o777


def make_volumes(owner: Owner, folder: Path) -> dict[str, Path]:
    """Return the folder of each volume, filled; raise MissingError while something is missing."""
    made = {}
    for volume in owner.spec.get("volumes", []):
        name = volume["name"]
        made[name] = folder / name
        if claim := volume.get("persistentVolumeClaim"):
            made[name] = folder_of(owner.around.root, owner.namespace, claim["claimName"])
        made[name].mkdir(parents=True, exist_ok=True)
        if "emptyDir" in volume or claim:
            made[name].chmod(EVERYBODY_WRITES)
            _note_limits(owner, name, volume.get("emptyDir") or {})
        else:
            _write(made[name], _files(owner, volume))
        _give_to_group(made[name], owner.spec.get("securityContext", {}).get("fsGroup"))
    return made


def mounts(
    owner: Owner, container: dict[str, Any], made: dict[str, Path], variables: dict[str, str]
) -> list[Mount]:
    """Return what is mounted where in a container, the outer before the inner."""
    found = []
    for mount in container.get("volumeMounts", []):
        source = made[mount["name"]]
        inner = mount.get("subPath") or expanded(mount.get("subPathExpr", ""), variables)
        if inner:
            source = source / inner
            if not source.exists():
                source.mkdir(parents=True)
                source.chmod(EVERYBODY_WRITES)
        for word in ("mountPropagation", "recursiveReadOnly"):
            if mount.get(word, "None") not in ("None", "Disabled"):
                owner.record(f"{container['name']}: volumeMounts {mount['mountPath']} {word}")
        read_only = bool(mount.get("readOnly")) or _is_read_only(owner, mount["name"])
        found.append(Mount(source=str(source), target=mount["mountPath"], read_only=read_only))
    return sorted(found, key=lambda mount: mount.target.count("/"))


def _files(owner: Owner, volume: dict[str, Any]) -> Files:
    if "configMap" in volume:
        return _of_kind(owner, CONFIG_MAP, volume["configMap"]["name"], volume["configMap"])
    if "secret" in volume:
        return _of_kind(owner, SECRET, volume["secret"]["secretName"], volume["secret"])
    if "downwardAPI" in volume:
        return _downward(owner, volume["downwardAPI"])
    if "projected" in volume:
        return _projected(owner, volume["projected"])
    kind = "/".join(word for word in volume if word != "name")
    owner.record(f"volumes {volume['name']} {kind}: an empty folder instead")
    return {}


def _of_kind(owner: Owner, kind: str, name: str, source: dict[str, Any]) -> Files:
    data = owner.data(kind, name, optional=bool(source.get("optional"))) or {}
    mode = source.get("defaultMode", DEFAULT_MODE)
    items = source.get("items")
    if not items:
        return {key: (content, mode) for key, content in data.items()}
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing and not source.get("optional"):
        raise MissingError(f"{kind} {name} in {owner.namespace} has no key {missing[0]}")
    return {
        item["path"]: (data[item["key"]], item.get("mode", mode))
        for item in items
        if item["key"] in data
    }


def _downward(owner: Owner, source: dict[str, Any]) -> Files:
    files: Files = {}
    for item in source.get("items", []):
        if "fieldRef" not in item:
            owner.record(f"downwardAPI {item['path']} resourceFieldRef")
            continue
        value = owner.field(item["fieldRef"]["fieldPath"])
        if value is not None:
            mode = item.get("mode", source.get("defaultMode", DEFAULT_MODE))
            files[item["path"]] = (value.encode(), mode)
    return files


def _projected(owner: Owner, projected: dict[str, Any]) -> Files:
    files: Files = {}
    mode = projected.get("defaultMode", DEFAULT_MODE)
    for source in projected["sources"]:
        if "serviceAccountToken" in source:
            token = source["serviceAccountToken"]
            files[token["path"]] = (_token(owner, token), mode)
        elif "configMap" in source:
            inner = source["configMap"] | {"defaultMode": mode}
            files |= _of_kind(owner, CONFIG_MAP, inner["name"], inner)
        elif "secret" in source:
            inner = source["secret"] | {"defaultMode": mode}
            files |= _of_kind(owner, SECRET, inner["name"], inner)
        elif "downwardAPI" in source:
            files |= _downward(owner, source["downwardAPI"] | {"defaultMode": mode})
        else:
            owner.record(f"projected {'/'.join(source)}")
    return files


def _token(owner: Owner, source: dict[str, Any]) -> bytes:
    account = owner.spec.get("serviceAccountName", "default")
    pod = {"apiVersion": "v1", "kind": "Pod", "name": owner.name, "uid": owner.uid}
    wanted: dict[str, Any] = {
        "expirationSeconds": source.get("expirationSeconds", 3600),
        "boundObjectRef": pod,
        **({"audiences": [source["audience"]]} if source.get("audience") else {}),
    }
    answer = owner.around.api.request(
        "POST",
        f"/api/v1/namespaces/{owner.namespace}/serviceaccounts/{account}/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": wanted},
    )
    return str(answer["status"]["token"]).encode()


def _write(folder: Path, files: Files) -> None:
    for name, (content, mode) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def _give_to_group(folder: Path, group: int | None) -> None:
    """Let the pod's fsGroup have a volume: its files, and what is written there later."""
    if group is None:
        return
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        shutil.chown(path, group=group)
        path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else _as_owner(path)))


def _as_owner(path: Path) -> int:
    return (path.stat().st_mode & 0o700) >> 3


def _note_limits(owner: Owner, name: str, source: dict[str, Any]) -> None:
    if source.get("medium"):
        owner.record(f"volumes {name} emptyDir.medium {source['medium']}: on disk")
    if source.get("sizeLimit"):
        owner.record(f"volumes {name} emptyDir.sizeLimit")


def _is_read_only(owner: Owner, name: str) -> bool:
    volume = next(volume for volume in owner.spec["volumes"] if volume["name"] == name)
    if (volume.get("persistentVolumeClaim") or {}).get("readOnly"):
        return True
    return any(word in volume for word in ("configMap", "secret", "projected", "downwardAPI"))
