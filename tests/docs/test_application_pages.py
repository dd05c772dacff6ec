"""The how-to pages about applications that sign people in, and are told when access ends, are followed."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.apache import SHOWN
from tests.docs.pages import reading, replaced
from tests.docs.place import MIRA, ROLE, Place
from tests.notify.hostile import replies, serve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_people_sign_in_to_an_application(place: Place) -> None:
    role = {
        "id": str(uuid.uuid4()),
        "value": "Payroll.Write",
        "displayName": "Payroll writer",
        "isEnabled": True,
    }
    more = {"description": "writes", "allowedMemberTypes": ["User"]}
    app = place.application("Payroll", appRoles=[role | more], identifierUris=["api://payroll"])
    given = {"principalId": place.payroll, "resourceId": app["face"], "appRoleId": role["id"]}
    place.ask("POST", f"/v1.0/servicePrincipals/{app['face']}/appRoleAssignedTo", given)
    where = {"OPENPIM": place.origin, "TENANT": place.accounts["tenant_id"]}
    with reading("docs/how-to/let-people-sign-in.md") as page:
        apache, ask, exchange = page.block("apache"), page.block("sh"), page.block("sh")
        assert apache.body == SHOWN, "tests/relying/test_apache.py starts one with it"
        token = place.script(exchange, MIRA).split()[-1]
        env = where | {"CLIENT_ID": app["app_id"], "CLIENT_SECRET": app["secret"], "TOKEN": token}
        told = json.loads(place.script(ask, env=env))
        assert (told["active"], told["roles"]) == (True, ["Payroll.Write"])


def test_an_application_is_told(place: Place) -> None:
    app = place.application("Of signals", "ssf.manage", "ssf.read")
    (place.folder / "authorization").write_text("Bearer a-secret-of-ours")
    known = {"ID": app["app_id"], "SECRET": app["secret"], "TENANT": place.accounts["tenant_id"]}
    with reading("docs/how-to/tell-applications.md") as page, serve(replies(lambda _: (202, b""))) as there:
        here = {f"PIM_CLIENT_{name}=…": f"PIM_CLIENT_{name}={known[name]}" for name in ("ID", "SECRET")}
        here |= {
            "PIM_TENANT=…": f"PIM_TENANT={known['TENANT']}",
            "/run/secrets/wiki": str(place.folder / "authorization"),
        }
        here["https://app.example.com/events"] = there.url("/events")
        place.script(page.block("sh"), **here)
        place.until(lambda: there.asked, "the test event does not come")
        assert there.asked[0].headers["authorization"] == "Bearer a-secret-of-ours"
        first, second = page.block("sh").body.split("\n\n")
        token = json.loads(place.type(replaced(first, place.places), **known))["access_token"]
        made = json.loads(place.type(replaced(second, {**here, **place.places}), **known, TOKEN=token))
        assert made["delivery"]["endpoint_url"] == there.url("/events")
        assert len(made["events_delivered"]) == 2


def test_a_python_program_asks(place: Place) -> None:
    place.role(ROLE)
    place.type(f'pim activate "{ROLE}" -j "of this test"', MIRA)
    with reading("docs/reference/authzen.md") as page:
        code = page.block("python").body
    here = {"postgresql://reader@db/openpim": place.database, "contoso.example": "tidewater.example"}
    here |= {"ann@tidewater.example": MIRA, "Teams Administrator": ROLE, "...": "answers.append(True)"}
    answers: list[bool] = []
    exec(replaced(code, here), {"answers": answers})
    assert answers == [True]
