"""What is said once on the page after a form: in a sealed cookie, for the session that sent the form."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from openpim.faces.portal.call import Tone
from openpim.services.signin.context import SignIn

COOKIE = "__Host-openpim-said"
_PURPOSE = "portal said"
_LONGEST = 1500


@dataclass(frozen=True, slots=True)
class Said:
    tone: str
    text: str


def say(signin: SignIn, response: Response, session_id: str, tone: Tone, text: str) -> None:
    sealed = signin.sealer.seal_json(_PURPOSE, {"s": session_id, "tone": tone, "text": text[:_LONGEST]})
    response.set_cookie(COOKIE, sealed, max_age=60, path="/", secure=True, httponly=True, samesite="lax")


def hear(signin: SignIn, cookie: str, session_id: str) -> Said | None:
    body = signin.sealer.unseal_json(_PURPOSE, cookie) if 0 < len(cookie) < 4096 else None
    if body is None or body.get("s") != session_id:
        return None
    return Said(str(body["tone"]), str(body["text"]))


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
