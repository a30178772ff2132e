"""Small programs and manifests for tests of the process node itself."""

import sys
import textwrap
from typing import Any

from tests.dataplane.process_node.images import Image

Manifest = dict[str, Any]
PORT = 8000
IMAGES = {"python": Image(entrypoint=(sys.executable,), commands={"python": (sys.executable,)})}
SLEEP = "import time; time.sleep(3600)"
SERVER = textwrap.dedent("""
    import http.server, os, signal, threading, time
    born, ready_after_s = time.monotonic(), float(os.environ.get("READY_AFTER_S", "0"))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            early = self.path == "/ready" and time.monotonic() - born < ready_after_s
            self.send_response(503 if early else 200)
            self.end_headers()
            time.sleep(0.05)
            self.wfile.write(os.environ["HOSTNAME"].encode())

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = False  # on SIGTERM it answers what it has begun
        request_queue_size = 50

    server = Server(("", 8000), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print("serving", flush=True)
    server.serve_forever()
    server.server_close()
""")


def container(program: str, name: str = "main", **fields: Any) -> Manifest:
    return {"name": name, "image": "python:3", "args": ["-c", program], **fields}


def probe(path: str = "/ready", **fields: Any) -> Manifest:
    return {"httpGet": {"path": path, "port": PORT}, "periodSeconds": 1, **fields}


def server(**fields: Any) -> Manifest:
    return container(SERVER, readinessProbe=probe(), **fields)


def pod_spec(*containers: Manifest, **fields: Any) -> Manifest:
    return {
        "containers": list(containers),
        "nodeSelector": {"breakeven/process-node": "true"},
        "terminationGracePeriodSeconds": 1,
        "enableServiceLinks": False,
        **fields,
    }


def pod(namespace: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def deployment(namespace: str, name: str, spec: Manifest, replicas: int = 1) -> Manifest:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def service(namespace: str, name: str, target_port: int = PORT) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"app": name},
            "ports": [{"port": PORT, "targetPort": target_port}],
        },
    }


def data_of(kind: str, namespace: str, name: str, **entries: str) -> Manifest:
    """Return a ConfigMap or Secret with those entries."""
    metadata = {"name": name, "namespace": namespace}
    key = "stringData" if kind == "Secret" else "data"
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, key: entries}
