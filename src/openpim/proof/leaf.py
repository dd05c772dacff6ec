"""The bytes of an event in the log: canonical JSON (RFC 8785), so that anybody can make them again in any language.

Keys in order, no blanks, UTF-8, the shortest escapes; texts, whole numbers, lists and objects only. Two different events
never have the same bytes. `v` names the form; what an event does not have is left out, so that a property that is added
later leaves the bytes of older events as they are. docs/explanation/audit-log.md lists the properties.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def canonical(value: dict[str, Any]) -> bytes:
    """Its bytes. value: texts, whole numbers, None, lists and objects whose keys are ASCII."""
    return _encode(value).encode("utf-8")
