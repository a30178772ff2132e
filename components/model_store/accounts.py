"""Whose pods read the model store, and whose fill it. Pure."""

from stacks.sources import StoreSource
from stacks.stack import ServedModel, Stack


def prefetch_name(model: ServedModel) -> str:
    """Return the name of what fills or checks a model's folder; its service account has it too."""
    return f"{model.name}-weights"


def folder(model: ServedModel) -> str:
    """Return the folder of a model's weights in the bucket: another one for each revision."""
    return f"{model.name}/{model.weights.revision}"


def writers(stack: Stack) -> tuple[str, ...]:
    """Return the service accounts that add to the store: jobs that fill it from the hub."""
    return tuple(prefetch_name(model) for model in stack.models if _filled_here(model))


def readers(stack: Stack) -> tuple[str, ...]:
    """Return the service accounts that only read: engines, and jobs that only check."""
    stored = [m for m in stack.models if isinstance(m.serving.source, StoreSource)]
    checkers = [prefetch_name(model) for model in stored if not _filled_here(model)]
    return (*(model.name for model in stored), *checkers)


def _filled_here(model: ServedModel) -> bool:
    source = model.serving.source
    return isinstance(source, StoreSource) and source.filled_from == "hub"
