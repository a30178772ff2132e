"""A small Kubernetes client on the standard library: enough to arrange a test and to look."""

import http.client
import json
import ssl
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
CONFLICT, NOT_FOUND = 409, 404


class ApiError(Exception):
    """The API server refused: `code` is the HTTP status, the text its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class KubernetesApi:
    """Calls to one API server, as cluster administrator."""

    def __init__(self, *, port: int, token: str, ca_file: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}"}
        self._ca_file = ca_file

    def connect(self, *, timeout_s: float | None = 30) -> http.client.HTTPSConnection:
        """Return a connection of one's own, for a watch; `headers` is what each request needs."""
        return http.client.HTTPSConnection(
            self.address, self.port, timeout=timeout_s, context=self._tls
        )

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, content: str = "json"
    ) -> Manifest:
        """Return the answer's JSON; raise ApiError for any status that is not a success."""
        connection = self.connect()
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers=self.headers | {"Content-Type": f"application/{content}"},
            )
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        answer = json.loads(text) if text.startswith("{") else {"message": text}
        if response.status >= http.client.BAD_REQUEST:
            raise ApiError(response.status, str(answer.get("message", text)))
        return dict(answer)

    def ready(self) -> bool:
        """Return whether the server is up and has finished its start."""
        try:
            self.request("GET", "/readyz")
        except (OSError, ApiError, http.client.HTTPException):
            return False
        return True

    def get(self, path: str) -> Manifest:
        """Return the object or list at an API path such as /api/v1/nodes."""
        return self.request("GET", path)

    def items(self, path: str) -> list[Manifest]:
        """Return the items of the list at an API path."""
        return list(self.get(path)["items"])

    def exists(self, path: str) -> bool:
        """Return whether there is something at an API path."""
        try:
            self.get(path)
        except ApiError as error:
            if error.code == NOT_FOUND:
                return False
            raise
        return True

    def apply(self, manifest: Manifest, *, subresource: str = "") -> Manifest:
        """Create or change an object by server-side apply, as `kubectl apply` does."""
        path = self.path_of(manifest) + (f"/{subresource}" if subresource else "")
        return self.request(
            "PATCH",
            f"{path}?fieldManager=tests&force=true",
            manifest,
            content="apply-patch+yaml",  # JSON is YAML
        )

    def delete(self, path: str) -> None:
        """Delete what is at an API path, if anything."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise

    def path_of(self, manifest: Manifest) -> str:
        """Return an object's API path; the server's discovery knows plural and scope."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        resource = next(
            (
                known
                for known in self.get(root)["resources"]
                if known["kind"] == kind and "/" not in known["name"]
            ),
            None,
        )
        if resource is None:
            raise AssertionError(f"the API server knows no {kind} in {version}")
        name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace")
        scope = f"/namespaces/{namespace or 'default'}" if resource["namespaced"] else ""
        return f"{root}{scope}/{resource['name']}/{name}"

    def wait_for(
        self, path: str, wanted: Callable[[Manifest], bool], *, timeout_s: float = 30
    ) -> Manifest:
        """Return the object at a path once it is as wanted; fail with what it was at last."""
        deadline = time.monotonic() + timeout_s
        last: Manifest = {}
        while time.monotonic() < deadline:
            try:
                last = self.get(path)
                if wanted(last):
                    return last
            except ApiError as error:
                if error.code != NOT_FOUND:
                    raise
            time.sleep(0.1)
        last.get("metadata", {}).pop("managedFields", None)
        raise AssertionError(f"{path} was not as wanted after {timeout_s} s; last seen: {last}")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._ca_file))
        # The server's self-made certificate lacks a key identifier that Python 3.13 asks for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context
