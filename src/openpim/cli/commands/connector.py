"""`pim connector`: the real systems that privileges take effect in, and what has come of it there."""

from __future__ import annotations

from openpim.cli.context import read_text
from openpim.cli.match import called
from openpim.cli.output import local, one_line
from openpim.client.errors import PimError
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """List, add (add), change (set), show and remove the real systems (targets) that privileges take effect in, and say
what a role or group gives there (map, unmap) and how somebody is called there (name). probe tries the account there; plan shows
what would be done now, apply does it at once; effects shows who has what by it, drift what others gave; rotate makes new secrets
where OpenPIM makes them. OpenPIM only."""
EXAMPLES = """examples:
  pim connector
  pim connector kinds
  pim connector add payroll-db --kind postgresql --set host=db.example.com --set user=pim \\
      --secret password=@/run/secrets/pim --manage payroll_admin --subject "{localPart}"
  pim connector map payroll-db "Payroll Administrators" payroll_admin
  pim connector map payroll-db Owner@prod payroll_admin
  pim connector name payroll-db anna@contoso.com aschmidt
  pim connector probe payroll-db
  pim connector plan payroll-db
  pim connector drift payroll-db
  pim connector remove payroll-db
"""
PATH = "/openPim/targets"
COLUMNS = (
    ("displayName", "NAME"), ("kind", "KIND"), ("state", "STATE"), ("effective", "EFFECTIVE"), ("waiting", "WAITING"),
    ("failing", "FAILED LOOKS"), ("drift", "DRIFT"), ("lastLook", "LAST LOOK"),
)  # fmt: skip
_EFFECTS = (
    ("subject", "WHO"), ("entitlement", "WHAT"), ("state", "STATE"), ("until", "UNTIL"), ("error", "ERROR"),
)  # fmt: skip
_PLANNED = (("operation", "OPERATION"), ("subject", "WHO"), ("entitlement", "WHAT"), ("until", "UNTIL"))
_DRIFT = (("subject", "WHO"), ("entitlement", "WHAT"))
_KINDS = (("id", "KIND"), ("displayName", "SYSTEM"), ("settings", "SETTINGS"))
_MAPPINGS = (
    ("entitlement", "WHAT"),
    ("role", "ROLE"),
    ("scope", "WHERE"),
    ("id", "MAPPING"),
)
_ACTS = (
    "list", "kinds", "show", "add", "set", "map", "unmap", "name", "probe", "plan", "apply", "drift", "effects", "rotate",
    "remove",
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    from argparse import BooleanOptionalAction

    parser.add_argument("act", nargs="?", default="list", choices=_ACTS, help="what to do (default: list)")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="name or id of the target")
    parser.add_argument(
        "what", nargs="*", metavar="WHAT", help="map: ROLE ENTITLEMENT; unmap: MAPPING; name: WHO SUBJECT"
    )
    parser.add_argument("--kind", default="", metavar="KIND", help="of a new one (see: pim connector kinds)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="a setting of its kind; @FILE: what is in the file, @@TEXT: a text that begins with @",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME=@FILE",
        help="a secret of its kind, read from a file (@-: asked for, or from standard input)",
    )
    parser.add_argument(
        "--manage",
        action="append",
        default=[],
        metavar="ENTITLEMENT",
        help="what may be given and taken there, and nothing else; several times for several (replaces those there)",
    )
    parser.add_argument("--subject", default="", metavar="PATTERN", help="how people are called there")
    parser.add_argument(
        "--foreign",
        default="",
        choices=("alert", "remove", "adopt"),
        help="what is done with access that others gave (default: alert)",
    )
    parser.add_argument(
        "--enabled",
        action=BooleanOptionalAction,
        default=None,
        help="switch it on, or leave it as it is for a while",
    )
    parser.add_argument(
        "--on", default="", metavar="SCOPE", dest="scope", help="where the role of `map` is held"
    )


def run(args: Namespace, context: Context) -> int:
    """List or carry out."""
    if context.profile.kind != "openpim":
        raise PimError("usage", "Microsoft Entra knows no such thing", "use an OpenPIM server")
    if args.act == "kinds":
        return _kinds(context)
    if args.act == "list" and not args.name:
        rows = [_shown(row) for row in context.graph.rows(PATH, beta=True)]
        context.printer.rows(rows, COLUMNS, empty="There is no target. Add one: pim connector add")
        return 0
    if not args.name:
        hint = "pim connector add NAME --kind KIND" if args.act == "add" else "list them: pim connector"
        raise PimError("usage", "say which", hint)
    if args.act == "add":
        return _add(args, context)
    rows = context.graph.rows(PATH, beta=True)
    found = called(args.name, rows, "target", "list them: pim connector")
    name, path = text(found.get("displayName")), f"{PATH}/{text(found.get('id'))}"
    acts = {
        "list": _show, "show": _show, "set": _set, "map": _map, "unmap": _unmap, "name": _name, "probe": _probe,
        "plan": _plan, "apply": _apply, "drift": _drift, "effects": _effects, "rotate": _rotate, "remove": _remove,
    }  # fmt: skip
    return acts[args.act](args, context, found, name, path)


