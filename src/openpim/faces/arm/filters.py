"""Reads `$filter` as the management API has it: functions such as `asTarget()` and comparisons, joined by `and`.

Functions say whose and where; a comparison of the principal or the role narrows the question itself; all the rest is
looked at row by row. What is not understood is refused, so that no question is answered wrongly by being ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from openpim.core.grants import Kind
from openpim.faces.arm.call import Call
from openpim.services.reading import Whose
from openpim.services.resources.listing import PAGE, Asked, Reach
from openpim.wire import odata
from openpim.wire.errors import shown
from openpim.wire.ids import is_guid
from openpim.wire.odata import ARM_FUNCTIONS, ODataError

_WHOSE = {
    "astarget": Whose.PRINCIPAL,
    "asapprover": Whose.APPROVER,
    "asrequestor": Whose.CREATED_BY,
    "ascreatedby": Whose.CREATED_BY,
}
_REACH = {"atscope": Reach.UPWARD, "atscopeandbelow": Reach.DOWNWARD}
_IDS = frozenset({"roledefinitionid", "principalid", "requestorid"})


@dataclass(frozen=True, slots=True)
class Filter:
    """rest: conditions for each row."""

    whose: Whose = Whose.ANYONE
    reach: Reach = Reach.AROUND
    assigned_to: str | None = None
    principal_id: str | None = None
    role_id: str | None = None
    rest: tuple[odata.Expr, ...] = ()

    def asked(self, call: Call, kind: Kind) -> Asked:
        return Asked(
            kind=kind,
            scope=call.scope,
            whose=self.whose,
            principal_id=self.principal_id,
            assigned_to=self.assigned_to,
            role_id=self.role_id,
            reach=self.reach,
            limit=call.options.page_size(PAGE, PAGE) or PAGE,
            after=call.options.skiptoken,
        )

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Whether a row as it goes out satisfies the rest."""
        if not self.rest:
            return True
        values = {name.lower(): value for name, value in (row.get("properties") or {}).items()}
        values |= {name.lower(): row[name] for name in ("id", "name") if name in row}
        for name in _IDS:
            if isinstance(values.get(name), str):
                values[name] = values[name].rsplit("/", 1)[-1].lower()

        def look(path: tuple[str, ...]) -> object:
            return values.get(path[-1].lower())

        return all(odata.matches(one, look) for one in self.rest)


def read(
    call: Call, properties: Collection[str], functions: Collection[str] = tuple(ARM_FUNCTIONS)
) -> Filter:
    """properties: those that rows can be asked about. functions: those that make sense here."""
    found: dict[str, Any] = {}
    rest: list[odata.Expr] = []
    known = {name.lower() for name in properties}
    for term in odata.conjuncts(call.options.filter):
        if isinstance(term, odata.Call) and term.name in ARM_FUNCTIONS:
            if term.name not in functions:
                raise ODataError("$filter", f"{term.name}() cannot be used here")
            _function(term, found)
            continue
        pinned = _pinned(term, known)
        if pinned is not None and pinned[0] not in found:
            found[pinned[0]] = pinned[1]
            continue
        odata.check_properties(term, known)
        rest.append(_plain(term))
    return Filter(**found, rest=tuple(rest))


def _function(term: odata.Call, found: dict[str, Any]) -> None:
    if term.name in _WHOSE:
        if "whose" in found and found["whose"] is not _WHOSE[term.name]:
            raise ODataError("$filter", "names two roles of the caller; ask for one")
        found["whose"] = _WHOSE[term.name]
    elif term.name in _REACH:
        if "reach" in found and found["reach"] is not _REACH[term.name]:
            raise ODataError("$filter", "atScope() and atScopeAndBelow() exclude each other")
        found["reach"] = _REACH[term.name]
    else:
        argument = term.args[0]
        value = argument.value if isinstance(argument, odata.Literal) else None
        if not isinstance(value, str) or not is_guid(value.strip()):
            raise ODataError("$filter", "assignedTo needs the id of a principal")
        if "assigned_to" in found:
            raise ODataError("$filter", "assignedTo is given twice")
        found["assigned_to"] = value.strip().lower()


def _pinned(term: odata.Expr, known: set[str]) -> tuple[str, str] | None:
    """`principalId eq …` and `roleDefinitionId eq …`, which narrow the question."""
    match term:
        case odata.Compare(op="eq", left=odata.Path() as path, right=odata.Literal(value=str(value))):
            name = path.name.lower().rsplit("/", 1)[-1]
            if name not in known:
                return None
            if name == "principalid":
                return "principal_id", value.strip().lower()
            if name == "roledefinitionid":
                return "role_id", role_guid(value)
        case _:
            pass
    return None


def _plain(expr: odata.Expr) -> odata.Expr:
    """Ids are compared by their guid, texts as they are."""
    match expr:
        case odata.And(terms=terms):
            return odata.And(tuple(_plain(one) for one in terms))
        case odata.Or(terms=terms):
            return odata.Or(tuple(_plain(one) for one in terms))
        case odata.Not(term=term):
            return odata.Not(_plain(term))
        case odata.Compare(
            op=op, left=odata.Path() as path, right=odata.Literal(value=str(value), kind=kind)
        ):
            if path.name.lower().rsplit("/", 1)[-1] in _IDS:
                return odata.Compare(op, path, odata.Literal(role_guid(value), kind))
            return expr
        case odata.Call(name=name) if name in ARM_FUNCTIONS:
            raise ODataError("$filter", f"{name}() can only be joined with and")
        case _:
            return expr


def role_guid(text: str) -> str:
    """The guid of a role definition's id, however long."""
    return text.strip().rstrip("/").rsplit("/", 1)[-1].lower()


def need_guid(text: str, what: str) -> str:
    """A name in the path that must be a guid."""
    if not is_guid(text):
        raise ODataError(what, f"{shown(text)} is not a GUID")
    return text.lower()
