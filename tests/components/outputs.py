"""The values of Pulumi's outputs, without an engine."""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi


def resolved(make: Callable[[], Any]) -> Any:
    """Return the value of the input or output that `make` returns.

    On a loop of its own: asyncio.run would leave the thread without one, and other tests need it.
    """

    async def value() -> Any:
        return await pulumi.Output.from_input(make()).future()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(value())
    finally:
        loop.close()
