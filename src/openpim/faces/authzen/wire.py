"""The shapes on the wire (AuthZEN 1.0, 5 and 7 to 9): what is required is required, what is unknown is left alone."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Subject(msgspec.Struct):
    type: str
    id: str
    properties: dict[str, Any] | None = None


class Resource(msgspec.Struct):
    type: str
    id: str
    properties: dict[str, Any] | None = None


class Action(msgspec.Struct):
    name: str
    properties: dict[str, Any] | None = None


class Evaluation(msgspec.Struct):
    subject: Subject
    action: Action
    resource: Resource
    context: dict[str, Any] | None = None


class Options(msgspec.Struct):
    evaluations_semantic: str = "execute_all"


class Item(msgspec.Struct):
    subject: Subject | None = None
    action: Action | None = None
    resource: Resource | None = None
    context: dict[str, Any] | None = None


class Batch(msgspec.Struct):
    evaluations: list[msgspec.Raw] = msgspec.field(default_factory=list)
    subject: Subject | None = None
    action: Action | None = None
    resource: Resource | None = None
    context: dict[str, Any] | None = None
    options: Options = msgspec.field(default_factory=Options)


class Kind(msgspec.Struct):
    """A subject or resource that is looked for: an id does not count."""

    type: str
    properties: dict[str, Any] | None = None


class Page(msgspec.Struct):
    token: str = ""
    limit: int | None = None


class SubjectSearch(msgspec.Struct):
    subject: Kind
    action: Action
    resource: Resource
    context: dict[str, Any] | None = None
    page: Page = msgspec.field(default_factory=Page)


class ResourceSearch(msgspec.Struct):
    subject: Subject
    action: Action
    resource: Kind
    context: dict[str, Any] | None = None
    page: Page = msgspec.field(default_factory=Page)


class ActionSearch(msgspec.Struct):
    subject: Subject
    resource: Resource
    context: dict[str, Any] | None = None
    page: Page = msgspec.field(default_factory=Page)


class DenialSent(msgspec.Struct):
    binding_token: str = ""
    evaluation_id: str = ""


class Requested(msgspec.Struct):
    requested_until: str | None = None


class AccessRequest(msgspec.Struct):
    subject: Subject
    resource: Resource | None = None
    action: Action | None = None
    context: dict[str, Any] | None = None
    denial: DenialSent | None = None
    requested_access: Requested = msgspec.field(default_factory=Requested)
    items: list[Any] | None = None


class BadRequestError(Exception):
    """What was sent is not of the shape; the message says where."""


def read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error)[:300]) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise BadRequestError("The body is not a JSON object that can be read.") from None


EVALUATION = msgspec.json.Decoder(Evaluation)
BATCH = msgspec.json.Decoder(Batch)
ITEM = msgspec.json.Decoder(Item)
SUBJECT_SEARCH = msgspec.json.Decoder(SubjectSearch)
RESOURCE_SEARCH = msgspec.json.Decoder(ResourceSearch)
ACTION_SEARCH = msgspec.json.Decoder(ActionSearch)
ACCESS_REQUEST = msgspec.json.Decoder(AccessRequest)
