"""A process node and the rest: the API that pods call, what is left out, what is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.dataplane.live import Live, is_ready, python_in
from tests.dataplane.manifests import (
    SLEEP,
    Manifest,
    container,
    pod,
    pod_spec,
    server,
    service,
)
from tests.dataplane.process_node.network import PodNetwork, clean_leftovers, leftovers
from tests.dataplane.process_node.node import ProcessNode
from tests.engine.control_plane import ControlPlane

CALL = """
import json, os, ssl, urllib.error, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
context = ssl.create_default_context(cafile=f"{{folder}}/ca.crt")
host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
namespace = open(f"{{folder}}/namespace").read()
request = urllib.request.Request(
    f"https://{{host}}:{{port}}/api/v1/namespaces/{{namespace}}/{}",
    headers={{"Authorization": "Bearer " + open(f"{{folder}}/token").read()}},
)
try:
    print(len(json.load(urllib.request.urlopen(request, context=context))["items"]))
except urllib.error.HTTPError as error:
    print(error.code)
"""
DIES = """
import os, pathlib, signal, sys
from tests.dataplane.process_node.container import ContainerProcess, Plan
from tests.dataplane.process_node.network import pod_network

folder = pathlib.Path(sys.argv[1])
for name in ("stage", "files"):
    (folder / name).mkdir()
with pod_network() as network:
    place = network.attach()
    plan = Plan(
        command=["sleep", "3600"], environment={"PATH": os.defpath}, directory="/",
        network=str(place.path), hostname="left", stage=str(folder / "stage"),
        pod_files=str(folder / "files"), volumes=[], reached=[], read_only=False,
        user=0, group=0, groups=[],
    )
    print(network.bridge, ContainerProcess(plan, folder / "log").pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_pod_calls_the_api_as_its_account_and_no_further(live: Live):
    ns, rbac = live.namespace, "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    named = {"name": "reader", "namespace": ns}
    live.api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named})
    live.api.apply({"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": named, "rules": [rule]})
    live.api.apply(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": named,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount"} | named],
        }
    )

    reader = live.ready(pod(ns, "reader", pod_spec(container(SLEEP), serviceAccountName="reader")))

    assert python_in(reader, CALL.format("pods")) == "1"
    assert python_in(reader, CALL.format("secrets")) == "403"


def test_what_is_not_honoured_is_listed(live: Live):
    limits = {"nvidia.com/gpu": "1", "memory": "1Gi"}
    security = {"seccompProfile": {"type": "RuntimeDefault"}, "allowPrivilegeEscalation": False}
    main = container(SLEEP, resources={"limits": limits}, securityContext=security)
    main["lifecycle"] = {"postStart": {"sleep": {"seconds": 1}}}
    spec = pod_spec(main, hostAliases=[{"ip": "10.0.0.1", "hostnames": ["other"]}])
    spec["volumes"] = [
        {"name": "host", "hostPath": {"path": "/etc"}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    ]

    live.ready(pod(live.namespace, "much", spec))

    assert sorted(live.node.left_out[f"{live.namespace}/much"]) == [
        "hostAliases",
        "main: lifecycle.postStart",
        "main: resources.limits memory",
        "main: resources.limits nvidia.com/gpu",
        "main: securityContext.seccompProfile",
        "volumes host hostPath: an empty folder instead",
        "volumes shm emptyDir.medium Memory: on disk",
        "volumes shm emptyDir.sizeLimit",
    ]


def test_a_plain_pod_leaves_nothing_out(live: Live):
    security = {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}
    plain = live.ready(pod(live.namespace, "plain", pod_spec(server(securityContext=security))))

    status = plain.run_inside("grep", "-E", "Cap(Eff|Bnd)|NoNewPrivs", "/proc/1/status")[1].split()

    assert plain.left_out == []
    assert [int(value, 16) for value in status[1::2]] == [0, 0, 1]


@pytest.mark.parametrize(
    ("fields", "reason", "message"),
    [
        (
            {"image": "docker.io/other/thing:1"},
            "ErrImagePull",
            "no program stands for the image other",
        ),
        ({"command": ["not-there"]}, "StartError", "No such file"),
        ({"envFrom": [{"secretRef": {"name": "none"}}]}, "CreateContainerConfigError", "not found"),
        ({"securityContext": {"runAsNonRoot": True}}, "CreateContainerConfigError", "as root"),
    ],
)
def test_a_container_that_cannot_start_says_why(
    live_control_plane: ControlPlane,
    small_node: ProcessNode,
    fields: Manifest,
    reason: str,
    message: str,
):
    name = f"odd-{next(iter(fields)).lower()}"
    live_control_plane.add_namespace(name)
    live = Live(plane=live_control_plane, node=small_node, namespace=name)
    odd = pod(name, "odd", pod_spec(container(SLEEP, **fields)))

    live.api.apply(odd)

    seen = live.seen(odd, lambda found: reason in str(found["status"].get("containerStatuses")))
    assert message in str(seen["status"]["containerStatuses"])
    assert not is_ready(seen)


def test_a_service_with_another_port_than_its_pods_is_reported(live: Live):
    live.api.apply(service(live.namespace, "even"))
    live.api.apply(service(live.namespace, "odd", target_port=9000))

    assert live.node.services_left_out() == [
        f"{live.namespace}/odd: port 8000 does not lead to 9000"
    ]


def test_nodes_that_kwok_plays_stand_beside_it(live: Live):
    live.plane.add_gpu_node("played", gpus=1, labels={"played": "yes"}, taint=False)
    spec = pod_spec(container(SLEEP), nodeSelector={"played": "yes"})
    played = pod(live.namespace, "played", spec)

    live.api.apply(played)

    assert live.seen(played, is_ready)["spec"]["nodeName"] == "played"
    assert live.node.pods("played") == []


def test_what_a_killed_run_left_is_cleaned_up(network: PodNetwork, tmp_path: Path):
    root = str(Path(__file__).parents[2])
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DIES), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": root},
        check=False,
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    bridge, pid = killed.stdout.split()
    assert leftovers(bridge)

    clean_leftovers()

    assert leftovers(bridge) == []
    assert not Path(f"/proc/{pid}").exists()
    assert leftovers(network.bridge), "a run that lives keeps its own"
