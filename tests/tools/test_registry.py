import pytest

from tests.tools.stand_in_registry import TOKEN, StandIn
from tools.registry import Registries, RegistryError, Tag, tag_of

BEARER = 'Bearer realm="{address}/token",service="registry.example"'
REDIS = Tag(registry="docker.io", repository="library/redis", tag="7")


def ask(registry: StandIn, tag: Tag = REDIS, timeout_s: float = 5) -> str:
    asked = Registries(addresses={tag.registry: registry.address}, timeout_s=timeout_s)
    return asked.digest(tag)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("redis:7", ("docker.io", "library/redis", "7")),
        ("prom/prometheus:v3.9.1", ("docker.io", "prom/prometheus", "v3.9.1")),
        ("docker.io/redis:7", ("docker.io", "library/redis", "7")),
        ("ghcr.io/org/app:1", ("ghcr.io", "org/app", "1")),
        ("quay.io/org/team/app:1", ("quay.io", "org/team/app", "1")),
        ("localhost:5000/app:1", ("localhost:5000", "app", "1")),
        ("localhost/app:1", ("localhost", "app", "1")),
    ],
)
@pytest.mark.parametrize("digest", ["", "@sha256:" + 64 * "0"])
def test_an_image_says_whom_to_ask_for_what(image, expected, digest):
    name, repository, tag = expected
    assert tag_of(image + digest) == Tag(registry=name, repository=repository, tag=tag)


@pytest.mark.parametrize("image", ["redis", "ghcr.io/org/app", "localhost:5000/app"])
def test_an_image_without_a_tag_cannot_be_asked_for(image):
    assert tag_of(f"{image}@sha256:{64 * '0'}") is None


@pytest.mark.parametrize("challenge", [None, BEARER, BEARER.replace("Bearer", "bearer")])
def test_the_digest_is_that_of_the_manifest_and_only_its_head_is_asked_for(registry, challenge):
    digest = registry.serve("library/redis:7")
    registry.challenge = challenge

    assert ask(registry) == digest
    manifest = ("HEAD", "/v2/library/redis/manifests/7")
    assert registry.asked == ([manifest, ("GET", "/token"), manifest] if challenge else [manifest])


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ("", "repository:library/redis:pull"),
        (',scope="repository:else:pull"', "repository:else:pull"),
    ],
)
def test_a_token_is_asked_for_what_the_registry_names(registry, given, scope):
    registry.serve("library/redis:7")
    registry.challenge = BEARER + given

    ask(registry)

    assert registry.scopes == [{"service": ["registry.example"], "scope": [scope]}]


@pytest.mark.parametrize("challenge", [None, BEARER])
@pytest.mark.parametrize("told", [False, "sha512:" + 128 * "0"])
def test_a_digest_that_is_not_told_is_made_from_the_manifest(registry, challenge, told):
    digest = registry.serve("library/redis:7")
    registry.tells_digest, registry.challenge = told, challenge

    assert ask(registry) == digest
    assert registry.asked[-1][0] == "GET"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"tags": {}}, "404 .*no such repository or tag"),
        ({"status": 401}, "401 .*not for everybody"),
        ({"challenge": 'Basic realm="x"'}, "401 .*not for everybody"),
        ({"challenge": BEARER, "token": "another"}, "401 .*not for everybody"),
        ({"challenge": BEARER, "token": None}, "no token from 127.0.0.1"),
        ({"challenge": BEARER, "token": "a\r\nb"}, "no token from 127.0.0.1"),
        ({"challenge": 'Bearer realm="http://example.com/token"'}, "HTTPS only"),
        ({"challenge": 'Bearer realm="file:///etc/passwd"'}, "HTTPS only"),
        ({"location": "http://example.com/"}, "HTTPS only"),
        ({"status": 403}, "403 .*not for everybody"),
        ({"status": 429}, "429 .*too often"),
        ({"status": 500}, "500 .*a problem"),
        ({"content_type": "text/html"}, "no digest .*text/html"),
        ({"tells_digest": False, "tags": {"library/redis:7": b'{"cut": '}}, "no digest"),
        ({"tells_digest": False, "tags": {"library/redis:7": b"[]"}}, "no digest"),
    ],
)
def test_whatever_is_no_digest_is_an_error_that_says_what_it_was(registry, changes, found):
    registry.serve("library/redis:7")
    for name, value in changes.items():
        setattr(registry, name, value)

    with pytest.raises(RegistryError, match=found):
        ask(registry)


def test_a_silent_registry_is_not_waited_for(registry):
    registry.delay_s = 1
    with pytest.raises(RegistryError, match=r"no answer from 127\.0\.0\.1:.*timed out"):
        ask(registry, timeout_s=0.1)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("localhost:1", "no answer from localhost:1: .*refused"),
        ("a.invalid:x", "no address|no answer"),
        ("[::1", "no address"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_a_registry_that_is_not_there_is_an_error(name, found):
    with pytest.raises(RegistryError, match=found):
        Registries(timeout_s=1).digest(Tag(registry=name, repository="app", tag="1"))


def test_a_registry_of_this_machine_needs_no_certificate(registry):
    name = registry.address.removeprefix("http://")
    digest = registry.serve("app:1")
    assert Registries(timeout_s=5).digest(Tag(registry=name, repository="app", tag="1")) == digest


def test_no_address_beyond_this_machine_is_asked_without_encryption():
    asked = Registries(addresses={"docker.io": "http://example.com"})
    with pytest.raises(RegistryError, match=r"http://example\.com.*HTTPS only"):
        asked.digest(REDIS)


def test_the_token_is_not_shown_to_whom_the_registry_sends_readers(registry):
    registry.serve("library/redis:7")
    registry.challenge = BEARER
    registry.location = f"{registry.address}/v2/elsewhere"

    with pytest.raises(RegistryError, match="401"):
        ask(registry)

    assert registry.token == TOKEN
    assert ("GET", "/v2/elsewhere") in registry.asked
