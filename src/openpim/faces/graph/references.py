"""`$ref`: bodies and bindings that name another object by its address."""

from __future__ import annotations

import re

from openpim.wire.jsonbody import Body

_ID = re.compile(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})['\")/]*\Z")


def reference(body: Body) -> str:
    """The id in `{"@odata.id": "…/directoryObjects/{id}"}`."""
    text = body.need_text("@odata.id", max_length=1000)
    found = _ID.search(text.strip())
    if found is None:
        raise body.fail("@odata.id", "does not end in the id of an object")
    return found[1].lower()


def references(body: Body, name: str, *, most: int = 20) -> list[str]:
    """The ids in `"members@odata.bind": ["…/users/{id}", …]`; none when it is not there."""
    member = f"{name}@odata.bind"
    found = []
    for index, text in enumerate(body.texts(member, most=most, max_length=1000) or ()):
        match = _ID.search(text.strip())
        if match is None:
            raise body.fail(f"{member}[{index}]", "does not end in the id of an object")
        found.append(match[1].lower())
    return found
