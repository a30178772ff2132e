"""Runs in a pod: fills a model's folder in the bucket, or checks it; nothing else is ever served.

It runs with the Python of the engine's image, which has boto3 and huggingface_hub, and is mounted with
manifest.py and remote.py as they stand here. An object is never overwritten: S3 shows an object only when it is whole, so what is
there is either what this wrote before it was interrupted, or somebody else's.
"""

import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from components.model_store.manifest import (
    MANIFEST,
    RefusedError,
    changes,
    file_sha256,
    manifest,
    text_sha256,
)
from components.model_store.remote import Hub, Store

REFUSED = 3
"""Exit code of what another try cannot mend; the Job gives up on it at once."""


def fill(store: Store, hub: Hub, declared: str, *, at_once: int) -> None:
    """Fill a folder from the hub, or check the one that is whole already.

    `declared` is the SHA-256 of the manifest. Nothing is uploaded before the hub's list has it, and no
    file that is not as that list says; the manifest comes last. What was uploaded before an
    interruption is read, compared, and left as it is.

    Raises:
        RefusedError: hub or bucket hold something else.
    """
    there = store.names()
    if MANIFEST in there:
        check(store, declared, at_once=at_once)
        return
    digests = {file.name: file.sha256 or _fetched_sha256(hub, file.name) for file in hub.files()}
    text = manifest(digests)
    if text_sha256(text) != declared:
        raise RefusedError(_other_manifest("the hub", text, declared))
    if foreign := sorted(there - set(digests)):
        message = f"{store.address} has {', '.join(foreign)}, of which the manifest knows nothing"
        raise RefusedError(message)
    _same(store, {name: digests[name] for name in there}, at_once=at_once)
    for name in sorted(set(digests) - there):
        _copy(store, hub, name, digests[name])
    store.add_text(MANIFEST, text)
    say(f"filled {store.address}: {len(digests) - len(there)} files of {len(digests)}")


def check(store: Store, declared: str, *, at_once: int) -> None:
    """Read every object of a folder and compare.

    Raises:
        RefusedError: the folder is empty, or its manifest is not the declared one.
    """
    there = store.names()
    names = sorted(there - {MANIFEST})
    if not names:
        message = f"nothing is in {store.address}: copy the files of the revision there"
        raise RefusedError(message)
    digests = _digests(store, names, at_once=at_once)
    text = manifest(digests)
    if text_sha256(text) == declared:
        say(f"{store.address} is as declared: {len(digests)} files")
        return
    known = store.text(MANIFEST) if MANIFEST in there else ""
    if text_sha256(known) == declared:
        raise RefusedError(f"{store.address} was changed: " + "; ".join(changes(known, digests)))
    raise RefusedError(_other_manifest(store.address, text, declared))


def _fetched_sha256(hub: Hub, name: str) -> str:
    path = hub.fetch(name)
    try:
        return file_sha256(path)
    finally:
        path.unlink()


def _copy(store: Store, hub: Hub, name: str, digest: str) -> None:
    path = hub.fetch(name)
    try:
        if (found := file_sha256(path)) != digest:
            message = f"the hub sent {name} with SHA-256 {found}, and lists it with {digest}"
            raise RefusedError(message)
        store.add(name, path)
    finally:
        path.unlink()
    say(f"uploaded {name}")


def _same(store: Store, expected: Mapping[str, str], *, at_once: int) -> None:
    found = _digests(store, sorted(expected), at_once=at_once)
    for name, digest in expected.items():
        if found[name] != digest:
            message = f"{store.address}/{name} has SHA-256 {found[name]}, the hub's has {digest}"
            raise RefusedError(message)


def _digests(store: Store, names: list[str], *, at_once: int) -> dict[str, str]:
    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip(names, pool.map(store.sha256, names), strict=True))


def _other_manifest(where: str, text: str, declared: str) -> str:
    return (
        f"{text}{where} has the files above, with manifest_sha256 {text_sha256(text)}; declared is"
        f" {declared}. Nothing was uploaded. If these are the files that you want, declare that one"
    )


def say(text: str) -> None:
    """Write a line to the log of the pod."""
    print(text, flush=True)  # noqa: T201


def main(environment: Mapping[str, str]) -> int:
    """Return 0 if the folder is as declared, REFUSED if it cannot be, 1 where another try may help."""
    declared, at_once = environment["MANIFEST_SHA256"], int(environment["FILES_AT_ONCE"])
    try:
        store = Store(environment["BUCKET"], environment["FOLDER"])
        if environment["FILLED_FROM"] == "elsewhere":
            check(store, declared, at_once=at_once)
            return 0
        scratch = Path(environment["SCRATCH"])
        limit_bytes = int(environment["SCRATCH_GIB"]) * 2**30
        hub = Hub(
            environment["REPOSITORY"],
            environment["REVISION"],
            scratch,
            limit_bytes=limit_bytes,
            endpoint=environment.get("HF_ENDPOINT"),
        )
        fill(store, hub, declared, at_once=at_once)
    except RefusedError as error:
        say(f"refused: {error}")
        return REFUSED
    except Exception as error:  # noqa: BLE001 - of boto3 or the hub's client: the pod's log says it, the Job tries again
        say(f"failed: {error!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
