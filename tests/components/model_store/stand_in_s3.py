"""A bucket on this machine that answers as S3 does to a client that lists, reads and uploads."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.threads import served

BUCKET = "weights"
CHECKSUM = "x-amz-checksum-sha256"


@dataclass
class StandInBucket:
    """What it has and how it answers."""

    address: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    locked: bool = False
    """Object Lock: an upload without a checksum is refused, as S3 does."""
    full_after: int | None = None
    """Writes after which it refuses all others; None for never."""
    page: int = 1000
    """Names in one answer to a list."""
    writes: list[str] = field(default_factory=list)
    """Keys, or parts of them, in the order they were written."""
    reads: list[str] = field(default_factory=list)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """Of uploads that are not finished, by key."""


class _Handler(BaseHTTPRequestHandler):
    """`bucket` is the stand-in."""

    bucket: StandInBucket
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key, query = self._asked()
        if "list-type" in query:
            return self._list(query["prefix"][0], query.get("continuation-token", [""])[0])
        self.bucket.reads.append(key)
        if key not in self.bucket.objects:
            return self._error(404, "NoSuchKey")
        return self._answer(200, self.bucket.objects[key])

    def do_PUT(self):
        (key, query), body = self._asked(), self._body()
        if not self._may_write(key):
            return None
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        told = self.headers.get(CHECKSUM)
        if told != digest and (told or self.bucket.locked):
            return self._error(400, "InvalidRequest")
        if "partNumber" in query:
            self.bucket.parts[key][int(query["partNumber"][0])] = body
        else:
            self.bucket.objects[key] = body
        return self._answer(200, headers={"ETag": '"an-etag"', CHECKSUM: digest})

    def do_POST(self):
        (key, query), _ = self._asked(), self._body()
        if "uploads" in query:
            self.bucket.parts[key] = {}
            text = f"<UploadId>one</UploadId><Key>{escape(key)}</Key>"
            return self._xml("InitiateMultipartUploadResult", text)
        parts = self.bucket.parts.pop(key)
        self.bucket.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return self._xml("CompleteMultipartUploadResult", f"<Key>{escape(key)}</Key>")

    def do_DELETE(self):
        key, query = self._asked()
        if "uploadId" not in query:
            return self._error(403, "AccessDenied")
        self.bucket.parts.pop(key, None)
        return self._answer(204)

    def log_message(self, *_):
        pass

    def _asked(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        key = unquote(parts.path).removeprefix(f"/{BUCKET}").removeprefix("/")
        return key, parse_qs(parts.query, keep_blank_values=True)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _may_write(self, key: str) -> bool:
        limit = self.bucket.full_after
        if limit is not None and len(self.bucket.writes) >= limit:
            self._error(403, "AccessDenied")
            return False
        self.bucket.writes.append(key)
        return True

    def _list(self, prefix: str, after: str):
        names = sorted(k for k in self.bucket.objects if k.startswith(prefix) and k > after)
        here, more = names[: self.bucket.page], names[self.bucket.page :]
        found = "".join(
            f"<Contents><Key>{escape(k)}</Key><Size>{len(self.bucket.objects[k])}</Size></Contents>"
            for k in here
        )
        token = f"<NextContinuationToken>{escape(here[-1])}</NextContinuationToken>" if more else ""
        told = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{token}{found}"
        return self._xml("ListBucketResult", told)

    def _xml(self, name: str, text: str):
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return self._answer(200, f'<{name} xmlns="{space}">{text}</{name}>'.encode())

    def _error(self, status: int, code: str):
        self.close_connection = True
        text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        return self._answer(status, text.encode())

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def a_bucket() -> Iterator[StandInBucket]:
    """Yield an empty bucket that answers."""
    bucket = StandInBucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    with served(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as bucket.address:
        yield bucket
