"""What a well-formed request to each page and form looks like, about somebody else's things: for the authorization table.

A page without `{}` in its path needs no entry; a form, and a page about one thing, does: a function that makes the thing
anew and returns the path and the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from openpim.core.channels import ChannelKind
from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.directory import Application
from openpim.core.grants import Kind
from openpim.core.provisioning import PROVISION
from openpim.core.query import Compare, Query
from openpim.core.relying import DEFAULT_ROLE, AppRole
from openpim.core.signals import SignalStream
from openpim.core.signin.consent import GRAPH_RESOURCE
from openpim.core.signin.values import Account
from openpim.core.streams import StreamKind
from openpim.services.channels import manage
from openpim.services.connecting import manage as targets
from openpim.services.directory import app_roles
from openpim.services.directory.application_owners import add_owner
from openpim.services.directory.applications import NewApplication, create_application, update_application
from openpim.services.directory.performing import stamp
from openpim.services.directory.permission_grants import NewGrant
from openpim.services.directory.permission_grants import create as create_grant
from openpim.services.directory.service_principals import create_service_principal
from openpim.services.provisioning import tokens
from openpim.services.signin.client_secrets import add_secret
from openpim.services.streams import manage as streams
from tests.faces.portal.certificates import made, pem
from tests.faces.portal.client import Site
from tests.world import READER, TEAMS, World, ok

Made = tuple[str, dict[str, str]]


def an_activation_of_bob(site: Site) -> str:
    """Bob's request for a role that dan approves."""
    world = site.world
    fresh = world.user("Bo")
    world.approval(world.dan, role=TEAMS)
    world.eligible(fresh)
    return ok(world.activate(fresh)).id


def an_active_role(site: Site) -> str:
    world = site.world
    fresh = world.user("Bo")
    ok(world.give(fresh, kind=Kind.ASSIGNMENT, permanent=True))
    return world.schedules()[-1].id


def request_path(tail: str = "") -> Callable[[Site], Made]:
    return lambda site: (f"/portal/requests/{an_activation_of_bob(site)}{tail}", {})


def schedule_path(verb: str) -> Callable[[Site], Made]:
    return lambda site: (f"/portal/roles/{verb}/{an_active_role(site)}", {})


def approval_path(site: Site) -> str:
    return f"/portal/approvals/{an_activation_of_bob(site)}"


def an_event_of_bob(site: Site) -> Made:
    """The newest event about a fresh person's request."""
    wanted = an_activation_of_bob(site)
    query = Query(Compare("target_id", "eq", wanted), limit=1)
    found = site.world.read(lambda tx: tx.audit.page(query))
    return f"/portal/audit/{found.items[0].id}", {}


def approve_several(site: Site) -> Made:
    fields = {f"pick-{an_activation_of_bob(site)}": "on", "verdict": "approve", "reason": "fine"}
    return "/portal/approvals", fields


def setting_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    return lambda _site: (f"/portal/policies/directory/{TEAMS}{tail}", fields)


def a_session_of_bob(site: Site) -> Made:
    bob = site.browser(site.world.bob)
    bob.get("/portal/me")
    found = site.world.read(lambda tx: tx.sessions.of(Account(site.world.tenant_id, site.world.bob)))
    return "/portal/me/sessions/end", {"session": found[0].id}


def assignment_path(verb: str, **fields: str) -> Callable[[Site], Made]:
    """Of somebody's permanent active role, long enough in force to be taken away."""

    def made(site: Site) -> Made:
        one = an_active_role(site)
        site.world.forward(minutes=6)
        return f"/portal/assignments/{one}/{verb}", fields

    return made


def application_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """Of an application that is registered here."""
    return lambda site: (f"/portal/applications/{registered(site.world).id}{tail}", fields)


def change_of_an_application(site: Site) -> Made:
    made = registered(site.world)
    return f"/portal/applications/{made.id}/edit", {"name": "Order desk", "seen": stamp(made)}


