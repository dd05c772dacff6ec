"""Adding a real system, changing one, and giving it new secrets: forms made from what its kind says of its settings. A secret
is typed in and never shown; what else was typed stays when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openpim.core.connecting import Foreign, Target
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.targets import FOREIGN, HERE, NAV, label, may, of_path
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.ports.connector import ConnectorKind, Setting
from openpim.services.connecting import manage
from openpim.services.connecting.checking import LONGEST_ENTITLEMENT, LONGEST_SETTING, Desired
from openpim.services.connecting.manage import View
from openpim.services.signin.portal import SECRET

SETTING: Final = "setting-"
_MOST: Final = 300_000  # characters of a list that are looked at: more than a form may have
_WHOLE: Final = {"displayName": "name"}


@dataclass(frozen=True, slots=True)
class Field:
    """A setting as the form shows it. given: a secret that is set already. value: never of a secret."""

    name: str
    label: str
    help: str
    setting: Setting
    value: str
    error: str
    given: bool


def blank(call: Call) -> Answer:
    """Which kind, and then its form."""
    name = call.query.get("kind", "")[:60]
    if not name:
        values = {"kinds": settled(manage.kinds(call.deps, call.caller)), "may": may(call), "back": HERE}
        return Show("target_kinds.html", values, nav=NAV)
    kind = settled(manage.kind_called(call.deps, call.caller, name))
    return _form(call, kind, None, Typed({"subject": kind.subject, "foreign": Foreign.ALERT.value}))


def added(call: Call) -> Answer:
    typed = Typed(dict(call.form))
    kind = settled(manage.kind_called(call.deps, call.caller, typed.text("kind", 60)))
    desired = _read(kind, typed)
    if typed.errors:
        return _form(call, kind, None, typed, 400)
    made = manage.create(call.deps, call.caller, kind.name, desired)
    if isinstance(made, Refusal):
        return _refused(call, kind, None, typed, made)
    name = made.target.name
    return Go(f"{HERE}/{made.target.id}/check", t("{name} is added. This is what it answers.", name=name))


def edit(call: Call) -> Answer:
    view = of_path(call)
    target = view.target
    fields = {
        "name": target.name,
        "subject": target.subject,
        "managed": "\n".join(target.managed),
        "foreign": target.foreign.value,
        "seen": str(target.version),
        **{SETTING + name: value for name, value in target.settings.items()},
    }
    return _form(call, _kind(call, target), view, Typed(fields))


def changed(call: Call) -> Answer:
    view = of_path(call)
    kind = _kind(call, view.target)
    typed = Typed(dict(call.form))
    desired = _read(kind, typed)
    if typed.errors:
        return _form(call, kind, view, typed, 400)
    done = manage.update(call.deps, call.caller, view.target.id, desired, seen=_seen(typed))
    if isinstance(done, Refusal):
        return _refused(call, kind, view, typed, done)
    name = done.target.name
    return Go(f"{HERE}/{done.target.id}/check", t("{name} is changed. This is what it answers.", name=name))


def secrets(call: Call) -> Answer:
    view = of_path(call)
    return _secrets(call, _kind(call, view.target), view, Typed({}))


def secrets_changed(call: Call) -> Answer:
    view = of_path(call)
    kind = _kind(call, view.target)
    typed = Typed(dict(call.form))
    given = _read_secrets(kind, typed)
    if not typed.errors and not given:
        typed.wrong("", t("Type at least one new secret."))
    if typed.errors:
        return _secrets(call, kind, view, typed, 400)
    done = manage.update(call.deps, call.caller, view.target.id, Desired(secrets=given))
    if isinstance(done, Refusal):
        typed.wrong(_field_of(done, kind), done.message)
        return _secrets(call, kind, view, typed, status_of(done))
    return Go(f"{HERE}/{view.target.id}/check", t("{name} has new secrets.", name=view.target.name))


def rotated(call: Call) -> Answer:
    """New secrets of a kind that makes its own."""
    view = settled(manage.rotate(call.deps, call.caller, of_path(call).target.id))
    return Go(f"{HERE}/{view.target.id}/check", t("{name} has new secrets.", name=view.target.name))


# ---------------------------------------------------------------- inside


def _kind(call: Call, target: Target) -> ConnectorKind:
    return settled(manage.kind_called(call.deps, call.caller, target.kind))


def _seen(typed: Typed) -> int:
    text = typed.text("seen", 9)
    return int(text) if text.isascii() and text.isdigit() else -1


def _read(kind: ConnectorKind, typed: Typed) -> Desired:
    wanted = typed.text("foreign", 10)
    if wanted not in list(Foreign):
        raise RefusedError(Refusal(Code.INVALID, "Choose what is done with access from elsewhere."))
    return Desired(
        name=typed.text("name", 200),
        settings={
            one.name: typed.text(SETTING + one.name, LONGEST_SETTING + 1).replace("\r\n", "\n")
            for one in kind.settings
            if not one.secret
        },
        secrets=_read_secrets(kind, typed),
        managed=_lines(typed),
        subject=typed.text("subject", 400),
        foreign=Foreign(wanted),
    )


def _read_secrets(kind: ConnectorKind, typed: Typed) -> dict[str, str]:
    """Those that were typed. An empty field keeps what there is."""
    names = (one.name for one in kind.settings if one.secret)
    return {name: text for name in names if (text := typed.secret(name, LONGEST_SETTING + 1))}


def _lines(typed: Typed) -> tuple[str, ...]:
    lines = (line.strip()[: LONGEST_ENTITLEMENT + 1] for line in typed.text("managed", _MOST).splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def _field_of(refusal: Refusal, kind: ConnectorKind) -> str:
    """The field of the form that a member of the act is."""
    member = refusal.member or ""
    sort, _, name = member.partition(".")
    known = {one.name for one in kind.settings}
    if sort in {"settings", "secrets"}:
        return {"settings": SETTING, "secrets": SECRET}[sort] + name if name in known else ""
    return _WHOLE.get(member, member if member in {"name", "managed", "subject"} else "")


def _refused(call: Call, kind: ConnectorKind, view: View | None, typed: Typed, refusal: Refusal) -> Answer:
    typed.wrong(_field_of(refusal, kind), refusal.message)
    return _form(call, kind, view, typed, status_of(refusal))


def _fields(kind: ConnectorKind, view: View | None, typed: Typed) -> list[Field]:
    made = []
    for one in kind.settings:
        name = (SECRET if one.secret else SETTING) + one.name
        value = "" if one.secret else typed.fields.get(name, "" if view is not None else _usual(one))
        error = typed.errors.get(name, "")
        given = one.secret and view is not None and one.name in view.secrets
        words = one.help[:1].upper() + one.help[1:]
        made.append(Field(name, label(one.name), t(words), one, value, error, given))
    return made


def _usual(one: Setting) -> str:
    """What stands in a new form: of a choice what is usual; elsewhere empty is usual, and the hint says what that is."""
    return one.default if one.choices else ""


def _form(call: Call, kind: ConnectorKind, view: View | None, typed: Typed, status: int = 200) -> Show:
    fields = _fields(kind, view, typed)
    first = [one for one in fields if one.setting.required or one.setting.secret]
    rest = [one for one in fields if one not in first]
    values = {
        "kind": kind,
        "target": view.target if view is not None else None,
        "fields": first or rest,
        "rest": rest if first else [],
        "rest_open": any(one.error for one in rest),
        "foreigns": [(one.value, t(words)) for one, words in FOREIGN.items()],
        "typed": typed,
        "managed": typed.text("managed", _MOST),
        "may": may(call),
        "action": f"{HERE}/{view.target.id}/edit" if view is not None else f"{HERE}/new",
        "back": f"{HERE}/{view.target.id}" if view is not None else HERE,
    }
    return Show("target_form.html", values, status, nav=NAV)


def _secrets(call: Call, kind: ConnectorKind, view: View, typed: Typed, status: int = 200) -> Show:
    values = {
        "kind": kind,
        "target": view.target,
        "fields": [one for one in _fields(kind, view, typed) if one.setting.secret],
        "made_here": kind.make_secrets is not None,
        "typed": typed,
        "may": may(call),
        "here": f"{HERE}/{view.target.id}",
    }
    return Show("target_secrets.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", f"{HERE}/new", blank),
    Page("POST", f"{HERE}/new", added),
    Page("GET", f"{HERE}/{{id}}/edit", edit),
    Page("POST", f"{HERE}/{{id}}/edit", changed),
    Page("GET", f"{HERE}/{{id}}/secrets", secrets),
    Page("POST", f"{HERE}/{{id}}/secrets", secrets_changed),
    Page("POST", f"{HERE}/{{id}}/rotate", rotated),
)
