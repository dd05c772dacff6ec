"""Shared Signals: our side of OpenID Shared Signals Framework 1.0 as a transmitter. One file for each endpoint.

`routes(signin, who)` is what app.py mounts below `/ssf` and the well-known addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.faces.shared.paths import CaselessRoute
from openpim.faces.signals import metadata, poll, status, streams, subjects, verification
from openpim.faces.signals.call import Face
from openpim.services.signin.context import SignIn

__all__ = ["routes"]


def routes(signin: SignIn, who: Callable[..., Caller | Refusal]) -> Sequence[BaseRoute]:
    """who: finds the caller of a token (services/signin/bearer.py)."""
    face = Face(signin, who)
    open_to_all = ["GET", "OPTIONS"]
    known, resource = metadata.CONFIGURATION, metadata.RESOURCE
    return [
        CaselessRoute(known, metadata.without_path(signin), methods=open_to_all),
        CaselessRoute(f"{known}/{{tenant}}", metadata.without_path(signin), methods=open_to_all),
        CaselessRoute(f"{known}/{{tenant}}/v2.0", metadata.configuration(signin), methods=open_to_all),
        CaselessRoute(f"{resource}/ssf/{{tenant}}", metadata.resource(signin), methods=open_to_all),
        CaselessRoute("/ssf/{tenant}/streams", face.endpoint(streams.ACTS), methods=list(streams.ACTS)),
        CaselessRoute("/ssf/{tenant}/status", face.endpoint(status.ACTS), methods=list(status.ACTS)),
        CaselessRoute("/ssf/{tenant}/subjects/add", face.endpoint({"POST": subjects.add}), methods=["POST"]),
        CaselessRoute(
            "/ssf/{tenant}/subjects/remove", face.endpoint({"POST": subjects.remove}), methods=["POST"]
        ),
        CaselessRoute("/ssf/{tenant}/verify", face.endpoint({"POST": verification.verify}), methods=["POST"]),
        CaselessRoute("/ssf/{tenant}/poll/{stream}", poll.endpoint(face), methods=["POST"]),
    ]
