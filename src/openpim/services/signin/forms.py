"""What every form of the portal carries, so that no other site, and no other session, can send one: the session's id,
sealed. Each page has another text for it, so that compressing pages gives nothing away.
"""

from __future__ import annotations

from openpim.services.signin.context import SignIn

_PURPOSE = "portal form"


def form_token(signin: SignIn, session_id: str) -> str:
    return signin.sealer.seal(_PURPOSE, session_id)


def good_form(signin: SignIn, session_id: str, token: str) -> bool:
    return session_of(signin, token) == session_id


def session_of(signin: SignIn, token: str) -> str | None:
    """The id of the session whose page the form was on; None for what is not ours."""
    return signin.sealer.unseal(_PURPOSE, token) if 0 < len(token) < 500 else None
