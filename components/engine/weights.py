"""Where an engine reads its weights and adapters, from the declared source. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.model_store.accounts import folder
from stacks.errors import Place, Problem
from stacks.sources import (
    Adapter,
    HubSource,
    ImageSource,
    S3Source,
    Source,
    StoreSource,
    VolumeSource,
)
from stacks.stack import ServedModel
from stacks.target import Render, Target

VOLUME: Final = "/models-volume"
"""Where the volume of the weights is mounted, read-only."""
ADAPTERS: Final = "/models/adapters"
"""Where adapters from the hub are put before the engine starts, on the pod's own volume."""
PLACEHOLDER_MANIFEST: Final = 64 * "0"
HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A repository of the hub that is fetched at its commit before the engine starts."""

    repository: str
    revision: str
    folder: str
    """Where its files go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineWeights:
    """What the engine's command line and its pod say about the weights."""

    model: str
    """The model argument: a repository, an address in a bucket, or a path in the container."""
    revision: str | None
    """Commit of the repository; None where the address itself says which weights."""
    load_format: str | None = None
    """How weights are read; None lets vLLM see."""
    loader_config: str | None = None
    """Further options of that loader, as JSON."""
    claim: str | None = None
    """PersistentVolumeClaim that is mounted at VOLUME."""
    lora_modules: tuple[str, ...] = ()
    """The adapters, each as JSON."""
    downloads: tuple[Download, ...] = ()
    """Adapters that are fetched first."""

    @property
    def offline(self) -> bool:
        """Whether the hub is never asked: a name that is missing must fail, not be downloaded."""
        return self.revision is None


def engine_weights(model: ServedModel, model_store: str | None) -> EngineWeights:
    """Return where the weights and adapters of a model come from; see `check_weights`.

    `model_store` is the name of the stack's bucket, where it has one.
    """
    source, weights = model.serving.source, model.weights
    modules = tuple(_module(adapter, model) for adapter in model.serving.adapters)
    match source:
        case HubSource():
            return EngineWeights(
                model=weights.id,
                revision=weights.revision,
                lora_modules=modules,
                downloads=_downloads(model),
            )
        case S3Source() | StoreSource():
            return EngineWeights(
                model=_bucket_folder(model, source, model_store),
                revision=None,
                load_format="runai_streamer",
                loader_config=_json({"concurrency": source.concurrency}),
                lora_modules=modules,
            )
        case VolumeSource():
            return EngineWeights(
                model=VOLUME + source.path,
                revision=None,
                claim=source.claim,
                lora_modules=modules,
            )
        case ImageSource():
            return EngineWeights(model=source.path, revision=None, lora_modules=modules)


def check_weights(model: ServedModel, place: Place) -> Iterator[Problem]:
    """Yield what does not go together in the weights of a model; `place` is that of the model."""
    weights, source = model.weights, model.serving.source
    on_the_hub = isinstance(source, HubSource)
    filled = isinstance(source, StoreSource) and source.filled_from == "hub"
    if (on_the_hub or filled) and not HUB_ID.fullmatch(weights.id):
        yield place.at("weights.id").problem(
            found=weights.id,
            allowed="owner/name on the model hub, where the weights come from there",
            remedy="name the repository; for weights that lie elsewhere declare where: "
            "serving.source: {kind: image, path: /models/...}, or a volume, or s3, or the stack's store",
        )
    for index, adapter in enumerate(model.serving.adapters):
        here = place.at(f"serving.adapters[{index}].id")
        if adapter.id.startswith("/"):
            continue
        if not on_the_hub:
            yield here.problem(
                found=f"{adapter.id}, with serving.source.kind: {source.kind}",
                allowed="an absolute path: this engine never asks the hub",
                remedy="put the adapter beside the weights, in the volume or the image",
            )
        elif not HUB_ID.fullmatch(adapter.id):
            yield here.problem(
                found=adapter.id,
                allowed="owner/name on the model hub, or an absolute path in the image",
                remedy="name the adapter's repository",
            )


def manifest_problem(source: Source, place: Place, target: Target) -> Problem | None:
    """Return what is wrong with a manifest that nobody has computed yet; None on a target that only renders.

    `place` is that of the source.
    """
    if not isinstance(source, StoreSource) or isinstance(target, Render):
        return None
    if source.manifest_sha256 != PLACEHOLDER_MANIFEST:
        return None
    return place.at("manifest_sha256").problem(
        found="zeros, which stand for a manifest",
        allowed="the SHA-256 of the manifest of the revision's files",
        remedy="hf download OWNER/NAME --revision COMMIT --local-dir FOLDER, then "
        "python tools/manifest.py FOLDER prints it",
    )


def _bucket_folder(
    model: ServedModel, source: S3Source | StoreSource, model_store: str | None
) -> str:
    if isinstance(source, S3Source):
        return source.uri
    assert model_store, "the stack was refused without a store"  # noqa: S101
    return f"s3://{model_store}/{folder(model)}"


def _downloads(model: ServedModel) -> tuple[Download, ...]:
    return tuple(
        Download(repository=a.id, revision=a.revision, folder=_folder(a, model))
        for a in model.serving.adapters
        if a.revision and not a.id.startswith("/")
    )


def _module(adapter: Adapter, model: ServedModel) -> str:
    # JSON and not name=path, which vLLM takes apart at commas and which cannot name the base model.
    return _json(
        {"name": adapter.name, "path": _folder(adapter, model), "base_model_name": model.name}
    )


def _folder(adapter: Adapter, model: ServedModel) -> str:
    # vLLM 0.33.0 downloads an adapter without a revision (get_adapter_absolute_path), so that what
    # is served could change under its name; it is given a folder that was filled at the commit.
    if not adapter.id.startswith("/"):
        return f"{ADAPTERS}/{adapter.name}"
    in_volume = isinstance(model.serving.source, VolumeSource)
    return VOLUME + adapter.id if in_volume else adapter.id


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
