"""An HTTP proxy for programs outside the pods' network: Service names lead to pods, as DNS would."""

import contextlib
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.dataplane.process_node.node import ProcessNode
from tests.threads import served

LOOPBACK = "127.0.0.1"
BAD_GATEWAY = 502


@contextmanager
def service_proxy(node: ProcessNode) -> Iterator[str]:
    """Yield the URL of a proxy for GET; the host `name.namespace` is the pod of that Deployment."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = _ask(node, self.path)
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with served(ThreadingHTTPServer((LOOPBACK, 0), Handler)) as url:
        yield url


def _ask(node: ProcessNode, url: str) -> tuple[int, bytes]:
    asked = urlsplit(url)
    name, _, namespace = (asked.hostname or "").partition(".")
    try:
        pod = node.pod(f"{name}-", namespace)
        connection = http.client.HTTPConnection(pod.address, asked.port or 80, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", f"{asked.path}?{asked.query}")
            response = connection.getresponse()
            return response.status, response.read()
    except (AssertionError, OSError, http.client.HTTPException) as error:
        return BAD_GATEWAY, str(error).encode()
