"""Which pictures `make screenshots` takes: one line for each screen, whose it is, and the way there.

Every page of the portal's table has a line in SCREENS, or says in NO_PICTURE why not: a test compares them. The people are
those of the demo organisation, by their first names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

Step = Callable[[Any, "Place"], None]
ADMIN: Final = "Emergency Access 1"
PIM: Final = "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10"  # the public client of the command line


@dataclass(frozen=True, slots=True)
class Place:
    """The demo that the pictures are taken of. accounts: of demo-accounts.toml, by the person's name."""

    plain: str
    secure: str
    accounts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Screen:
    """way: what is done on the page at `path` to come to the screen, with the browser's page as argument.
    page: its row of the portal's table; empty: the one of `path`; "-": none, it is a sign-in page.
    plain: without the second factor, where that is what the screen is about."""

    name: str
    who: str
    path: str
    way: tuple[Step, ...] = ()
    page: str = ""
    plain: bool = False

    @property
    def row(self) -> str:
        return self.page or urlsplit(self.path).path


def go(page: Any, screen: Screen, there: Place) -> None:
    """All the way to the screen. RuntimeError: the server failed on the way."""
    failed: list[str] = []
    page.on("response", lambda one: failed.append(one.url) if one.status >= 500 else None)
    page.goto(screen.path.replace("{secure}", there.secure))
    for step in screen.way:
        step(page, there)
    page.wait_for_load_state("load")
    if failed:
        raise RuntimeError(f"the server failed at {', '.join(failed)}")


def follow(selector: str, number: int = 0) -> Step:
    """Go where a link leads."""
    return lambda page, _: page.goto(page.locator(selector).nth(number).get_attribute("href", timeout=5000))


def press(name: str) -> Step:
    """A button of the screen itself, by what is written on it."""

    def step(page: Any, _there: Place) -> None:
        page.locator("main").get_by_role("button", name=name, exact=True).first.click()
        page.wait_for_load_state("load")

    return step


def fill(label: str, value: str) -> Step:
    return lambda page, _: page.get_by_label(label).first.fill(value)


def tick(label: str) -> Step:
    return lambda page, _: page.get_by_label(label).first.check()


def choose(label: str, option: str) -> Step:
    """Of a list; with the script, a long one is searched."""

    def step(page: Any, _there: Place) -> None:
        page.wait_for_load_state("load")
        page.locator("select[data-pick-here]:visible").first.wait_for(state="detached")
        field = page.get_by_role("combobox", name=label, exact=True)
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(label=option)
            return
        field.fill(option)
        page.get_by_role("option", name=option, exact=True).click()

    return step


def unfold(page: Any, _there: Place) -> None:
    """Open what is folded."""
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")


def signed_in(name: str) -> Step:
    """By password, on a sign-in page."""

    def step(page: Any, there: Place) -> None:
        account = there.accounts[name]
        page.get_by_label("User name").fill(account["user"])
        page.get_by_label("Password").fill(account["password"])
        press("Sign in")(page, there)

    return step


def code_typed(page: Any, there: Place) -> None:
    """A device asks for a code, and somebody types it."""
    asked = page.request.post(
        f"{there.secure}/organizations/oauth2/v2.0/devicecode",
        form={"client_id": PIM, "scope": "openid"},
    )
    fill("Code that the device shows", asked.json()["user_code"])(page, there)
    press("Next")(page, there)


REGISTER: Final = (
    fill("Name", "Meeting Planner"),
    tick("Public client"),
    fill("Redirect addresses", "https://planner.tidewater.example/done"),
)


def let_in(page: Any, there: Place) -> None:
    """The application whose page this is asks to act for whoever is signed in."""
    client = page.locator("main dd code").first.inner_text()
    asked = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": "https://planner.tidewater.example/done",
        "scope": "https://graph.microsoft.com/RoleAssignmentSchedule.ReadWrite.Directory openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page.goto(f"{there.secure}/organizations/oauth2/v2.0/authorize?{urlencode(asked)}")


