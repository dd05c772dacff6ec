"""A User resource and the user of the directory: what of the one is kept in the other.

A provisioner's own words are kept whole (`Record.written`). On reading, each attribute that the directory has a place for is
compared: while the directory still says what the words say, the words are shown as written; where an administrator changed it
meanwhile, the directory's value is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from openpim.core.directory import fold
from openpim.core.directory_rules import USER_TEXTS, is_address, is_guid
from openpim.core.provisioning import Person, Record, upn_of
from openpim.faces.scim.models import EnterpriseUser
from openpim.services.provisioning.people import ATTRIBUTES, Wanted

Doc = dict[str, Any]
ENTERPRISE: Final = str(EnterpriseUser.__schema__)
_LONGEST: Final = {**USER_TEXTS, "job_title": 128}
_NOT_KEPT: Final = ("id", "meta", "schemas", "externalId", "password", "groups")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attribute of the directory stands in the resource. read: what the words say, None where they say nothing that
    the directory can hold. write: say it."""

    read: Callable[[Mapping[str, Any]], Any]
    write: Callable[[Doc, Any], None]


def wanted_of(doc: Doc) -> Wanted:
    """doc: a whole User resource, validated."""
    external_id = doc.get("externalId")
    written = {name: value for name, value in doc.items() if name not in _NOT_KEPT}
    values = {name: place.read(written) for name, place in PLACES.items()}
    return Wanted(user_name=doc["userName"], record=Record(external_id, written), **values)


def document_of(person: Person, domain: str) -> Doc:
    """The resource, without what the address gives (meta, schemas). domain: the organisation's default one."""
    user, record = person.user, person.record
    doc: Doc = deepcopy(dict(record.written)) if record is not None else {}
    said = doc.get("userName")
    if not isinstance(said, str) or fold(upn_of(said, domain)) != fold(user.user_principal_name):
        doc["userName"] = user.user_principal_name
    for name in ATTRIBUTES:
        place, ours = PLACES[name], getattr(user, name)
        if record is None or place.read(doc) != ours:
            place.write(doc, ours)
    doc["id"] = user.id
    if record is not None and record.external_id is not None:
        doc["externalId"] = record.external_id
    return doc


# ---------------------------------------------------------------- the places


def _plain(attribute: str, *path: str) -> _Place:
    """A text below objects that may be missing; one that is too long for the directory stays in the words alone."""
    longest = _LONGEST[attribute]

    def read(doc: Mapping[str, Any]) -> str | None:
        value = _at(doc, path)
        return value if isinstance(value, str) and value and len(value) <= longest else None

    return _Place(read, lambda doc, value: _put(doc, path, value))


def _at(doc: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = doc
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _put(doc: Doc, path: tuple[str, ...], value: Any) -> None:
    inner = doc
    for name in path[:-1]:
        if value is None and name not in inner:
            return
        inner = inner.setdefault(name, {})
    if value is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = value


def _shown_name(doc: Mapping[str, Any]) -> str:
    parts = (_at(doc, ("name", "givenName")), _at(doc, ("name", "familyName")))
    for said in (
        doc.get("displayName"),
        _at(doc, ("name", "formatted")),
        " ".join(one for one in parts if one),
    ):
        if isinstance(said, str) and said.strip() and len(said) <= 256:
            return said
    return str(doc.get("userName", ""))[:256]


def _chosen(entries: Any, *kinds: str, others: bool) -> str | None:
    """The value of the primary entry, or of the first of one of these types; others: or of the first at all."""
    found = [one for one in entries or () if isinstance(one, Mapping) and isinstance(one.get("value"), str)]
    best = [one for one in found if one.get("type") in kinds]
    if others:
        best = [*(one for one in found if one.get("primary") is True), *best, *found]
    return best[0]["value"] if best else None


def _mail(doc: Mapping[str, Any]) -> str | None:
    said = _chosen(doc.get("emails"), "work", others=True)
    return said if is_address(said) else None


def _set_mail(doc: Doc, value: str | None) -> None:
    doc.pop("emails", None)
    if value is not None:
        doc["emails"] = [{"value": value, "type": "work", "primary": True}]


def _mobile(doc: Mapping[str, Any]) -> str | None:
    said = _chosen(doc.get("phoneNumbers"), "mobile", others=False)
    return said if said and len(said) <= _LONGEST["mobile_phone"] else None


def _set_mobile(doc: Doc, value: str | None) -> None:
    kept = [one for one in doc.get("phoneNumbers") or () if one.get("type") != "mobile"]
    if value is not None:
        kept.append({"value": value, "type": "mobile"})
    doc.pop("phoneNumbers", None)
    if kept:
        doc["phoneNumbers"] = kept


def _manager(doc: Mapping[str, Any]) -> str | None:
    said = _at(doc, (ENTERPRISE, "manager", "value"))
    return said.lower() if isinstance(said, str) and is_guid(said.lower()) else None


def _set_manager(doc: Doc, value: str | None) -> None:
    _put(doc, (ENTERPRISE, "manager"), {"value": value} if value is not None else None)


PLACES: Final[Mapping[str, _Place]] = {
    "display_name": _Place(_shown_name, lambda doc, value: _put(doc, ("displayName",), value)),
    "enabled": _Place(
        lambda doc: doc.get("active") is not False, lambda doc, value: _put(doc, ("active",), value)
    ),
    "mail": _Place(_mail, _set_mail),
    "given_name": _plain("given_name", "name", "givenName"),
    "surname": _plain("surname", "name", "familyName"),
    "job_title": _plain("job_title", "title"),
    "department": _plain("department", ENTERPRISE, "department"),
    "mobile_phone": _Place(_mobile, _set_mobile),
    "employee_id": _plain("employee_id", ENTERPRISE, "employeeNumber"),
    "manager_id": _Place(_manager, _set_manager),
}
