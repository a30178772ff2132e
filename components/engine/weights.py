"""Where an engine reads its weights and adapters, from the declared source. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stacks.errors import Place, Problem
from stacks.sources import Adapter, HubSource, ImageSource, S3Source, VolumeSource
from stacks.stack import ServedModel

VOLUME: Final = "/models-volume"
"""Where the volume of the weights is mounted, read-only."""
ADAPTERS: Final = "/models/adapters"
"""Where adapters from the hub are put before the engine starts, on the pod's own volume."""
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


def engine_weights(model: ServedModel) -> EngineWeights:
    """Return where the weights and adapters of a model come from; see `check_weights`."""
    source, weights = model.serving.source, model.weights
    adapters = model.serving.adapters
    modules = tuple(_module(adapter, model) for adapter in adapters)
    downloads = tuple(
        Download(repository=a.id, revision=a.revision, folder=_folder(a, model))
        for a in adapters
        if a.revision and not a.id.startswith("/")
    )
    match source:
        case HubSource():
            return EngineWeights(
                model=weights.id,
                revision=weights.revision,
                lora_modules=modules,
                downloads=downloads,
            )
        case S3Source():
            return EngineWeights(
                model=source.uri,
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
    if on_the_hub and not HUB_ID.fullmatch(weights.id):
        yield place.at("weights.id").problem(
            found=weights.id,
            allowed="owner/name on the model hub, where serving.source is the hub",
            remedy="name the repository; for weights that lie elsewhere declare where: "
            "serving.source: {kind: image, path: /models/...}, or a volume, or s3",
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