def a_target(page: Any, _there: Place) -> None:
    """The page of a real system: of the one there is, or of one that is added, of a kind that needs no server."""
    page.goto("/portal/targets")
    there = page.locator("main td a")
    if there.count():
        page.goto(there.first.get_attribute("href"))
        return
    page.goto("/portal/targets/new")
    kind = "twin" if page.locator("main a[href$='kind=twin']").count() else "ssh"
    page.goto(f"/portal/targets/new?kind={kind}")
    page.locator("#name").fill("Bastion hosts")
    page.locator("#managed").fill("deploy\noperate")
    page.locator("#subject").fill("{localPart}")
    if page.locator("#setting-host").count():
        page.locator("#setting-host").fill("bastion.tidewater.example")
    press("Add and check")(page, _there)
    target = page.locator("main .trail a").last.get_attribute("href")
    page.goto(f"{target}/rules/new?role=security+reader&entitlement=deploy")
    press("Next: what it changes")(page, _there)
    press("Add the mapping")(page, _there)
    page.goto(target)
    press("Look now")(page, _there)


def another_mapping(page: Any, there: Place) -> None:
    """What one more would change in it."""
    a_target(page, there)
    page.goto(f"{page.url}/rules/new?role=security+reader&entitlement=operate")
    press("Next: what it changes")(page, there)


AN_APPLICATION: Final = follow("main td a:has-text('Compliance Exporter')")
TEAMS: Final = "69091246-20e8-4a56-aa4d-066075b2a7a8"
SETTINGS: Final = "/portal/policies/{provider}/{role}"
MEMBERS: Final = "greta.holmsund@tidewater.example\nSupport Operations"
CSV: Final = (
    "role,scope,member,type,end,justification\n"
    "Reports Reader,/,greta.holmsund@tidewater.example,eligible,2027-06-30,Quarterly figures\n"
    "Helpdesk Administrator,/,nobody@tidewater.example,eligible,2027-06-30,Second line\n"
)

