"""A Service at a loopback port: each connection goes to one of its ready pods, as kube-proxy would."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.dataplane.process_node.watch import Watch
from tests.engine.kubernetes_api import KubernetesApi
from tests.threads import event_loop

LOOPBACK = "127.0.0.1"
PIECE_BYTES = 1 << 16
LISTED_S = 10


class ServicePort:
    """Made by `service_port`."""

    def __init__(self, port: int, watch: Watch) -> None:
        self.port = port
        self._watch = watch
        self._turns = itertools.count()
        self._carried: set[asyncio.Task[None]] = set()

    def addresses(self) -> list[str]:
        """Return the addresses of the ready pods."""
        return sorted(
            address
            for found in self._watch.objects()
            for endpoint in found.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready") is not False
            for address in endpoint["addresses"]
        )

    def begin(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection, until it or this ends."""
        task = asyncio.get_running_loop().create_task(self._carry(client, back))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def close(self, server: asyncio.Server) -> None:
        """Take no more connections, and break those there are."""
        server.close()
        for task in (carried := list(self._carried)):
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)

    async def _carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if not (addresses := self.addresses()):
            back.transport.abort()
            return
        chosen = addresses[next(self._turns) % len(addresses)]
        try:
            pod, forth = await asyncio.open_connection(chosen, self.port)
        except OSError:
            back.transport.abort()
            return
        with contextlib.closing(back), contextlib.closing(forth):
            await asyncio.gather(_copy(client, forth), _copy(pod, back))


@contextmanager
def service_port(api: KubernetesApi, namespace: str, service: str, port: int) -> Iterator[str]:
    """Yield `127.0.0.1:PORT`, which leads to that port of a Service's pods; there must be some."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    watch = Watch(
        api, f"{path}?labelSelector=kubernetes.io/service-name%3D{service}", lambda *_: None
    )
    carrier = ServicePort(port, watch)
    with contextlib.closing(watch), event_loop(f"service {service}") as loop:
        begun = asyncio.start_server(carrier.begin, LOOPBACK, 0)
        server = asyncio.run_coroutine_threadsafe(begun, loop).result()
        try:
            _wait_for_pods(carrier)
            yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        finally:
            asyncio.run_coroutine_threadsafe(carrier.close(server), loop).result()


def _wait_for_pods(carrier: ServicePort) -> None:
    deadline = time.monotonic() + LISTED_S
    while not carrier.addresses():
        if time.monotonic() > deadline:
            raise AssertionError(f"no pod is ready behind the Service after {LISTED_S} s")
        time.sleep(0.05)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the end; what breaks on one side breaks on the other."""
    try:
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
    except OSError:
        target.transport.abort()
