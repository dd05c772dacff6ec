"""What a form makes and shows once: sent again (a double click, a page that is loaded anew), it makes no second one, because the
form decides the id of what it makes."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from openpim.core.refusals import Code, Refusal

_FORMS: Final = UUID("5f0f3a52-6d0e-4d0c-9d43-0f3b7c5a1e77")  # the name space of ids that a form decides
MADE: Final = Refusal(
    Code.CONFLICT,
    "This form has made its secret already, and a secret is shown only once. If you did not keep it, remove it and add "
    "another.",
)


def id_of(owner_id: str, once: str) -> str:
    """owner_id: of what the secret belongs to. once: the form's own word."""
    return str(uuid5(_FORMS, f"{owner_id}/{once}"))