SCREENS: Final = (
    # -- signing in
    Screen("sign-in", "", "/portal/roles", page="-"),
    Screen(
        "sign-in-wrong",
        "",
        "/portal/roles",
        (fill("User name", "mira.solbergen@tidewater.example"), fill("Password", "wrong"), press("Sign in")),
        page="-",
    ),
    Screen("sign-in-second-factor", "", "/portal/roles", (signed_in(ADMIN),), page="-"),
    Screen(
        "step-up",
        "Dana",
        "/portal/activate?name=Privileged+Role&reason=Clean-up",
        (press("Activate"),),
        page="-",
        plain=True,
    ),
    Screen(
        "enrol",
        "Mira",
        "/portal/activate?name=Exchange&reason=Shared+mailbox",
        (press("Activate"),),
        page="-",
        plain=True,
    ),
    Screen("device-code", "", "{secure}/devicelogin", page="-"),
    Screen("device-sign-in", "", "{secure}/devicelogin", (code_typed,), page="-"),
    Screen("device-confirm", "", "{secure}/devicelogin", (code_typed, signed_in("Mira Solbergen")), page="-"),
    # -- My roles
    Screen("my-roles", "Mira", "/portal/roles"),
    Screen("my-roles-nothing-found", "Mira", "/portal/roles?q=zebra", page="/portal/roles"),
    Screen("my-roles-none", "Greta", "/portal/roles"),
    Screen("my-roles-active", "Callum", "/portal/roles/active"),
    Screen("my-roles-active-none", "Greta", "/portal/roles/active"),
    Screen("my-roles-pending", "Priya", "/portal/roles/pending"),
    Screen("my-roles-expired", "Mira", "/portal/roles/expired"),
    Screen(
        "activate", "Mira", "/portal/activate?name=Teams&reason=Meeting+rooms+for+the+new+floor", (unfold,)
    ),
    Screen("activate-step-up", "Mira", "/portal/activate?name=Exchange", plain=True),
    Screen("activate-several", "Mira", "/portal/activate?name=Owner"),
    Screen(
        "activate-refused",
        "Mira",
        "/portal/activate?name=Teams&reason=Meeting+rooms",
        (fill("Ticket number", " "), fill("Ticket system", " "), press("Activate")),
    ),
    Screen(
        "extend",
        "Callum",
        "/portal/roles/active",
        (follow("main a[href*='/extend/']"),),
        "/portal/roles/extend/{id}",
    ),
    Screen("request", "Priya", "/portal/roles/pending", (follow(".what a"),), "/portal/requests/{id}"),
    Screen("bundles", "Mira", "/portal/bundles"),
    # -- approving
    Screen("approvals", "Jonas", "/portal/approvals"),
    Screen("approvals-none", "Greta", "/portal/approvals"),
    Screen("approval", "Jonas", "/portal/approvals", (follow(".what a"),), "/portal/approvals/{id}"),
    Screen("stand-ins", "Jonas", "/portal/approvals/stand-ins"),
    # -- assignments
    Screen("assignments", ADMIN, "/portal/assignments"),
    Screen("assignments-active", ADMIN, "/portal/assignments?tab=active"),
    Screen("assignments-expired", ADMIN, "/portal/assignments?tab=expired&kind=assignment"),
    Screen("assignments-groups", ADMIN, "/portal/assignments?provider=group"),
    Screen("assignments-resources", ADMIN, "/portal/assignments?provider=resource"),
    Screen("add-assignments-role", ADMIN, "/portal/assignments/add"),
    Screen(
        "add-assignments-members",
        ADMIN,
        "/portal/assignments/add",
        (choose("Role", "Reports Reader"), press("Next: members")),
    ),
    Screen(
        "add-assignments-setting",
        ADMIN,
        "/portal/assignments/add",
        (
            choose("Role", "Reports Reader"),
            press("Next: members"),
            fill("Members", MEMBERS),
            press("Next: setting"),
        ),
    ),
    Screen(
        "add-assignments-wrong",
        ADMIN,
        "/portal/assignments/add",
        (
            choose("Role", "Reports Reader"),
            press("Next: members"),
            fill("Members", "nobody at all"),
            press("Next: setting"),
        ),
    ),
    Screen(
        "assignment-update",
        ADMIN,
        "/portal/assignments",
        (follow("main a[href$='/update']"),),
        "/portal/assignments/{id}/{verb}",
    ),
    Screen(
        "assignment-remove",
        ADMIN,
        "/portal/assignments",
        (follow("main a[href$='/remove']"),),
        "/portal/assignments/{id}/remove",
    ),
    Screen("bulk", ADMIN, "/portal/assignments/import"),
    Screen("bulk-preview", ADMIN, "/portal/assignments/import", (fill("CSV", CSV), press("Preview"))),
    # -- role settings
    Screen("role-settings", ADMIN, "/portal/policies"),
    Screen("role-settings-groups", ADMIN, "/portal/policies/groups"),
    Screen("role-settings-resources", ADMIN, "/portal/policies/resources"),
    Screen("role-settings-one", ADMIN, f"/portal/policies/directory/{TEAMS}", page=SETTINGS),
    Screen(
        "role-settings-assignment", ADMIN, f"/portal/policies/directory/{TEAMS}?tab=assignment", page=SETTINGS
    ),
    Screen(
        "role-settings-notification",
        ADMIN,
        f"/portal/policies/directory/{TEAMS}?tab=notification",
        page=SETTINGS,
    ),
    Screen(
        "role-settings-edit-activation",
        ADMIN,
        f"/portal/policies/directory/{TEAMS}/edit",
        page=SETTINGS + "/edit",
    ),
    Screen(
        "role-settings-edit-assignment",
        ADMIN,
        f"/portal/policies/directory/{TEAMS}/edit?tab=assignment",
        page=SETTINGS + "/edit",
    ),
    Screen(
        "role-settings-edit-notification",
        ADMIN,
        f"/portal/policies/directory/{TEAMS}/edit?tab=notification",
        page=SETTINGS + "/edit",
    ),
    Screen("role-settings-copy", ADMIN, f"/portal/policies/directory/{TEAMS}/copy", page=SETTINGS + "/copy"),
    # -- directory and resources
    Screen("people", ADMIN, "/portal/people"),
    Screen(
        "person",
        ADMIN,
        "/portal/people?q=mira",
        (follow("main a[href*='/portal/people/']"),),
        "/portal/people/{id}",
    ),
    Screen("groups", ADMIN, "/portal/groups"),
    Screen(
        "group",
        ADMIN,
        "/portal/groups?q=sg-admins",
        (follow("main a[href*='/portal/groups/']"),),
        "/portal/groups/{id}",
    ),
    Screen("units", ADMIN, "/portal/units"),
    Screen("unit", ADMIN, "/portal/units", (follow("main a[href*='/portal/units/']"),), "/portal/units/{id}"),
    Screen("resources", "Dana", "/portal/resources"),
    Screen(
        "resource",
        "Dana",
        "/portal/resources",
        (follow("main a[href*='/portal/resources/place']", 3),),
        "/portal/resources/place",
    ),
    # -- looking back
    Screen("audit", "Ines", "/portal/audit"),
    Screen("audit-all", "Ines", "/portal/audit/all"),
    Screen(
        "audit-event",
        "Ines",
        "/portal/audit/all",
        (follow("main a[href*='/portal/audit/']:not([href*='csv']):not([href*='json']):not([href*='all'])"),),
        "/portal/audit/{id}",
    ),
    Screen("overview", "Ines", "/portal/overview"),
    Screen("timeline", "Ines", "/portal/timeline?scope=directory:/&zoom=1w"),
    Screen("timeline-mine", "Mira", "/portal/timeline"),
    # -- oneself
    Screen("sessions", "Mira", "/portal/me"),
    Screen("my-notifications", "Mira", "/portal/me/notifications"),
    Screen("notifications", ADMIN, "/portal/notifications"),
    Screen("methods", "Mira", "/portal/me/methods"),
    Screen("method-password", "Dana", "/portal/me/password"),
    Screen("method-authenticator", "Dana", "/portal/me/authenticator"),
    Screen("method-recovery-codes", "Dana", "/portal/me/recovery-codes"),
    Screen("method-passkey", "Dana", "/portal/me/passkeys/new"),
    # -- applications and the organisation
    Screen("applications", ADMIN, "/portal/applications"),
    Screen("application", ADMIN, "/portal/applications", (AN_APPLICATION,), "/portal/applications/{id}"),
    Screen("applications-owned", ADMIN, "/portal/applications/owned"),
    Screen("application-new", ADMIN, "/portal/applications/new", REGISTER),
    Screen(
        "application-registered",
        ADMIN,
        "/portal/applications/new",
        (*REGISTER, press("Register")),
        "/portal/applications/{id}",
    ),
    Screen("consent", ADMIN, "/portal/applications/new", (*REGISTER, press("Register"), let_in), page="-"),
    Screen(
        "application-edit",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/edit']")),
        "/portal/applications/{id}/edit",
    ),
    Screen(
        "application-claims",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/claims']")),
        "/portal/applications/{id}/claims",
    ),
    Screen(
        "application-role",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/roles/new']")),
        "/portal/applications/{id}/roles/new",
    ),
    Screen(
        "application-secret",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/secrets/new']")),
        "/portal/applications/{id}/secrets/new",
    ),
    Screen(
        "application-secret-made",
        ADMIN,
        "/portal/applications",
        (
            AN_APPLICATION,
            follow("main a[href$='/secrets/new']"),
            fill("Description", "build server"),
            press("Add"),
        ),
        "/portal/applications/{id}/secrets/new",
    ),
    Screen(
        "application-certificate",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/certificates/new']")),
        "/portal/applications/{id}/certificates/new",
    ),
    Screen(
        "application-secret-remove",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/remove']")),
        "/portal/applications/{id}/secrets/{key}/remove",
    ),
    Screen(
        "application-delete",
        ADMIN,
        "/portal/applications",
        (AN_APPLICATION, follow("main a[href$='/delete']")),
        "/portal/applications/{id}/delete",
    ),
    Screen("enterprise-applications", ADMIN, "/portal/enterprise"),
    Screen(
        "enterprise-application",
        ADMIN,
        "/portal/enterprise",
        (AN_APPLICATION,),
        "/portal/enterprise/{id}",
    ),
    Screen(
        "enterprise-roles",
        ADMIN,
        "/portal/enterprise",
        (AN_APPLICATION, follow("main a[href$='/roles']")),
        "/portal/enterprise/{id}/roles",
    ),
    Screen(
        "enterprise-permissions",
        ADMIN,
        "/portal/enterprise",
        (AN_APPLICATION, follow("main a[href$='/permissions']")),
        "/portal/enterprise/{id}/permissions",
    ),
    Screen(
        "enterprise-consent",
        ADMIN,
        "/portal/enterprise",
        (AN_APPLICATION, follow("main a[href$='/consent']")),
        "/portal/enterprise/{id}/consent",
    ),
    Screen(
        "enterprise-delete",
        ADMIN,
        "/portal/enterprise",
        (AN_APPLICATION, follow("main a[href$='/delete']")),
        "/portal/enterprise/{id}/delete",
    ),
    Screen("audit-log", ADMIN, "/portal/audit-log"),
    Screen("streams", ADMIN, "/portal/streams"),
    Screen("stream-new", ADMIN, "/portal/streams/new"),
    Screen("signals", ADMIN, "/portal/signals"),
    Screen("targets", ADMIN, "/portal/targets", (a_target, follow("main .trail a"))),
    Screen("target-kinds", ADMIN, "/portal/targets/new"),
    Screen("target-new", ADMIN, "/portal/targets/new", (follow("main .what a", -1), unfold)),
    Screen("target", ADMIN, "/portal/targets", (a_target,), "/portal/targets/{id}"),
    Screen(
        "target-check",
        ADMIN,
        "/portal/targets",
        (a_target, follow("main a[href$='/check']")),
        "/portal/targets/{id}/check",
    ),
    Screen(
        "target-rule",
        ADMIN,
        "/portal/targets",
        (a_target, follow("main a[href$='/rules/new']")),
        "/portal/targets/{id}/rules/new",
    ),
    Screen(
        "target-preview",
        ADMIN,
        "/portal/targets",
        (another_mapping,),
        "/portal/targets/{id}/rules/new",
    ),
    Screen("provisioning", ADMIN, "/portal/provisioning"),
    Screen("provisioning-token", ADMIN, "/portal/provisioning/new"),
    Screen("channels", ADMIN, "/portal/channels"),
    Screen("channel-new", ADMIN, "/portal/channels/new"),
    Screen("organisation", ADMIN, "/portal/organisation"),
    # -- what goes wrong
    Screen("nowhere", "Mira", "/portal/nowhere", page="-"),
)

