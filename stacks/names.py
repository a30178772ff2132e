"""Names that a model cannot have, because something else in its namespace is called so."""

from collections.abc import Iterator, Sequence
from typing import Final

from stacks.errors import ContradictionError

PARTS: Final = frozenset(
    {
        "gateway",
        "gateway-limits",
        "gateway-counters",
        "gateway-tls",
        "otel-collector",
        "prometheus",
        "langfuse",
        "langfuse-web",
        "langfuse-worker",
        "langfuse-postgres",
        "langfuse-clickhouse",
        "langfuse-cache",
        "langfuse-blobs",
        "langfuse-prices",
        "breakeven-dashboard",
        "engine-key",
        "hub-token",
        "network",
        "default",  # the account that Kubernetes makes in every namespace
    }
)
"""Parts of a stack, their Secrets and what Kubernetes makes; all are kept free, deployed or not."""


def name_problems(names: Sequence[str]) -> Iterator[ContradictionError]:
    """Yield what is wrong with the names of a stack's models, in their order."""
    others = {f"{name}-router": f"the router of {name}" for name in names}
    others |= {f"{name}-weights": f"the prefetch of {name}" for name in names}
    for index, name in enumerate(names):
        taken = others.get(name, "")
        taken = "a part of every stack" if name in PARTS else taken
        if taken:
            yield ContradictionError(
                field=f".models[{index}].name",
                found=f"{name}, which is the name of {taken}",
                allowed="a name that no other object of the namespace has",
                remedy="rename the model; clients may keep the name as one of serving.aliases",
            )
