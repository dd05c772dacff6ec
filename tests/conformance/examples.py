"""The documented examples of Graph's own pages, made ready to be sent to a server of ours.

The texts are not part of this project. They lie beside a clone of it (`../shared/wire/data/graph/examples`) where it
is developed; elsewhere the tests that need them are skipped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.live.server import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = REPOSITORY.parent / "shared" / "wire" / "data" / "graph" / "examples"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
INSTANCE = re.compile(r"[A-Za-z0-9_-]{43,64}-[12](-e)?\b")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
IN_SCOPE = (
    "rolemanagement/directory", "policies/rolemanagement", "auditlogs/directoryaudits", "privilegedaccess/group",
)  # fmt: skip


def _declared() -> frozenset[str]:
    """The names of all members that Graph's types declare: an answer may show more of them than a page does."""
    found: set[str] = set()
    for file in FOLDER.parent.glob("*.csdl.xml") if FOLDER.is_dir() else ():
        found |= set(re.findall(r'<(?:Navigation)?Property Name="([^"]+)"', file.read_text("utf-8")))
    return frozenset(found)


MEMBERS = _declared()


@dataclass(frozen=True)
class Example:
    name: str
    method: str
    url: str
    body: Any
    status: int
    answer: Any = field(hash=False, compare=False)


def examples() -> Iterator[Example]:
    """Those of directory roles, groups, policies and audits. name: file#number."""
    for version in ("v1.0", "beta", "groups"):
        for file in sorted((FOLDER / version).glob("*.json")) if FOLDER.is_dir() else ():
            for number, pair in enumerate(json.loads(file.read_text("utf-8"))["pairs"], 1):
                asked, answered = pair["request"], pair["response"] or {}
                url = unquote(asked["url"]).split(".com", 1)[-1]
                if any(part in url.lower() for part in IN_SCOPE):
                    yield Example(
                        f"{version}/{file.stem}#{number}",
                        asked["method"],
                        url,
                        asked["body"],
                        answered.get("status", 200),
                        answered.get("body"),
                    )


def moved(body: Any, now: datetime) -> Any:
    """Dates of years ago, moved so that the earliest is now."""
    text = json.dumps(body)
    found = sorted({match.group() for match in MOMENT.finditer(text)})
    if not found:
        return body

    def parsed(moment: str) -> datetime:
        return datetime.fromisoformat(moment[:19] + "+00:00")

    shift = now - parsed(found[0])
    for each in found:
        later = parsed(each) + shift
        text = text.replace(each, later.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return json.loads(text)


# ---------------------------------------------------------------- shapes


def differences(documented: Any, ours: Any, path: str = "") -> list[str]:
    """Where the documented answer and ours differ in members or types. null fits every type; a list is compared item
    by item with the item of ours of the same id or type."""
    if documented is None or ours is None:
        return []
    if isinstance(documented, dict):
        if not isinstance(ours, dict):
            return [f"{path}: {type(ours).__name__}, documented an object"]
        found = [f"{path}.{name}: missing" for name in documented if name not in ours]
        found += [f"{path}.{name}: not documented" for name in ours if name not in documented]
        for name in documented.keys() & ours.keys():
            if name == "@odata.context":
                found += _contexts(documented[name], ours[name], path)
            else:
                found += differences(documented[name], ours[name], f"{path}.{name}")
        return found
    if isinstance(documented, list):
        if not isinstance(ours, list):
            return [f"{path}: {type(ours).__name__}, documented a list"]
        found = [f"{path}: empty"] if documented and not ours and isinstance(documented[0], dict) else []
        for item in documented:
            twin = _twin(item, ours)
            if twin is not None:
                found += differences(item, twin, f"{path}[]")
        return list(dict.fromkeys(found))
    if isinstance(documented, bool) != isinstance(ours, bool) or (
        isinstance(documented, str) != isinstance(ours, str)
    ):
        return [f"{path}: {ours!r}, documented {documented!r}"]
    return []


def _twin(item: Any, ours: list[Any]) -> Any:
    if not ours or not isinstance(item, dict):
        return ours[0] if ours else None
    for key in ("id", "@odata.type", "type"):
        for each in ours:
            if key in item and isinstance(each, dict) and each.get(key) == item[key]:
                return each
    if "@odata.type" in item:
        return None
    principal = item.get("principal")
    if isinstance(principal, dict) and "@odata.type" in principal:
        wanted = principal["@odata.type"]
        return next(
            (each for each in ours if (each.get("principal") or {}).get("@odata.type") == wanted), None
        )
    for key in ("principalId", "appScopeId"):
        if item.get(key):
            return next((each for each in ours if each.get(key)), None)
    return ours[0]


def _contexts(documented: str, ours: str, path: str) -> list[str]:
    def form(context: str) -> str:
        fragment = context.split("$metadata#", 1)[-1]
        fragment = re.sub(r"\('[^']*'\)", "('x')", fragment)
        return fragment.replace(" ", "").lower().replace("microsoft.graph.", "").removesuffix("#")

    if form(documented) == form(ours):
        return []
    return [
        f"{path}.@odata.context: {ours.rsplit('$metadata#', maxsplit=1)[-1]!r}, documented {documented.rsplit('$metadata#', maxsplit=1)[-1]!r}"
    ]
