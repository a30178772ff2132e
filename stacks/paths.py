"""From pydantic's location of a mistake to the place in the file, as a human writes it."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

Location = tuple[int | str, ...]


class Spot(NamedTuple):
    """A place in a declaration."""

    path: str
    """E.g. models[0].pool.replicas.max."""
    name: str
    """The last field on the way there."""
    owner: type[BaseModel] | None
    """The model that has this field."""
    expected: tuple[type[BaseModel], ...]
    """The models of which one belongs there; none where a plain value does."""


def spot(root: type[BaseModel], location: Location) -> Spot:
    """Return the place that pydantic means."""
    path, name, owner = "", "", root
    here: tuple[type[BaseModel], ...] = (root,)
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        tagged = tuple(model for model in here if len(here) > 1 and part in tags(model))
        if tagged:  # pydantic names the branch of a union; the file does not
            here = tagged
            continue
        if not here:  # a key of a free mapping; what follows are the types its value may have
            return Spot(f"{path}.{part}", name, owner, ())
        owner = next((model for model in here if part in model.model_fields), here[0])
        path, name = f"{path}.{part}" if path else part, part
        field = owner.model_fields.get(part)
        here = tuple(_models_in(field.annotation)) if field else ()
    return Spot(path, name, owner, here)


def tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """Return the kinds that tell this model from the others of its union."""
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind else ()


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, through unions, tuples and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    for argument in arguments:
        yield from _models_in(argument)
