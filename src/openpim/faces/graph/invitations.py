"""`/invitations`: inviting a guest; and, beyond Graph, `users/{id}/createSetupLink`: letting a person in.

Nobody ever knows another person's password: an administrator hands over a one-time link, behind which the person sets
password and second factor.
"""

from __future__ import annotations

from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.table import Endpoint
from openpim.services import browse
from openpim.services.directory.invite_guest import invite_guest
from openpim.services.signin.invite import invite


def create(call: Call) -> Answer:
    body = call.json()
    address = body.need_text("invitedUserEmailAddress", max_length=320).strip()
    name = body.text("invitedUserDisplayName", max_length=256)
    redirect = body.text("inviteRedirectUrl", max_length=2048)
    guest = settled(invite_guest(call.deps, call.caller, address, name))
    return Answer(
        201,
        {
            "@odata.context": call.context("invitations/$entity"),
            "id": guest.id,
            "inviteRedeemUrl": redirect or call.raw.origin,
            "invitedUserDisplayName": guest.display_name,
            "invitedUserType": "Guest",
            "invitedUserEmailAddress": address,
            "sendInvitationMessage": False,
            "inviteRedirectUrl": redirect,
            "status": "Completed" if guest.home_tenant_id else "PendingAcceptance",
            "invitedUser": {"id": guest.id},
        },
    )


def create_setup_link(call: Call) -> Answer:
    """The link stands in this answer and in no other; links made before for the same person are void."""
    key = call.params["id"]
    user = settled(browse.user(call.deps, call.caller, key), key)
    link = settled(invite(call.need_signin(), call.caller, user.id, call.raw.origin), key)
    return Answer(200, {"@odata.context": call.context("Edm.String"), "value": link})


ENDPOINTS = (
    Endpoint("POST", "invitations", create, p.INVITATIONS_WRITE),
    Endpoint("POST", "users/{id}/createSetupLink", create_setup_link, p.SETUP_LINKS_WRITE),
)
