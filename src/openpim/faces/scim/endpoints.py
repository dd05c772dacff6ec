"""The table of endpoints: the only list there is. Dispatch and the authorization table of the tests both read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from openpim.faces.scim import discovery, everything, groups, users
from openpim.faces.scim.call import Answer, Call, FaultError

Handler: TypeAlias = Callable[..., Answer]


def bulk(_call: Call) -> Answer:
    raise FaultError(
        501, "Bulk is not served here: send the operations one by one (see /ServiceProviderConfig)."
    )


def me(_call: Call) -> Answer:
    raise FaultError(501, "/Me is not served here: provisioners are not people.")


# (method, path below the base) -> handler; {id} is the key of one resource.
ENDPOINTS: Final[dict[tuple[str, str], Handler]] = {
    ("GET", "ServiceProviderConfig"): discovery.config,
    ("GET", "ResourceTypes"): discovery.resource_types,
    ("GET", "ResourceTypes/{id}"): discovery.resource_type,
    ("GET", "Schemas"): discovery.schemas,
    ("GET", "Schemas/{id}"): discovery.schema,
    ("GET", "Users"): users.index,
    ("POST", "Users"): users.create,
    ("POST", "Users/.search"): users.search,
    ("GET", "Users/{id}"): users.show,
    ("PUT", "Users/{id}"): users.replace,
    ("PATCH", "Users/{id}"): users.patch,
    ("DELETE", "Users/{id}"): users.delete,
    ("GET", "Groups"): groups.index,
    ("POST", "Groups"): groups.create,
    ("POST", "Groups/.search"): groups.search,
    ("GET", "Groups/{id}"): groups.show,
    ("PUT", "Groups/{id}"): groups.replace,
    ("PATCH", "Groups/{id}"): groups.patch,
    ("DELETE", "Groups/{id}"): groups.delete,
    ("POST", ".search"): everything.search,
    ("POST", "Bulk"): bulk,
    ("GET", "Me"): me,
}