def change_of_claims(site: Site) -> Made:
    made = registered(site.world)
    fields = {"userinfo-groups": "on", "source": "All", "when": "loss", "seen": stamp(made)}
    return f"/portal/applications/{made.id}/claims", fields


def role_of_an_application(tail: str, **fields: str) -> Callable[[Site], Made]:
    """Of one that is switched off, so that it can be removed."""

    def made(site: Site) -> Made:
        world = site.world
        role = AppRole(world.new_id(), "Read", "Reader", enabled=False)
        found = ok(update_application(world.deps, world.system, registered(world).id, {"app_roles": (role,)}))
        return f"/portal/applications/{found.id}{tail}", {"role": role.id, "seen": stamp(found), **fields}

    return made


def role_taken(site: Site) -> Made:
    world = site.world
    face = face_of(world, registered(world))
    given = ok(app_roles.assign(world.deps, world.system, world.bob, face, DEFAULT_ROLE))
    return f"/portal/enterprise/{face}/roles/unassign", {"assignment": given.assignment.id}


def credential_path(site: Site) -> Made:
    """Of a secret of somebody's application."""
    world = site.world
    made = registered(world)
    secret = ok(add_secret(site.signin, world.system, made.id, name="Build server"))
    return f"/portal/applications/{made.id}/secrets/{secret.id}/remove", {}


def enterprise_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """Of an application that is used here."""
    return lambda site: (f"/portal/enterprise/{face_of(site.world, registered(site.world))}{tail}", fields)


def permissions_of_an_application(site: Site) -> Made:
    face = site.world.read(lambda tx: tx.service_principals.get(face_of(site.world, registered(site.world))))
    return f"/portal/enterprise/{face.id}/permissions", {"may-User.Read.All": "on", "seen": stamp(face)}


def revocation(site: Site) -> Made:
    """Of what bob allowed."""
    world = site.world
    face = face_of(world, registered(world))
    new = NewGrant(face, GRAPH_RESOURCE, world.bob, ("User.Read",))
    return f"/portal/enterprise/{face}/revoke", {"grant": ok(create_grant(world.deps, world.system, new)).id}


def another_owner(site: Site) -> Made:
    path, _ = application_path("/owners/add")(site)
    return path, {"who": site.world.bob}


def bobs_application(site: Site) -> Made:
    made = registered(site.world)
    ok(add_owner(site.world.deps, site.world.system, made.id, site.world.bob))
    return f"/portal/applications/{made.id}/owners/remove", {"owner": site.world.bob}


def registered(world: World) -> Application:
    made = ok(create_application(world.deps, world.system, NewApplication("Orders")))
    ok(create_service_principal(world.deps, world.system, made.app_id))
    return made


def bare(site: Site) -> Made:
    """An application without a service principal."""
    made = ok(create_application(site.world.deps, site.world.system, NewApplication("Orders")))
    return f"/portal/applications/{made.id}/service-principal", {}


def face_of(world: World, application: Application) -> str:
    return str(world.read(lambda tx: tx.service_principals.by_app_id(application.app_id)).id)


def stream_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """The page of an audit stream made for it; those before it go, because there are not endless many."""

    def made(site: Site) -> Made:
        world = site.world
        by = world.caller(world.ga)
        for view in ok(streams.all_of(world.deps, by)):
            streams.remove(world.deps, by, view.stream.id)
        wanted = streams.Wanted("siem", "https://siem.example.com/")
        view = ok(streams.create(world.deps, by, StreamKind.OCSF, wanted))
        return f"/portal/streams/{view.stream.id}{tail}", fields

    return made


def target_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """The page of a target made for it; those before it go, because there are not endless many."""

    def made(site: Site) -> Made:
        return f"/portal/targets/{a_target(site.world)}{tail}", fields

    return made


def a_target(world: World) -> str:
    by = world.caller(world.ga)
    for view in ok(targets.all_of(world.deps, by)):
        targets.remove(world.deps, by, view.target.id)
    return world.target(f"target{world.new_id()[-6:]}")[0]


