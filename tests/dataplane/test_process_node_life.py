"""The end of a pod: told in time, replaced, and missed by nobody."""

import json

from tests.dataplane.live import Live, is_ready, wait_for_log
from tests.dataplane.manifests import container, deployment, pod, pod_spec, server, service

ASK_AGAIN_AND_AGAIN = """
import collections, time, urllib.request
found, end = collections.Counter(), time.monotonic() + {seconds}
while time.monotonic() < end:
    try:
        found[urllib.request.urlopen("http://rolled:8000/", timeout=5).read()[:6].decode()] += 1
    except Exception as error:
        found[repr(error)] += 1
print(dict(found))
"""
LAST_WORDS = """
import pathlib, signal, sys, time
def told(*_):
    print(f"told {time.monotonic()}", flush=True)
    if sys.argv[1] == "polite":
        sys.exit(0)
signal.signal(signal.SIGTERM, told)
print("up", flush=True)
while True:
    time.sleep(0.05)
"""


def test_a_pod_is_told_in_time_and_killed_only_when_its_grace_is_over(live: Live):
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 1; echo hook > /proc/1/fd/1"]}}}
    ended = {}
    for kind in ("polite", "deaf"):
        main = container(LAST_WORDS, lifecycle=hook)
        main["args"].append(kind)
        manifest = pod(live.namespace, kind, pod_spec(main, terminationGracePeriodSeconds=3))
        running = live.ready(manifest)
        wait_for_log(running, "up")
        ended[kind] = (live.gone(manifest), running.log().split())

    assert 1 <= ended["polite"][0] < 2.5
    assert 3 <= ended["deaf"][0] < 4.5
    for _, log in ended.values():
        assert log[:3] == ["up", "hook", "told"]


def test_a_rolling_update_under_requests_drops_none(live: Live):
    ns = live.namespace
    main = server(lifecycle={"preStop": {"sleep": {"seconds": 1}}})
    rolled = deployment(ns, "rolled", pod_spec(main, terminationGracePeriodSeconds=10), replicas=2)
    live.api.apply(service(ns, "rolled"))
    live.api.apply(rolled)
    live.available(rolled)
    before = {found.name for found in live.node.pods("rolled", ns)}
    client = live.ready(
        pod(ns, "client", pod_spec(container(ASK_AGAIN_AND_AGAIN.format(seconds=9))))
    )

    main["env"] = [{"name": "VERSION", "value": "2"}]
    live.api.apply(rolled)
    live.available(rolled)
    wait_for_log(client, "{")

    assert before.isdisjoint(found.name for found in live.node.pods("rolled", ns))
    answers = json.loads(client.log().splitlines()[0].replace("'", '"'))
    assert set(answers) == {"rolled"}
    assert answers["rolled"] > 50


def test_a_pod_that_hangs_is_not_ready_and_one_that_crashes_or_is_deleted_is_replaced(live: Live):
    ns = live.namespace
    kept = deployment(ns, "kept", pod_spec(server()))
    live.api.apply(kept)
    live.available(kept)
    running = live.node.pod("kept", ns)
    manifest = pod(ns, running.name, {})

    running.pause()
    live.seen(manifest, lambda found: not is_ready(found))
    running.resume()
    live.seen(manifest, is_ready)
    running.kill()
    live.seen(manifest, lambda found: found["status"]["containerStatuses"][0]["restartCount"] == 1)
    live.gone(manifest)
    live.available(kept)

    assert live.node.pod("kept", ns).name != running.name
