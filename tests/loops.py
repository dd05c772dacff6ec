"""One event loop for all requests of a test process, instead of a loop and its threads for each request.

Starlette's test client starts them anew for every request, which cost a third of what a request costs here. Only the
clients that are not used as context managers share it; a server in production has one loop for all requests, too.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@contextmanager
def one_loop() -> Iterator[None]:
    """While this is open, clients take the one loop; it begins with the first request."""
    started: list[BlockingPortal] = []
    own = TestClient._portal_factory
    with ExitStack() as stack:

        @contextmanager
        def shared(self: Any) -> Iterator[BlockingPortal]:
            if self.portal is None and not started:
                started.append(stack.enter_context(start_blocking_portal()))
            yield self.portal or started[0]

        TestClient._portal_factory = shared  # type: ignore[method-assign]
        try:
            yield
        finally:
            TestClient._portal_factory = own  # type: ignore[method-assign]