def mapping_path(tail: str, **fields: str) -> Callable[[Site], Made]:
    """Of a mapping of a target."""

    def made(site: Site) -> Made:
        target = a_target(site.world)
        return f"/portal/targets/{target}/rules/{site.world.rule(target)}{tail}", fields

    return made


def token_path(site: Site) -> Made:
    """Of a token of a provisioner."""
    world = site.world
    app = world.app("Entra ID", PROVISION)
    made = ok(tokens.create(site.signin.deps, world.system, app, "contoso"))
    return f"/portal/provisioning/{made.token.id}/remove", {}


def new_token(site: Site) -> Made:
    fields = {"application": site.world.app("Okta", PROVISION), "name": "x", "days": "90", "once": "x"}
    return "/portal/provisioning/new", fields


def signal_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """The page of an event stream of an application."""

    def made(site: Site) -> Made:
        world = site.world
        app = world.read(lambda tx: tx.service_principals.get(world.app("Receiver")))
        stream = SignalStream(world.new_id(), app.id, app.app_id, world.now, world.now)
        world.write(lambda tx: tx.signal_streams.put(stream))
        return f"/portal/signals/{stream.id}{tail}", fields

    return made


def channel_path(tail: str = "", **fields: str) -> Callable[[Site], Made]:
    """Of a system that is asked."""

    def made(site: Site) -> Made:
        wanted = manage.Wanted(f"Desk {site.world.new_id()}", address="https://127.0.0.1:9/ask")
        shown = ok(manage.add(site.world.deps, site.world.system, ChannelKind.EXTENSION, wanted))
        return f"/portal/channels/{shown.channel.id}{tail}", fields

    return made


def another_signing_secret(site: Site) -> Made:
    path, _ = channel_path()(site)
    channel = site.world.read(lambda tx: tx.channels.get(path.rpartition("/")[2]))
    return f"{path}/secret", {"seen": stamp(channel)}


def a_dead_letter(site: Site) -> Made:
    """A notice that was given up."""
    world = site.world
    now, one = world.now, world.new_id()
    letter = Delivery(
        id=one, key=one, topic="ended", audience="Admin", group="endings", channel="mail", recipient=world.bob,
        critical=False, facts="{}", created_at=now, since=now, due_at=None, status=DeliveryStatus.DEAD, ended_at=now,
    )  # fmt: skip
    world.write(lambda tx: tx.deliveries.add([letter]))
    return f"/portal/notifications/{one}/retry", {}


TARGET_FORM = {
    "setting-host": "payroll", "setting-end": "none", "setting-each": "no", "secret-password": "",
    "managed": "payroll_admin", "subject": "{localPart}", "foreign": "alert",
}  # fmt: skip