def _kinds(context: Context) -> int:
    rows = []
    for row in context.graph.rows("/openPim/connectorKinds", beta=True):
        settings = row.get("settings")
        names = (
            [_setting(one) for one in settings if isinstance(one, dict)] if isinstance(settings, list) else []
        )
        rows.append({**row, "settings": ", ".join(names)})
    context.printer.rows(rows, _KINDS, empty="This server has no connectors.")
    return 0


def _setting(one: Row) -> str:
    marks = "*" if one.get("isRequired") is True else ""
    return f"{text(one.get('name'))}{marks}{' (secret)' if one.get('isSecret') is True else ''}"


def _add(args: Namespace, context: Context) -> int:
    if not args.kind:
        raise PimError("usage", "say of which kind it is", "with --kind; list them: pim connector kinds")
    body = {"kind": args.kind, "displayName": args.name, **_body(args, context)}
    answer = context.graph.request("POST", PATH, body, beta=True)
    return _say(context, f"{args.name} is added. Next: pim connector probe {args.name!r}", answer)


def _set(args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    answer = context.graph.request("PATCH", path, _body(args, context), beta=True)
    return _say(context, f"{name} is changed.", answer)


def _body(args: Namespace, context: Context) -> Row:
    body: Row = {
        "settings": {
            key: _text_or_file(value) for key, value in (_pair(one, "--set") for one in args.settings)
        }
        or None,
        "secrets": {
            key: context.secret(f"--secret {key}=", value)
            for key, value in (_pair(one, "--secret") for one in args.secret)
        }
        or None,
        "managed": args.manage or None,
        "subject": args.subject or None,
        "foreign": args.foreign or None,
        "isEnabled": args.enabled,
    }
    return {key: value for key, value in body.items() if value is not None}


def _text_or_file(value: str) -> str:
    """@FILE: what is in it. @@: a text that begins with one @."""
    if value.startswith("@@"):
        return value[1:]
    return read_text(value[1:]) if value.startswith("@") else value


def _pair(given: str, option: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals or not key.strip():
        raise PimError("usage", f"{option} {given[:60]!r} has no =", f"write {option} NAME=VALUE")
    return key.strip(), value


def _map(args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    from openpim.cli import administering

    if len(args.what) != 2:
        raise PimError("usage", "say which role gives what", "pim connector map NAME ROLE ENTITLEMENT")
    what = administering.target(context.pim, args.what[0], args.scope)
    body = {
        "provider": what.provider,
        "roleDefinitionId": what.role_id.rpartition("/")[2],
        "scopeId": what.scope or "/",
        "entitlement": args.what[1],
    }
    answer = context.graph.request("POST", f"{path}/mappings", body, beta=True)
    row = answer if isinstance(answer, dict) else {}
    if context.printer.for_people:
        context.printer.line(one_line(f"{what.label} gives {text(row.get('entitlement'))} in {name}."))
    else:
        context.printer.one(row, (("id", "MAPPING"), ("entitlement", "WHAT")))
    return 0


def _unmap(args: Namespace, context: Context, found: Row, name: str, path: str) -> int:
    mappings = [one for one in found.get("mappings") or [] if isinstance(one, dict)]
    wanted = args.what[0].lower() if args.what else ""
    some = [one for one in mappings if wanted in {text(one.get("id")), text(one.get("entitlement")).lower()}]
    if len(some) != 1:
        raise PimError("usage", "say which mapping", f"by its id, as in: pim connector show {name!r}")
    context.graph.request("DELETE", f"{path}/mappings/{text(some[0].get('id'))}", beta=True)
    return _say(context, f"{name} does not give {text(some[0].get('entitlement'))} by it any more.", None)


def _name(args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    from openpim.cli import administering

    if len(args.what) not in {1, 2}:
        raise PimError("usage", "say who is called what", "pim connector name NAME WHO SUBJECT")
    who = administering.principal(context.graph, args.what[0])
    said = args.what[1] if len(args.what) == 2 else ""
    context.graph.request("PUT", f"{path}/subjects/{who['id']}", {"subject": said or None}, beta=True)
    called = f"is called {said}" if said else "is called as the pattern says"
    return _say(context, f"{administering.principal_label(who)} {called} in {name}.", None)


def _probe(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    answer = context.graph.request("POST", f"{path}/probe", beta=True)
    row = answer if isinstance(answer, dict) else {}
    lacks, excess = _list(row, "lacks"), _list(row, "excess")
    if not context.printer.for_people:
        context.printer.one(row, tuple((key, key) for key in row if not key.startswith("@")))
        return 0 if row.get("isFit") is True else 1
    if row.get("isReachable") is not True:
        raise PimError(
            "server", f"{name} cannot be used: {text(row.get('fault'))}", "mend that, and probe again"
        )
    context.printer.line(one_line(f"{name} answers: {text(row.get('version')) or 'it says no version'}"))
    for one in lacks:
        context.printer.line(one_line(f"It lacks: {one}"))
    for one in excess:
        context.printer.line(one_line(f"It has too much: {one}"))
    if not lacks and not excess:
        context.printer.line("It has the rights that it needs, and no more.")
    return 1 if lacks else 0


def _plan(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    answer = context.graph.request("POST", f"{path}/plan", beta=True)
    row = answer if isinstance(answer, dict) else {}
    rows = [{**one, "until": local(text(one.get("untilDateTime")))} for one in _rows(row, "operations")]
    context.printer.rows(rows, _PLANNED, empty=f"{name} is as it should be: there is nothing to do.")
    if context.printer.for_people:
        for one in _rows(row, "problems"):
            context.printer.line(one_line(f"{text(one.get('displayName'))}: {text(one.get('problem'))}"))
    return 0


def _apply(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    answer = context.graph.request("POST", f"{path}/apply", beta=True)
    row = answer if isinstance(answer, dict) else {}
    if row.get("fault"):
        raise PimError("server", f"{name}: {text(row.get('fault'))}", "it is tried again by itself")
    return _say(context, f"{name} is as it should be ({row.get('operations', 0)} changed).", None)


def _drift(_args: Namespace, context: Context, found: Row, name: str, _path: str) -> int:
    context.printer.rows(_rows(found, "drift"), _DRIFT, empty=f"Nobody else gave anything in {name}.")
    return 0


def _effects(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    rows = [
        {
            **one,
            "state": "failing" if one.get("isFailing") is True else text(one.get("state")),
            "until": local(text(one.get("untilDateTime"))),
            "error": text(one.get("lastError")),
        }
        for one in context.graph.rows(f"{path}/effects", beta=True)
    ]
    context.printer.rows(rows, _EFFECTS, empty=f"Nobody has anything in {name} from here.")
    return 0


def _rotate(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    answer = context.graph.request("POST", f"{path}/rotateSecret", beta=True)
    return _say(context, f"{name} has new secrets.", answer)


def _remove(_args: Namespace, context: Context, _found: Row, name: str, path: str) -> int:
    context.graph.request("DELETE", path, beta=True)
    return _say(context, f"{name} is removed.", None)


def _show(_args: Namespace, context: Context, found: Row, _name: str, path: str) -> int:
    answer = context.graph.request("GET", path, beta=True)  # with names; a list has none
    found = answer if isinstance(answer, dict) else found
    if not context.printer.for_people:
        context.printer.one(found, tuple((key, key) for key in found if not key.startswith("@")))
        return 0
    context.printer.one(_shown(found), COLUMNS)
    settings = ", ".join(f"{key}={_short(text(value))}" for key, value in named(found, "settings").items())
    context.printer.line(
        one_line(f"Settings: {settings or 'none'}; people are called {text(found.get('subject'))}")
    )
    rows = [
        {**one, "role": text(one.get("roleDisplayName")), "scope": text(one.get("scopeDisplayName"))}
        for one in _rows(found, "mappings")
    ]
    context.printer.rows(rows, _MAPPINGS, empty="No role or group gives anything in it yet.")
    return 0


def _short(value: str) -> str:
    """A certificate is not for reading."""
    lines = value.splitlines()
    return f"({len(lines)} lines)" if len(lines) > 1 else value


def _shown(row: Row) -> Row:
    status = named(row, "status")
    effects = named(status, "effects")
    fault = text(status.get("fault"))
    state = (
        "off"
        if row.get("isEnabled") is False
        else fault or ("well" if status.get("lastLookDateTime") else "new")
    )
    waiting = sum(_number(effects.get(name)) for name in ("pending", "ending"))
    return {
        **row,
        "state": state,
        "effective": _number(effects.get("effective")),
        "waiting": waiting,
        "failing": _number(status.get("failures")),
        "drift": len(_rows(row, "drift")),
        "lastLook": local(text(status.get("lastLookDateTime"))),
    }


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _rows(row: Row, member: str) -> list[Row]:
    found = row.get(member)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _list(row: Row, member: str) -> list[str]:
    found = row.get(member)
    return [text(one) for one in found] if isinstance(found, list) else []


def _say(context: Context, said: str, answer: object) -> int:
    row = answer if isinstance(answer, dict) else {}
    if context.printer.for_people:
        context.printer.line(one_line(said))
    else:
        shown = _shown(row) if row else {"said": said}
        context.printer.one(shown, COLUMNS if row else (("said", "SAID"),))
    return 0
