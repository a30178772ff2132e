"""Servers of the tests on threads of their own, ended with the block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


@contextmanager
def event_loop(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """Yield a loop that runs; leave nothing running on it when the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serve, and yield the URL."""
    # Its own half a second would be waited for at each end.
    quick = {"poll_interval": 0.02}
    threading.Thread(target=server.serve_forever, kwargs=quick, daemon=True).start()
    try:
        yield f"http://{server.server_address[0]!s}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
