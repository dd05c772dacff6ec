"""`openPim/provisioningTokens` and `openPim/provisioningModes`, additions of ours: the secrets that provisioners paste, and
what becomes of the memberships they write. A secret is in the answer that makes it and nowhere else."""

from __future__ import annotations

from typing import Any, Final

from openpim.core.provisioning import Mode, Token
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import Fault, settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services.provisioning import tokens
from openpim.services.provisioning.tokens import Said

TOKENS_PATH: Final = "openPim/provisioningTokens"
MODES_PATH: Final = "openPim/provisioningModes"


def token_row(_call: Call, token: Token) -> Row:
    return {
        "id": token.id,
        "servicePrincipalId": token.client_id,
        "displayName": token.name,
        "hint": token.hint,
        "createdDateTime": grants.when(token.created_at),
        "createdBy": token.created_by,
        "endDateTime": grants.when(token.expires_at),
    }


def mode_row(_call: Call, said: Said) -> Row:
    return {
        "id": said.group_id,
        "groupId": said.group_id,
        "groupDisplayName": said.group_name,
        "membersBecome": said.mode.value,
    }


TOKENS: Resource[Token] = Resource(path=TOKENS_PATH, type="openPimProvisioningToken", render=token_row)
MODES: Resource[Said] = Resource(path=MODES_PATH, type="openPimProvisioningMode", render=mode_row)


def index(call: Call) -> Answer:
    return TOKENS.collection(
        call, plain_page(settled(tokens.all_of(call.deps, call.caller), ""), call.options)
    )


def create(call: Call) -> Answer:
    """The answer has `secretText`, once."""
    body = call.json()
    made = settled(
        tokens.create(
            call.deps,
            call.caller,
            body.need_guid("servicePrincipalId"),
            body.need_text("displayName", max_length=256),
            body.datetime("endDateTime"),
        ),
        "",
    )
    answer = TOKENS.entity(call, made.token, status=201)
    shown: dict[str, Any] = dict(answer.body) if isinstance(answer.body, dict) else {}
    return Answer(answer.status, {**shown, "secretText": made.text}, answer.headers)


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(tokens.remove(call.deps, call.caller, key), key)
    return NO_CONTENT


def modes(call: Call) -> Answer:
    return MODES.collection(call, plain_page(settled(tokens.modes(call.deps, call.caller), ""), call.options))


def set_mode(call: Call) -> Answer:
    """`membersBecome`: `eligible` or `member`."""
    key = call.params["id"].lower()
    mode = call.json().need_choice("membersBecome", Mode)
    said = settled(tokens.set_mode(call.deps, call.caller, key, mode), key)
    if said is None:
        raise Fault("InternalServerError", "It was not kept.")
    return MODES.entity(call, said)


def forget_mode(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(tokens.set_mode(call.deps, call.caller, key, None), key)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", TOKENS_PATH, index, p.APPLICATIONS_WRITE, people_only=True),
    Endpoint("POST", TOKENS_PATH, create, p.APPLICATIONS_WRITE, people_only=True),
    Endpoint("DELETE", f"{TOKENS_PATH}/{{id}}", delete, p.APPLICATIONS_WRITE, people_only=True),
    Endpoint("GET", MODES_PATH, modes, p.APPLICATIONS_WRITE, people_only=True),
    Endpoint("PUT", f"{MODES_PATH}/{{id}}", set_mode, p.APPLICATIONS_WRITE, people_only=True),
    Endpoint("DELETE", f"{MODES_PATH}/{{id}}", forget_mode, p.APPLICATIONS_WRITE, people_only=True),
)
