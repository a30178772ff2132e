"""The process node does to a pod what a kubelet does: the tests of the deployment rest on it."""

import json
import time

import pytest

from tests.dataplane.live import Live, is_ready, python_in, wait_for_log
from tests.dataplane.manifests import (
    SERVER,
    SLEEP,
    Manifest,
    container,
    data_of,
    pod,
    pod_spec,
    probe,
    server,
    service,
)

SHOW = "import json, os, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(3600)"
ASK = "import urllib.request; print(urllib.request.urlopen('{}', timeout=2).read().decode())"


def test_a_pod_is_ready_when_its_probes_say_so_and_is_then_reached_by_name(live: Live):
    ns, late = live.namespace, [{"name": "READY_AFTER_S", "value": "1.5"}]
    live.api.apply(service(ns, "web"))
    client = live.ready(pod(ns, "client", pod_spec(container(SLEEP))))
    web = pod(ns, "web", pod_spec(server(env=late, startupProbe=probe("/"))))

    live.api.apply(web)
    started = live.seen(web, lambda p: p["status"].get("containerStatuses", [{}])[0].get("started"))
    assert not is_ready(started)
    with pytest.raises(AssertionError, match="Name or service not known"):
        python_in(client, ASK.format("http://web:8000/"))
    live.seen(web, is_ready)

    for name in ("web", f"web.{ns}", f"web.{ns}.svc", f"web.{ns}.svc.cluster.local"):
        assert python_in(client, ASK.format(f"http://{name}:8000/")) == "web"


def test_variables_are_as_declared(live: Live):
    ns = live.namespace
    live.api.apply(data_of("ConfigMap", ns, "settings", mode="fast", log="loud"))
    live.api.apply(data_of("Secret", ns, "keys", key="s3cret"))
    env = [
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "URL", "value": "http://$(IP)/$(MODE)/$(NONE)/$$(IP)"},
    ]
    source = [{"prefix": "SET_", "configMapRef": {"name": "settings"}}]

    shown = live.ready(pod(ns, "shown", pod_spec(container(SHOW, env=env, envFrom=source))))
    wait_for_log(shown, "\n")

    found = json.loads(shown.log())
    wanted = {"KEY": "s3cret", "MODE": "fast", "SET_log": "loud", "LABEL": "shown"}
    assert {name: found[name] for name in wanted} == wanted
    assert found["URL"] == f"http://{shown.address}/fast/$(NONE)/$(IP)"


def test_volumes_are_where_they_are_mounted_and_nothing_else_can_be_written(live: Live):
    ns = live.namespace
    live.api.apply(data_of("ConfigMap", ns, "settings", a="one", b="two"))
    volumes = [
        {
            "name": "config",
            "configMap": {"name": "settings", "items": [{"key": "a", "path": "x/a"}]},
        },
        {"name": "scratch", "emptyDir": {}},
    ]
    mounts = [  # folders of the container, none of the machine
        {"name": "config", "mountPath": "/etc/nowhere/config"},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
        {"name": "scratch", "mountPath": "/models", "subPath": "models", "readOnly": True},
    ]
    security = {"readOnlyRootFilesystem": True, "runAsUser": 1234, "runAsNonRoot": True}
    main = container(SLEEP, volumeMounts=mounts, securityContext=security)
    shown = live.ready(pod(ns, "shown", pod_spec(main, volumes=volumes)))

    def tried(command: str) -> tuple[int, str]:
        return shown.run_inside("sh", "-c", command)

    assert tried("cat /etc/nowhere/config/x/a; ls /etc/nowhere/config; id -u") == (
        0,
        "onex\n1234\n",
    )
    assert tried("echo hi > /tmp/models/a && cat /models/a") == (0, "hi\n")
    for path in ("/", "/models/", "/etc/nowhere/config/", "/var/"):
        assert "Read-only file system" in tried(f"touch {path}new")[1], path


def test_what_a_container_writes_stays_in_it_and_ends_with_it(live: Live):
    check = {"exec": {"command": ["test", "!", "-e", "/sick"]}, "periodSeconds": 1}
    main = container(SLEEP, livenessProbe=check | {"failureThreshold": 1})
    weak = pod(live.namespace, "weak", pod_spec(main))
    running = live.ready(weak)

    assert running.run_inside("touch", "/sick")[0] == 0
    again = live.seen(weak, lambda p: p["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert "the liveness probe failed" in running.log()
    assert again["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137
    live.seen(weak, is_ready)
    assert running.run_inside("ls", "/sick")[0] != 0


def test_init_containers_run_one_after_the_other_and_then_the_job_succeeds(live: Live):
    mount: Manifest = {"volumeMounts": [{"name": "all", "mountPath": "/all"}]}
    write = "import time; time.sleep({}); open('/all/log', 'a').write('{} ')"
    inits = [
        container(write.format(0.5, "one"), "first", **mount),
        container(write.format(0, "two"), "second", **mount),
    ]
    main = container("print(open('/all/log').read())", **mount)
    spec = pod_spec(main, initContainers=inits, restartPolicy="Never")
    spec["volumes"] = [{"name": "all", "emptyDir": {}}]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job", "namespace": live.namespace},
        "spec": {"template": {"spec": spec}},
    }

    live.api.apply(job)
    live.seen(job, lambda found: found["status"].get("succeeded") == 1)

    assert live.node.pod("job", live.namespace).log() == "one two \n"


def test_a_sidecar_serves_the_others_and_ends_after_them(live: Live):
    sidecar = container(SERVER, "side", restartPolicy="Always", startupProbe=probe("/"))
    main = container(ASK.format("http://localhost:8000/"))
    spec = pod_spec(main, initContainers=[sidecar], restartPolicy="Never")
    both = pod(live.namespace, "both", spec)

    live.api.apply(both)
    ended = live.seen(both, lambda found: found["status"].get("phase") == "Succeeded")

    assert live.node.pod("both", live.namespace).log() == "both\n"
    assert "terminated" in ended["status"]["initContainerStatuses"][0]["state"]


def test_a_claim_is_kept_when_its_pod_is_replaced(live: Live):
    ns = live.namespace
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "disk", "namespace": ns},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    live.api.apply(claim)
    mount = [{"name": "disk", "mountPath": "/disk"}]
    spec = pod_spec(container(SLEEP, volumeMounts=mount))
    spec["volumes"] = [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}]
    manifest = pod(ns, "keeper", spec)

    live.ready(manifest).run_inside("sh", "-c", "echo kept > /disk/file")
    live.gone(manifest)
    began = time.monotonic()

    assert live.ready(manifest).run_inside("cat", "/disk/file") == (0, "kept\n")
    assert time.monotonic() - began < 5
    assert live.seen(claim, bool)["status"]["phase"] == "Bound"
