"""Any system, by a web service of a few dozen lines that its owner writes: signed calls as the Standard Webhooks specification has
them, and an answer that says what there is. The contract: docs/reference/webhook-target.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openpim.connectors.answers import session_of, web_faults
from openpim.connectors.naming import plain_name
from openpim.connectors.webhook.connector import WebhookConnector
from openpim.ports.connector import Capabilities, ConnectorKind, Setting

_LONGEST: Final = 1000
_ENDS: Final = ("none", "new_logins", "full")

SETTINGS: Final = (
    Setting(
        "url",
        "The address that is called, such as https://app.example.com/openpim.",
        required=True,
        place=True,
        stays=True,
    ),
    Setting(
        "secret",
        "The signing secret, whsec_ and at least 16 bytes in base64; the service checks it.",
        required=True,
        secret=True,
    ),
    Setting("previous_secret", "The secret before this one, while the service still takes it.", secret=True),
    Setting(
        "native_end",
        "Whether the service itself ends what it gave when its time has come: none; new_logins: for who comes anew; full: for "
        "everybody.",
        default="none",
        choices=_ENDS,
    ),
    Setting(
        "sever",
        "Whether the service ends the sessions of somebody whose access is taken.",
        default="no",
        choices=("no", "yes"),
    ),
    Setting(
        "session_seconds",
        "Where it does not: how long somebody may work on whose access was taken. 0: it looks at each request.",
        default="0",
    ),
)


def capabilities(settings: Mapping[str, str]) -> Capabilities:
    severs = settings.get("sever") == "yes"
    session = session_of(settings)
    end = settings.get("native_end")
    return Capabilities(
        native_end="full" if end == "full" else "new_logins" if end == "new_logins" else "none",
        grant_live="immediate",
        revoke_live="session_keeps" if session or severs else "immediate",
        worst_case_after_revoke=session if session and not severs else None,
        sever="by_subject" if severs else "none",
        atomic_batch=True,
    )


KIND: Final = ConnectorKind(
    name="webhook",
    title="Web service of your own",
    settings=SETTINGS,
    capabilities=capabilities,
    open=WebhookConnector,
    check_subject=lambda text: plain_name(text, "a person", _LONGEST),
    check_entitlement=lambda text: plain_name(text, "an entitlement", _LONGEST),
    check_settings=web_faults,
)
