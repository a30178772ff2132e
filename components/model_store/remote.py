"""Runs in the pod of prefetch.py: the bucket and the model hub, by the clients of the engine's image.

Both clients are looked up when they are used: this project does not install them.
"""

import importlib
from pathlib import Path
from typing import Any, NamedTuple

from components.model_store.manifest import CHUNK_BYTES, RefusedError, is_weights, sha256


class HubFile(NamedTuple):
    """A file of a revision, as the hub lists it."""

    name: str
    size: int
    sha256: str | None
    """None of a small file, which is no LFS object."""


class Store:
    """A model's folder in the bucket."""

    def __init__(self, bucket: str, folder: str) -> None:
        self._s3 = importlib.import_module("boto3").client("s3")
        self._bucket, self._prefix = bucket, f"{folder}/"
        self.address = f"s3://{bucket}/{folder}"

    def names(self) -> frozenset[str]:
        """Return the names of all objects; the consoles' marks of empty folders are none."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix
        )
        found = (each["Key"] for page in pages for each in page.get("Contents", ()))
        return frozenset(key.removeprefix(self._prefix) for key in found if not key.endswith("/"))

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of an object, read whole: what S3 says of it is not asked."""
        return sha256(self._body(name).iter_chunks(CHUNK_BYTES))

    def text(self, name: str) -> str:
        """Return an object as text."""
        return str(self._body(name).read().decode("utf-8", "replace"))

    def _body(self, name: str) -> Any:
        return self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]

    def add(self, name: str, path: Path) -> None:
        """Upload a file; S3 checks what arrives, as it must where objects are locked."""
        checked = {"ChecksumAlgorithm": "SHA256"}
        self._s3.upload_file(str(path), self._bucket, self._prefix + name, ExtraArgs=checked)

    def add_text(self, name: str, text: str) -> None:
        """Write a small object."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=self._prefix + name,
            Body=text.encode(),
            ChecksumAlgorithm="SHA256",
        )


class Hub:
    """A revision on the model hub."""

    def __init__(
        self,
        repository: str,
        revision: str,
        scratch: Path,
        *,
        limit_bytes: int,
        endpoint: str | None = None,
    ) -> None:
        self._hub = importlib.import_module("huggingface_hub").HfApi(endpoint=endpoint)
        self._repository, self._revision = repository, revision
        self._scratch, self._limit_bytes = scratch, limit_bytes

    def files(self) -> list[HubFile]:
        """Return the files of the revision.

        Raises:
            RefusedError: one of them is larger than the scratch space.
        """
        info = self._hub.model_info(self._repository, revision=self._revision, files_metadata=True)
        found = [
            HubFile(each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else None)
            for each in info.siblings
            if is_weights(each.rfilename)
        ]
        for file in found:
            if file.size > self._limit_bytes:
                message = (
                    f"{file.name} has {file.size} bytes, the job's scratch space {self._limit_bytes}:"
                    " raise target.system_nodes.disk_gib, or fill the store from elsewhere"
                )
                raise RefusedError(message)
        return found

    def fetch(self, name: str) -> Path:
        """Return a file of the revision, downloaded; the caller deletes it."""
        found = self._hub.hf_hub_download(
            self._repository, name, revision=self._revision, local_dir=str(self._scratch)
        )
        return Path(found)