NO_PICTURE: Final = {
    "/portal/roles/renew/{id}": "the form is the one that extends",
    "/portal": "leads on to My roles",
    "/portal/roles/eligible": "the same screen as /portal/roles",
    "/portal/assignments/csv": "a download",
    "/portal/assignments/json": "a download",
    "/portal/approvals/count": "a number for the menu",
    "/portal/pick": "suggestions for a field",
    "/portal/assignments/import/template": "a download",
    "/portal/targets/{id}/agent": "the demo has no hosts; facts and two buttons, as elsewhere",
    "/portal/targets/{id}/edit": "the form is the one of a new system",
    "/portal/targets/{id}/secrets": "a part of the form of a new system",
    "/portal/targets/{id}/foreign": "a choice and a table, as elsewhere",
    "/portal/targets/{id}/remove": "the page asks once more, as others do",
    "/portal/targets/{id}/rules/{rule}/remove": "the page is the one that shows what a new mapping changes",
    "/portal/provisioning/{id}/remove": "the demo has no tokens; the page asks once more, as others do",
    "/portal/signals/{id}": "the demo has no receivers; facts and buttons, as elsewhere",
    "/portal/signals/{id}/remove": "the demo has no receivers; the page asks once more, as others do",
    "/portal/streams/{id}": "the form is the one of a new stream",
    "/portal/streams/{id}/remove": "the demo has no streams; the page asks once more, as others do",
    "/portal/channels/{id}": "the form is the one of a new channel",
    "/portal/channels/{id}/remove": "the demo has no channels; the page asks once more, as others do",
    "/portal/audit/csv": "a download",
    "/portal/audit/jsonl": "a download",
    "/portal/me/passkeys/{id}/remove": "the demo's people have no passkeys; the form is the one of the other methods",
}
