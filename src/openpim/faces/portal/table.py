"""The one table of pages and forms: path, method, handler, and who may ask. Routing and the tests' authorization table
read it, so a page cannot exist without a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from openpim.faces.portal.call import Answer, Call

Handler: TypeAlias = Callable[[Call], Answer]

# Who may ask. What he then sees, and may do, is decided by the acts.
SIGNED_IN = "signed in"


@dataclass(frozen=True, slots=True)
class Page:
    """path: `{names}` match one segment. A POST is a form: it carries the session's token and comes from our pages, and
    has at most `largest` bytes, files included (which a handler that does not look for them never sees). waits: for
    somebody else's server. streams: answers by a `Stream`, for which everything is read anew as long as it lasts."""

    method: str
    path: str
    handler: Handler
    who: str = SIGNED_IN
    largest: int = 256 * 1024
    waits: bool = False
    streams: bool = False
