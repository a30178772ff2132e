"""A container's variables, and the text that they are put into."""

import re
from collections.abc import Mapping
from typing import Any

from tests.dataplane.process_node.images import Image
from tests.dataplane.process_node.objects import CONFIG_MAP, SECRET, MissingError, Owner

REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its $(NAME) replaced; $$ is a $, an unknown name stays as it is."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return REFERENCE.sub(value, text)


def variables(owner: Owner, container: dict[str, Any], image: Image) -> dict[str, str]:
    """Return all variables of a container, each only as far as the ones before it lead."""
    user_home = {"PATH": PATH, "HOME": "/root" if image.user == 0 else "/"}
    api = owner.around.api
    found = {
        **user_home,
        **image.environment,
        "HOSTNAME": owner.name,
        "KUBERNETES_SERVICE_HOST": api.address,
        "KUBERNETES_SERVICE_PORT": str(api.port),
        "KUBERNETES_SERVICE_PORT_HTTPS": str(api.port),
        **_service_links(owner),
    }
    for source in container.get("envFrom", []):
        found |= _all_of(owner, source)
    declared: dict[str, str] = {}
    for variable in container.get("env", []):
        value = _value(owner, container, variable, found | declared)
        if value is not None:
            declared[variable["name"]] = value
    return found | declared


def _all_of(owner: Owner, source: dict[str, Any]) -> dict[str, str]:
    kind, reference = (
        (CONFIG_MAP, source["configMapRef"])
        if "configMapRef" in source
        else (SECRET, source["secretRef"])
    )
    optional = bool(reference.get("optional"))
    data = owner.data(kind, reference["name"], optional=optional) or {}
    return {f"{source.get('prefix', '')}{key}": value.decode() for key, value in data.items()}


def _value(
    owner: Owner, container: dict[str, Any], variable: dict[str, Any], known: Mapping[str, str]
) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expanded(variable.get("value", ""), known)
    if "fieldRef" in source:
        return owner.field(source["fieldRef"]["fieldPath"])
    for word, kind in (("secretKeyRef", SECRET), ("configMapKeyRef", CONFIG_MAP)):
        if word in source:
            return _key(owner, kind, source[word])
    owner.record(f"{container['name']}: env {variable['name']} valueFrom {'/'.join(source)}")
    return None


def _key(owner: Owner, kind: str, reference: dict[str, Any]) -> str | None:
    name, key, optional = reference["name"], reference["key"], bool(reference.get("optional"))
    data = owner.data(kind, name, optional=optional) or {}
    if key in data:
        return data[key].decode()
    if optional:
        return None
    raise MissingError(f"{kind} {name} in {owner.namespace} has no key {key}")


def _service_links(owner: Owner) -> dict[str, str]:
    """Return the variables of the Services beside a pod, as the kubelet makes them."""
    if not owner.spec.get("enableServiceLinks", True):
        return {}
    links: dict[str, str] = {}
    for service in owner.around.api.items(f"/api/v1/namespaces/{owner.namespace}/services"):
        address = service["spec"].get("clusterIP", "None")
        name, ports = service["metadata"]["name"], service["spec"].get("ports") or []
        if address in ("None", "") or not ports or name == "kubernetes":
            continue
        owner.record("enableServiceLinks: the cluster IPs in the variables lead nowhere")
        links |= _links(re.sub(r"[-.]", "_", name.upper()), address, ports)
    return links


def _links(prefix: str, address: str, ports: list[dict[str, Any]]) -> dict[str, str]:
    first = ports[0]
    links = {
        f"{prefix}_SERVICE_HOST": address,
        f"{prefix}_SERVICE_PORT": str(first["port"]),
        f"{prefix}_PORT": f"{first['protocol'].lower()}://{address}:{first['port']}",
    }
    for port in ports:
        number, protocol = str(port["port"]), port["protocol"]
        if port.get("name"):
            named = re.sub(r"[-.]", "_", port["name"].upper())
            links[f"{prefix}_SERVICE_PORT_{named}"] = number
        at = f"{prefix}_PORT_{number}_{protocol}"
        links |= {
            at: f"{protocol.lower()}://{address}:{number}",
            f"{at}_PROTO": protocol.lower(),
            f"{at}_PORT": number,
            f"{at}_ADDR": address,
        }
    return links
