"""The digest that a registry serves behind a tag, by the OCI distribution API.

Nobody logs in and nothing is pulled. Only a stand-in registry was asked where this was written.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""What a tag may stand for: all platforms, or one."""
DOCKER_HUB: Final = "docker.io"
DOCKER_HUB_HOST: Final = "registry-1.docker.io"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
NOT_PUBLIC: Final = "not for everybody to read, or not there"
MEANINGS: Final = {
    401: NOT_PUBLIC,
    403: NOT_PUBLIC,
    404: "no such repository or tag",
    429: "asked too often; wait, then ask again",
}
LARGEST_BYTES: Final = 4 * 1024 * 1024
"""A manifest is no larger (OCI distribution specification)."""


class RegistryError(Exception):
    """A registry did not say what is behind a tag; the text says what it said instead."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """What a registry is asked for."""

    registry: str
    """Its name in an image: docker.io where there is none."""
    repository: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    headers: Message
    body: bytes


def tag_of(image: str) -> Tag | None:
    """Return what to ask for an image, e.g. redis:7@sha256:...; None for one that names no tag."""
    name = image.partition("@")[0]
    host, slash, path = name.partition("/")
    if not (slash and (set(".:") & set(host) or host == "localhost")):
        host, path = DOCKER_HUB, name
    repository, colon, tag = path.rpartition(":")
    if not colon:
        return None
    official = host == DOCKER_HUB and "/" not in repository
    return Tag(
        registry=host, repository=f"library/{repository}" if official else repository, tag=tag
    )


@dataclass(frozen=True, kw_only=True)
class Registries:
    """Asks registries; over HTTPS, but for one on this machine."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    """Where a registry listens, by its name in an image, if not at that name."""
    timeout_s: float = 20.0
    """How long a silent registry is waited for, at each step."""

    def digest(self, tag: Tag) -> str:
        """Return the digest behind a tag, sha256: and 64 hex digits.

        Raises:
            RegistryError: it cannot be reached, does not let everybody read, or has no such tag.
        """
        try:
            return self._digest(tag)
        except ValueError as error:
            msg = f"no address to ask at: {error}"
            raise RegistryError(msg) from None

    def _digest(self, tag: Tag) -> str:
        # Docker Hub counts a GET as a pull, a HEAD not.
        answer = self._manifest(tag, "HEAD")
        given = answer.headers.get("Docker-Content-Digest", "")
        if _is_manifest(answer) and DIGEST.fullmatch(given):
            return given
        answer = self._manifest(tag, "GET")
        # The log-in page of a proxy has a hash as well.
        if not _is_manifest(answer) or not isinstance(_parsed(answer.body), dict):
            kind = answer.headers.get("Content-Type", "nothing that says what it is")
            msg = f"no digest from {tag.registry}, and no manifest to make it from: {kind}"
            raise RegistryError(msg)
        return f"sha256:{hashlib.sha256(answer.body).hexdigest()}"

    def _manifest(self, tag: Tag, method: str) -> _Answer:
        url = f"{self._address(tag)}/v2/{quote(tag.repository)}/manifests/{quote(tag.tag)}"
        answer = self._ask(url, tag, method=method)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = self._ask(url, tag, method=method, token=self._token(answer, tag))
        if answer.status != HTTPStatus.OK:
            raise _refused(answer.status, tag)
        return answer

    def _address(self, tag: Tag) -> str:
        local = urlsplit(f"//{tag.registry}").hostname in LOOPBACK
        host = DOCKER_HUB_HOST if tag.registry == DOCKER_HUB else tag.registry
        return self.addresses.get(tag.registry, f"{'http' if local else 'https'}://{host}")

    def _token(self, refused: _Answer, tag: Tag) -> str:
        """Return the token that everybody gets who may read; the registry says where."""
        scheme, _, challenge = refused.headers.get("WWW-Authenticate", "").partition(" ")
        given = dict(PARAMETER.findall(challenge))
        realm = given.get("realm")
        if scheme.lower() != "bearer" or not realm:
            raise _refused(refused.status, tag)
        asked = {"scope": f"repository:{tag.repository}:pull"}
        asked |= {name: given[name] for name in ("service", "scope") if name in given}
        joint = "&" if urlsplit(realm).query else "?"
        answer = self._ask(f"{realm}{joint}{urlencode(asked)}", tag)
        if answer.status != HTTPStatus.OK:
            raise _refused(answer.status, tag)
        said = _parsed(answer.body)
        token = said.get("token") or said.get("access_token") if isinstance(said, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            msg = f"no token from {urlsplit(realm).hostname}, which {tag.registry} sends readers to"
            raise RegistryError(msg)
        return token

    def _ask(self, url: str, tag: Tag, *, method: str = "GET", token: str = "") -> _Answer:
        local = urlsplit(self._address(tag)).hostname in LOOPBACK
        _check_encrypted(url, local=local)
        request = Request(url, method=method, headers={"Accept": ", ".join(MANIFESTS)})  # noqa: S310 - just checked
        if token:  # not for whom the registry redirects to
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with build_opener(_Redirects(local=local)).open(request, timeout=self.timeout_s) as got:
                body = got.read(LARGEST_BYTES + 1)
                return _Answer(status=got.status, headers=got.headers, body=body)
        except HTTPError as error:
            with error:
                return _Answer(status=error.code, headers=error.headers, body=b"")
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            msg = f"no answer from {urlsplit(url).netloc}: {reason or type(error).__name__}"
            raise RegistryError(msg) from None


class _Redirects(HTTPRedirectHandler):
    """Follows a registry to where it keeps its manifests, as long as nobody can listen."""

    def __init__(self, *, local: bool) -> None:
        self._local = local

    def redirect_request(  # noqa: PLR0917 - as in its base
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        _check_encrypted(newurl, local=self._local)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_encrypted(url: str, *, local: bool) -> None:
    parts = urlsplit(url)
    plain = local and parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts.scheme != "https" and not plain:
        msg = f"the address {parts.scheme}://{parts.netloc}, which is not asked: HTTPS only"
        raise RegistryError(msg)


def _refused(status: int, tag: Tag) -> RegistryError:
    meaning = MEANINGS.get(status, "it has a problem")
    return RegistryError(f"{status} from {tag.registry} for {tag.repository}:{tag.tag}: {meaning}")


def _is_manifest(answer: _Answer) -> bool:
    return answer.headers.get_content_type() in MANIFESTS


def _parsed(body: bytes) -> object:
    """Return what JSON says; None for what is no JSON, one that was cut off or is too long included."""
    if len(body) > LARGEST_BYTES:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
