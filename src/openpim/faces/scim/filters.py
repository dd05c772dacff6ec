"""A SCIM filter as a question to the store: what an index or a bounded look-up can answer, and a 400 for the rest.

RFC 7644 3.4.2.2. Nothing is filtered here after reading: what the store cannot be asked is refused, never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from scim2_models import InvalidFilterException, InvalidPathException, SearchRequest
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from openpim.core import query as q
from openpim.faces.scim.documents import ENTERPRISE
from openpim.faces.scim.models import FullUser, Group, User
from openpim.services.recording import storable

MOST_PARTS: Final = 50
LONGEST: Final = 4000
_OPERATORS: Final[Mapping[CompareOperator, q.Operator]] = {
    CompareOperator.eq: "eq",
    CompareOperator.ne: "ne",
    CompareOperator.co: "contains",
    CompareOperator.sw: "startswith",
    CompareOperator.ew: "endswith",
    CompareOperator.gt: "gt",
    CompareOperator.ge: "ge",
    CompareOperator.lt: "lt",
    CompareOperator.le: "le",
}


@dataclass(frozen=True, slots=True)
class Askable:
    """What can be asked about one type of resource. fields: attribute in lower case, without its schema -> field of the model.
    always: those that everybody has. kinds: for a selection of values, the one type the directory keeps."""

    model: Any
    schemas: tuple[str, ...]
    fields: Mapping[str, str]
    always: frozenset[str]
    kinds: Mapping[str, str]

    def field(self, path: AttrPath) -> str | None:
        if path.uri is not None and path.uri.lower() not in self.schemas:
            return None
        name = path.attr if path.sub_attr is None else f"{path.attr}.{path.sub_attr}"
        return self.fields.get(name.lower())


USERS: Final = Askable(
    FullUser,
    (str(User.__schema__).lower(), ENTERPRISE.lower()),
    {
        "id": "id",
        "externalid": "external_id",
        "username": "user_name",
        "displayname": "display_name",
        "name.givenname": "given_name",
        "name.familyname": "surname",
        "title": "job_title",
        "active": "enabled",
        "emails": "mail",
        "emails.value": "mail",
        "phonenumbers": "mobile_phone",
        "phonenumbers.value": "mobile_phone",
        "meta.created": "created_at",
        "employeenumber": "employee_id",
        "department": "department",
        "manager": "manager_id",
        "manager.value": "manager_id",
    },
    frozenset({"id", "user_name", "display_name", "enabled", "created_at"}),
    {"emails": "work", "phonenumbers": "mobile"},
)
GROUPS: Final = Askable(
    Group,
    (str(Group.__schema__).lower(),),
    {
        "id": "id",
        "externalid": "external_id",
        "displayname": "display_name",
        "meta.created": "created_at",
    },
    frozenset({"id", "display_name", "created_at"}),
    {},
)


def condition_of(search: SearchRequest[Any], askable: Askable) -> q.Condition | None:
    """Raises InvalidFilterException."""
    if search.filter is None:
        return None
    reading = _Reading(askable)
    return reading.visit(search.filter.ast)


def order_of(search: SearchRequest[Any], askable: Askable) -> tuple[q.Order, ...]:
    """Raises InvalidPathException."""
    if search.sort_by is None:
        return ()
    path = search.sort_by.ast
    field = askable.field(path) if isinstance(path, AttrPath) else None
    if field is None or field == "external_id":
        raise InvalidPathException(
            path=str(search.sort_by)[:100], detail="This server does not sort by that attribute"
        )
    descending = search.sort_order is SearchRequest.SortOrder.descending
    return (q.Order("user_principal_name" if field == "user_name" else field, descending),)


class _Reading(FilterVisitor[q.Condition]):
    """selected: inside `emails[…]`, the field that its `value` is, and the type that is kept."""

    def __init__(self, askable: Askable, selected: tuple[str, str] | None = None) -> None:
        self._askable = askable
        self._selected = selected
        self._parts = 0

    def visit(self, node: FilterNode) -> q.Condition:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _refused(f"The filter has more than {MOST_PARTS} parts")
        return super().visit(node)

    def visit_comparison(self, node: Comparison) -> q.Condition:
        if self._selected is not None:
            kept = self._kept(node)
            if kept is not None:
                return kept
        field = self._field(node.attr_path)
        value = _value(field, node.value)
        if value is None:
            return self._null(field, node.op)
        if node.op not in (CompareOperator.eq, CompareOperator.ne) and isinstance(value, bool):
            raise _refused(f"{node.attr_path} is true or false: compare it with eq or ne")
        return q.Compare(field, _OPERATORS[node.op], value)

    def visit_present(self, node: Present) -> q.Condition:
        return self._null(self._field(node.attr_path), CompareOperator.ne)

    def visit_not(self, node: Not) -> q.Condition:
        return q.Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> q.Condition:
        parts = tuple(self.visit(term) for term in node.terms)
        return q.All(parts) if node.op is LogicalOperator.and_ else q.Some(parts)

    def visit_value_path(self, node: ValuePath) -> q.Condition:
        kind = self._askable.kinds.get(node.attr_path.attr.lower())
        field = self._askable.field(node.attr_path)
        if kind is None or field is None or self._selected is not None:
            raise _refused(f"{node.attr_path}[…] cannot be asked for")
        return _Reading(self._askable, (field, kind)).visit(node.val_filter)

    def _kept(self, node: Comparison) -> q.Condition | None:
        """`type eq "work"` inside a selection: true of the one value that the directory has."""
        if node.attr_path.attr.lower() != "type" or self._selected is None:
            return None
        if node.op is CompareOperator.eq and str(node.value).lower() == self._selected[1]:
            return q.Compare(self._selected[0], "ne", None)
        raise _refused(f'Only the type "{self._selected[1]}" can be asked for')

    def _field(self, path: AttrPath) -> str:
        if self._selected is not None:
            if path.attr.lower() == "value" and path.sub_attr is None:
                return self._selected[0]
            raise _refused(f"{path} cannot be asked for there")
        field = self._askable.field(path)
        if field is None:
            raise _refused(f"This server does not filter by {path}")
        return field

    def _null(self, field: str, op: CompareOperator) -> q.Condition:
        if field == "external_id" or op not in (CompareOperator.eq, CompareOperator.ne):
            raise _refused("externalId can only be looked up by eq, and null by eq and ne")
        if field in self._askable.always:
            return q.All(()) if op is CompareOperator.ne else q.Some(())
        return q.Compare(field, "eq" if op is CompareOperator.eq else "ne", None)


def _value(field: str, value: Any) -> q.Value:
    if field == "created_at":
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise _refused(f"{str(value)[:40]!r} is no date and time") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if field == "enabled" and isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"  # as Entra writes them
    if isinstance(value, str) and not storable(value):
        raise _refused("The filter has a character that nothing here can contain")
    if isinstance(value, bool) is not (field == "enabled") and value is not None:
        raise _refused(f"{str(value)[:40]!r} is not a value of this attribute")
    if value is not None and not isinstance(value, bool | str):
        raise _refused(f"{str(value)[:40]!r} is not a value of this attribute")
    return value


def _refused(why: str) -> InvalidFilterException:
    return InvalidFilterException(
        detail=f"{why}. What can be asked for: the reference of SCIM in the documentation."
    )
