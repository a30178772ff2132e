"""Where the engine reads weights from."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.numbers import COMMIT, SHA256, Count, Declared, DnsLabel, Text

S3_URI = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/\S+$"
ABSOLUTE = r"^/\S+$"


class HubSource(Declared):
    """The model hub, at the declared revision; downloaded at each start of a pod."""

    kind: Literal["hub"]


class S3Source(Declared):
    """A bucket, streamed into the GPU's memory (vLLM's runai_streamer); nothing is kept on disk."""

    kind: Literal["s3"]
    uri: Annotated[str, Field(pattern=S3_URI)]
    """Folder of the weights, e.g. s3://models/qwen3-8b/b968826."""
    concurrency: Count = 16
    """Files read at once."""


class StoreSource(Declared):
    """The stack's own bucket (target.model_store): filled once a revision, checked, then streamed."""

    kind: Literal["store"]
    manifest_sha256: Annotated[str, Field(pattern=SHA256)]
    """SHA-256 of the manifest: a line of `<sha256>  <file>` for each file, by name; what differs from
    it is never served."""
    filled_from: Literal["hub", "elsewhere"] = "hub"
    """hub: a job downloads the declared revision; elsewhere: somebody copies it, the job only checks."""
    concurrency: Count = 16
    """Files read at once."""


class VolumeSource(Declared):
    """A volume that holds the weights, mounted read-only."""

    kind: Literal["volume"]
    claim: DnsLabel
    """PersistentVolumeClaim in the stack's namespace, readable from every node of the pool."""
    path: Annotated[str, Field(pattern=ABSOLUTE)]
    """Folder of the weights in the volume, from its root: /qwen3-8b."""


class ImageSource(Declared):
    """A folder in the engine's own image."""

    kind: Literal["image"]
    path: Annotated[str, Field(pattern=ABSOLUTE)]
    """Absolute path in the image."""


Source = Annotated[
    HubSource | S3Source | StoreSource | VolumeSource | ImageSource, Field(discriminator="kind")
]


class Adapter(Declared):
    """A LoRA adapter: clients ask for it by its name as if it were a model."""

    name: DnsLabel
    """Name under which clients ask for it."""
    id: Text
    """Repository on the model hub, or an absolute path where the weights come from a volume or image."""
    revision: Annotated[str, Field(pattern=COMMIT)] | None = None
    """Commit of the repository; needed for one."""
