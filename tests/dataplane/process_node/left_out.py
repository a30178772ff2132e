"""What of a pod's manifest a process node does not honour, by name.

Fields are known or they are reported: a field that is new here is never passed over silently.
"""

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

BY_OTHERS = [
    "nodeName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "schedulerName",
    "priority",
    "priorityClassName",
    "preemptionPolicy",
    "schedulingGates",
]
"""What scheduler, controllers and API server do."""
POD = [
    "containers",
    "initContainers",
    "volumes",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "serviceAccount",
    "serviceAccountName",
    "automountServiceAccountToken",
    "securityContext",
    "enableServiceLinks",
    "hostname",
    "subdomain",
]
CONTAINER = [
    "name",
    "image",
    "imagePullPolicy",
    "command",
    "args",
    "env",
    "envFrom",
    "ports",
    "workingDir",
    "volumeMounts",
    "lifecycle",
    "readinessProbe",
    "livenessProbe",
    "startupProbe",
    "resources",
    "securityContext",
    "restartPolicy",
    "terminationMessagePath",
    "terminationMessagePolicy",
]
PROBE = [
    "httpGet",
    "tcpSocket",
    "exec",
    "grpc",
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "successThreshold",
    "failureThreshold",
]
POD_SECURITY = [
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "fsGroup",
    "fsGroupChangePolicy",
    "supplementalGroups",
]
CONTAINER_SECURITY = [
    "readOnlyRootFilesystem",
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "allowPrivilegeEscalation",
    "capabilities",
]
DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": None,  # nothing is pulled
}
"""Values that the API server fills in, and that ask for nothing."""
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def left_out(spec: Spec) -> list[str]:
    """Return the fields of a pod's spec that are not honoured."""
    found = list(_unknown(spec, [*POD, *BY_OTHERS]))
    found += _unknown(spec.get("securityContext") or {}, POD_SECURITY, "securityContext.")
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        found += (f"{container['name']}: {field}" for field in _of_container(container))
    return found


def _of_container(container: Spec) -> Iterator[str]:
    yield from _unknown(container, CONTAINER)
    security = container.get("securityContext") or {}
    yield from _unknown(security, CONTAINER_SECURITY, "securityContext.")
    resources = container.get("resources") or {}
    yield from (f"resources.limits {name}" for name in resources.get("limits", {}))
    yield from _unknown(resources, ["limits", "requests"], "resources.")
    yield from _unknown(container.get("lifecycle") or {}, ["preStop"], "lifecycle.")
    for name in PROBES:
        yield from _unknown(container.get(name) or {}, PROBE, f"{name}.")
        if "grpc" in container.get(name, {}):
            yield f"{name}.grpc: taken as passed"
    for port in container.get("ports", []):
        yield from (f"ports.{word}" for word in ("hostPort", "hostIP") if port.get(word))


def _unknown(given: Spec, known: list[str], prefix: str = "") -> Iterator[str]:
    for field, value in given.items():
        if field in DEFAULTS and DEFAULTS[field] in (value, None):
            continue
        is_default = field in DEFAULTS or field not in known
        if is_default and value not in (None, False, {}, []):
            yield f"{prefix}{field}"


def services_left_out(services: list[Spec]) -> list[str]:
    """Return the ports of Services that do not lead to their pods: names lead to pods, not ports.

    Without a proxy between them, a Service's port must be the container's.
    """
    return [
        f"{service['metadata']['namespace']}/{service['metadata']['name']}: "
        f"port {port['port']} does not lead to {port['targetPort']}"
        for service in services
        if service["spec"].get("selector")
        for port in service["spec"].get("ports") or []
        if isinstance(port["targetPort"], int) and port["targetPort"] != port["port"]
    ]
