"""The portal's own files (one style sheet, one module, one sheet of icons), at an address that changes with them: so
browsers may keep them for ever.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes
    media_type: str


def _load() -> dict[str, _File]:
    found = {}
    for entry in (files("openpim.faces.portal") / "static").iterdir():
        suffix = entry.name.rpartition(".")[2]
        if suffix in _TYPES:
            body = entry.read_bytes()
            found[entry.name] = _File(body, gzip.compress(body, 9, mtime=0), _TYPES[suffix])
    return found


_FILES = _load()
VERSION = hashlib.sha256(b"".join(_FILES[name].plain for name in sorted(_FILES))).hexdigest()[:16]
BASE = f"/portal/static/{VERSION}"


async def endpoint(request: Request) -> Response:
    """GET /portal/static/{version}/{name}. An older version's address gives the present file, not to be kept."""
    file = _FILES.get(request.path_params["name"])
    if file is None:
        return Response(status_code=404, headers={"X-Content-Type-Options": "nosniff"})
    current = request.path_params["version"] == VERSION
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.plain, media_type=file.media_type, headers=headers)
