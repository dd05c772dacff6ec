"""What every form of the portal carries, so that no other site, and no other session, can send one: the session's id,
sealed. Each page has another text for it, so that compressing pages gives nothing away.
"""

from __future__ import annotations

from openpim.services.signin.context import SignIn

_PURPOSE = "portal form"


def form_token(signin: SignIn, session_id: str) -> str:
    return signin.sealer.seal(_PURPOSE, session_id)


def good_form(signin: SignIn, session_id: str, token: str) -> bool:
    return len(token) < 500 and signin.sealer.unseal(_PURPOSE, token) == session_id