SETUPS: dict[str, Callable[[Site], Made]] = {
    "POST /portal/me/notifications": lambda _site: ("/portal/me/notifications", {"use-mail": "on"}),
    "POST /portal/notifications": lambda _site: ("/portal/notifications", {"digest": "on"}),
    "POST /portal/notifications/test": lambda _site: ("/portal/notifications/test", {}),
    "POST /portal/notifications/{id}/retry": a_dead_letter,
    "POST /portal/audit-log/retention": lambda _site: (
        "/portal/audit-log/retention",
        {"days": "400", "sure": "on"},
    ),
    "POST /portal/audit-log/witnesses": lambda _site: (
        "/portal/audit-log/witnesses",
        {"witness": "https://witness.example.com/", "stamps": ""},
    ),
    "POST /portal/streams/new": lambda site: (
        "/portal/streams/new",
        {
            "kind": "ocsf",
            "name": f"siem {site.world.new_id()}",
            "address": "https://siem.example.com/",
            "header": "X-Key",
            "secret-value": "",
        },
    ),
    "GET /portal/targets/{id}": target_path(),
    "POST /portal/targets/{id}/look": target_path("/look"),
    # A twin has no agent: who may sees that, the others do not get so far.
    "GET /portal/targets/{id}/agent": target_path("/agent"),
    "POST /portal/targets/{id}/agent": target_path("/agent"),
    "POST /portal/targets/{id}/agent/withdraw": target_path("/agent/withdraw"),
    "GET /portal/targets/{id}/check": target_path("/check"),
    "POST /portal/targets/{id}/switch": target_path("/switch", on="no"),
    "GET /portal/targets/{id}/foreign": target_path("/foreign"),
    "POST /portal/targets/{id}/foreign": target_path("/foreign", foreign="remove"),
    "GET /portal/targets/{id}/remove": target_path("/remove"),
    "POST /portal/targets/{id}/remove": target_path("/remove"),
    "POST /portal/targets/new": lambda site: (
        "/portal/targets/new",
        {**TARGET_FORM, "kind": "twin", "name": f"New {site.world.new_id()}"},
    ),
    "GET /portal/targets/{id}/edit": target_path("/edit"),
    "POST /portal/targets/{id}/edit": target_path("/edit", **TARGET_FORM, name="Other", seen="1"),
    "GET /portal/targets/{id}/secrets": target_path("/secrets"),
    "POST /portal/targets/{id}/secrets": target_path("/secrets", **{"secret-password": "another one"}),
    "POST /portal/targets/{id}/rotate": target_path("/rotate"),
    "GET /portal/targets/{id}/rules/new": target_path("/rules/new"),
    "POST /portal/targets/{id}/rules/new": target_path(
        "/rules/new", provider="directory", role=TEAMS, scope="/", entitlement="payroll_admin", go="add"
    ),
    "GET /portal/targets/{id}/rules/{rule}/remove": mapping_path("/remove"),
    "POST /portal/targets/{id}/rules/{rule}/remove": mapping_path("/remove"),
    "POST /portal/targets/{id}/names": lambda site: (
        f"/portal/targets/{a_target(site.world)}/names",
        {"who": site.world.bob, "subject": "bobby"},
    ),
    "POST /portal/provisioning/new": new_token,
    "POST /portal/provisioning/groups": lambda site: (
        "/portal/provisioning/groups",
        {"group": site.world.group("Crew"), "mode": "member"},
    ),
    "GET /portal/provisioning/{id}/remove": token_path,
    "POST /portal/provisioning/{id}/remove": token_path,
    "GET /portal/streams/{id}": stream_path(),
    "POST /portal/streams/{id}": stream_path(
        name="siem", address="https://new.example.com/", header="X-Key", **{"secret-value": ""}
    ),
    "POST /portal/streams/{id}/pause": stream_path("/pause"),
    "POST /portal/streams/{id}/retry": stream_path("/retry"),
    "GET /portal/streams/{id}/remove": stream_path("/remove"),
    "POST /portal/streams/{id}/remove": stream_path("/remove"),
    "GET /portal/signals/{id}": signal_path(),
    "POST /portal/signals/{id}": signal_path(status="paused"),
    "POST /portal/signals/{id}/retry": signal_path("/retry"),
    "GET /portal/signals/{id}/remove": signal_path("/remove"),
    "POST /portal/signals/{id}/remove": signal_path("/remove"),
    "POST /portal/channels/new": lambda site: (
        "/portal/channels/new",
        {"kind": "webhook", "name": f"Hook {site.world.new_id()}", "secret-address": "https://example.com/x"},
    ),
    "GET /portal/channels/{id}": channel_path(),
    "POST /portal/channels/{id}": channel_path(name="Desk", **{"secret-address": ""}),
    "POST /portal/channels/{id}/test": channel_path("/test"),
    "POST /portal/channels/{id}/secret": another_signing_secret,
    "GET /portal/channels/{id}/remove": channel_path("/remove"),
    "POST /portal/channels/{id}/remove": channel_path("/remove"),
    "GET /portal/applications/{id}": application_path(),
    "POST /portal/applications/new": lambda _site: ("/portal/applications/new", {"name": "Orders"}),
    "GET /portal/applications/{id}/edit": application_path("/edit"),
    "POST /portal/applications/{id}/edit": change_of_an_application,
    "GET /portal/applications/{id}/delete": application_path("/delete"),
    "POST /portal/applications/{id}/delete": application_path("/delete"),
    "POST /portal/applications/{id}/service-principal": bare,
    "GET /portal/applications/{id}/secrets/new": application_path("/secrets/new"),
    "POST /portal/applications/{id}/secrets/new": application_path(
        "/secrets/new", name="Build server", days="30", once="x"
    ),
    "GET /portal/applications/{id}/certificates/new": application_path("/certificates/new"),
    "POST /portal/applications/{id}/certificates/new": lambda site: application_path(
        "/certificates/new", pem=pem(made(site.world.now))
    )(site),
    "GET /portal/applications/{id}/secrets/{key}/remove": credential_path,
    "POST /portal/applications/{id}/secrets/{key}/remove": credential_path,
    "GET /portal/applications/{id}/claims": application_path("/claims"),
    "POST /portal/applications/{id}/claims": change_of_claims,
    "GET /portal/applications/{id}/roles/new": application_path("/roles/new"),
    "POST /portal/applications/{id}/roles/new": role_of_an_application(
        "/roles/new", name="Writer", value="Write"
    ),
    "POST /portal/applications/{id}/roles/switch": role_of_an_application("/roles/switch", on="no"),
    "POST /portal/applications/{id}/roles/remove": role_of_an_application("/roles/remove"),
    "GET /portal/enterprise/{id}/roles": enterprise_path("/roles"),
    "POST /portal/enterprise/{id}/roles/assign": enterprise_path(
        "/roles/assign", who="Gustav", role=DEFAULT_ROLE
    ),
    "POST /portal/enterprise/{id}/roles/unassign": role_taken,
    "POST /portal/applications/{id}/owners/add": another_owner,
    "POST /portal/applications/{id}/owners/remove": bobs_application,
    "GET /portal/enterprise/{id}": enterprise_path(),
    "GET /portal/enterprise/{id}/permissions": enterprise_path("/permissions"),
    "POST /portal/enterprise/{id}/permissions": permissions_of_an_application,
    "GET /portal/enterprise/{id}/consent": enterprise_path("/consent"),
    "POST /portal/enterprise/{id}/consent": enterprise_path(
        "/consent", api=GRAPH_RESOURCE, **{"may-User.Read.All": "on"}
    ),
    "POST /portal/enterprise/{id}/revoke": revocation,
    "POST /portal/enterprise/{id}/switch": enterprise_path("/switch", on="no"),
    "GET /portal/enterprise/{id}/delete": enterprise_path("/delete"),
    "POST /portal/enterprise/{id}/delete": enterprise_path("/delete"),
    "GET /portal/people/{id}": lambda site: (f"/portal/people/{site.world.bob}", {}),
    "GET /portal/groups/{id}": lambda site: (f"/portal/groups/{site.world.group('Crew')}", {}),
    "GET /portal/units/{id}": lambda site: (
        f"/portal/units/{site.world.unit('Lisbon').rsplit('/', 1)[1]}",
        {},
    ),
    "GET /portal/assignments/{id}/{verb}": assignment_path("update"),
    "POST /portal/assignments/{id}/{verb}": assignment_path("update", how="permanent", reason="Rooms"),
    "GET /portal/assignments/{id}/remove": assignment_path("remove"),
    "POST /portal/assignments/{id}/remove": assignment_path("remove", reason="Left"),
    "POST /portal/assignments/import": lambda site: (
        "/portal/assignments/import",
        {"csv": f"role,member,type,end\nTeams Administrator,{site.world.user('Bo')},eligible,permanent"},
    ),
    "POST /portal/assignments/add": lambda site: (
        "/portal/assignments/add",
        {
            "provider": "directory",
            "role": TEAMS,
            "scope": "/",
            "members": site.world.user("Bo"),
            "kind": "eligibility",
            "how": "permanent",
            "nonce": site.world.new_id(),
            "go": "assign",
        },
    ),
    "POST /portal/me/sessions/end": a_session_of_bob,
    "POST /portal/me/sessions/end-others": lambda _site: ("/portal/me/sessions/end-others", {}),
    "POST /portal/me/applications/end": lambda site: (
        "/portal/me/applications/end",
        {"grant": site.world.new_id()},
    ),
    "POST /portal/me/password": lambda _site: (
        "/portal/me/password",
        {"secret-password": "x", "secret-new": "y", "secret-repeat": "y"},
    ),
    "POST /portal/me/authenticator": lambda _site: (
        "/portal/me/authenticator",
        {"secret-password": "x", "seed": "y"},
    ),
    "POST /portal/me/passkeys/new": lambda _site: ("/portal/me/passkeys/new", {"secret-password": "x"}),
    "GET /portal/me/passkeys/{id}/remove": lambda _site: (f"/portal/me/passkeys/{'0' * 64}/remove", {}),
    "POST /portal/me/passkeys/{id}/remove": lambda _site: (f"/portal/me/passkeys/{'0' * 64}/remove", {}),
    "POST /portal/me/recovery-codes": lambda _site: ("/portal/me/recovery-codes", {"secret-password": "x"}),
    "GET /portal/policies/{provider}/{role}": setting_path(),
    "GET /portal/policies/{provider}/{role}/copy": setting_path("/copy"),
    "POST /portal/policies/{provider}/{role}/copy": setting_path("/copy", **{f"pick-{READER}": "on"}),
    "GET /portal/policies/{provider}/{role}/edit": setting_path("/edit"),
    "POST /portal/policies/{provider}/{role}/edit": setting_path(
        "/edit", tab="activation", maximum="60", proof="mfa", version="1"
    ),
    "GET /portal/audit/{id}": an_event_of_bob,
    "POST /portal/tenant": lambda site: ("/portal/tenant", {"tenant": site.world.new_id()}),
    "POST /portal/sign-out": lambda _site: ("/portal/sign-out", {}),
    "POST /portal/roles/deactivate": lambda site: (
        "/portal/roles/deactivate",
        {"schedule": an_active_role(site)},
    ),
    "POST /portal/activate": lambda site: ("/portal/activate", {f"pick-{site.world.new_id()}": "on"}),
    "GET /portal/roles/extend/{id}": schedule_path("extend"),
    "POST /portal/roles/extend/{id}": schedule_path("extend"),
    "GET /portal/roles/renew/{id}": schedule_path("renew"),
    "POST /portal/roles/renew/{id}": schedule_path("renew"),
    "POST /portal/approvals": approve_several,
    "POST /portal/approvals/stand-ins": lambda site: (
        "/portal/approvals/stand-ins",
        {"person": site.world.bob, "until": f"{site.world.now + timedelta(days=1):%Y-%m-%dT%H:%M}"},
    ),
    "POST /portal/approvals/stand-ins/withdraw": lambda site: (
        "/portal/approvals/stand-ins/withdraw",
        {"person": site.world.cyd},
    ),
    "GET /portal/approvals/{id}": lambda site: (approval_path(site), {}),
    "POST /portal/approvals/{id}": lambda site: (
        approval_path(site),
        {"verdict": "approve", "reason": "fine"},
    ),
    "POST /portal/bundles": lambda _site: ("/portal/bundles", {"bundle": "Morning"}),
    "POST /portal/bundles/remove": lambda _site: ("/portal/bundles/remove", {"bundle": "Morning"}),
    "POST /portal/roles/star": lambda site: ("/portal/roles/star", {"star": site.world.new_id()}),
    "GET /portal/requests/{id}": request_path(),
    "POST /portal/requests/{id}/cancel": request_path("/cancel"),
}
