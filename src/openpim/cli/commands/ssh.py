"""`pim ssh`: log in to a host with a certificate that lasts as long as what was activated, and not longer.

The key is new each time and goes with the session: what a thief finds afterwards opens nothing.
"""

from __future__ import annotations

import os

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = """Log in to a host with a fresh key and a certificate for what you have activated.  Where that gives no access,
what you may activate for it is offered.  What stands after the host goes to ssh as it is.  In place of a host: `ca` prints the key that hosts are to trust and where they fetch what was revoked;
`guard`, `refresh` and `principals` print the scripts that hosts run."""
EXAMPLES = """examples:
  pim ssh db1.example.com                   offers what you may activate, if nothing that is active opens it
  pim ssh -j "disk is full" db1             activates it without asking, if there is one thing only
  pim ssh root@db1 -p 2222 systemctl status postgresql
  pim ssh -a "Payroll Administrator" -j "month end" payroll@db1     activate first
  pim ssh --certificate-only                a certificate for ~/.ssh/id_ed25519
  pim ssh ca --target "Database hosts"      for TrustedUserCAKeys in sshd_config
  pim ssh guard > /usr/local/libexec/openpim-guard
"""
TAKES_VALUE = frozenset({"-a", "--activate", "-j", "--justification", "-t", "--ticket", "-d", "--duration", "--target",
                         "--key", "-o", "--output", "--profile"})  # fmt: skip

_SCRIPTS = ("guard", "refresh", "principals")
OWN_WORDS = ("ca", *_SCRIPTS)  # in place of a host
_MOST = 5  # certificates: sshd lets a client try six keys
_PATIENCE = 15.0  # seconds for what was just activated to come into force at the hosts


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "host", nargs="?", default="", metavar="[USER@]HOST", help="or: ca, guard, refresh, principals"
    )
    parser.add_argument(
        "-a", "--activate", default="", metavar="NAME", help="activate this first, as pim activate does"
    )
    parser.add_argument(
        "-j", "--justification", default="", metavar="TEXT", help="why, for what is activated first"
    )
    parser.add_argument("-t", "--ticket", default="", metavar="SYSTEM:NUMBER", help="the ticket this is for")
    parser.add_argument("-d", "--duration", default="", metavar="DURATION", help="how long: 2h, 90m")
    parser.add_argument(
        "--target", default="", metavar="NAME", help="which hosts, where you have access to several kinds"
    )
    parser.add_argument(
        "--certificate-only", action="store_true", help="write a certificate beside a key, and do not log in"
    )
    parser.add_argument(
        "--key",
        default="",
        metavar="FILE",
        help="the key to have certified (default: ~/.ssh/id_ed25519; with --certificate-only)",
    )


def run(args: Namespace, context: Context) -> int:
    """Log in; the exit code is ssh's own."""
    rest: list[str] = getattr(args, "rest", [])
    if args.host in _SCRIPTS:
        return _script(args.host, context)
    if args.host == "ca":
        return _authority(args.target, context)
    if bool(args.host) == args.certificate_only:
        raise PimError("usage", "name a host, or ask for --certificate-only", "see: pim ssh --help")
    if args.host.startswith("-"):
        raise PimError("usage", "a host does not begin with a hyphen", "see: pim ssh --help")
    if args.activate:
        _activate([args.activate], args, context)
        held = _held(args.target, context, patient=True)
    else:
        held = _held_or_offered(args, context)
    if args.certificate_only:
        return _certify(args.key, held, context)
    return _log_in(args.host, rest, held, context)


# ---------------------------------------------------------------- what is in force


def _held(target: str, context: Context, *, patient: bool) -> list[Row]:
    """The caller's access by certificates: one row for each activation, the longest first."""
    from openpim.client import clock

    ends = clock.monotonic() + _PATIENCE
    while True:
        rows = [
            row
            for row in context.graph.rows("/openPim/myEffects")
            if row.get("kind") == "ssh" and _meant(target, row)
        ]
        ready = [row for row in rows if row.get("state") == "effective"]
        if ready:
            break
        coming = any(row.get("state") == "pending" for row in rows)
        if not (patient or coming) or clock.monotonic() > ends:
            raise _nothing(target, coming=coming)
        clock.sleep(0.3)
    ready.sort(key=lambda row: str(row.get("untilDateTime") or "9"), reverse=True)
    chosen: dict[tuple[str, str], Row] = {}
    for row in ready:
        chosen.setdefault((str(row.get("targetId")), str(row.get("scheduleIds"))), row)
    return list(chosen.values())[:_MOST]


def _nothing(target: str, *, coming: bool) -> PimError:
    where = f" to {target}" if target else ""
    if coming:
        return PimError(
            "timeout", f"your access{where} is not in force yet", "try again; what holds it up: pim status"
        )
    hint = "activate what gives it, and try again: pim ssh -a NAME HOST; what there is: pim list eligible"
    return PimError("missing", f"nothing that you have active gives you access{where} by certificate", hint)


def _held_or_offered(args: Namespace, context: Context) -> list[Row]:
    """What is in force; where nothing is, what could be: activated when the person agrees."""
    try:
        return _held(args.target, context, patient=False)
    except PimError as error:
        if error.kind != "missing":
            raise
        way = _way(args, context, error)
    role = way["roleDefinitionId"]
    group = way.get("provider") == "group"
    words = [f"{way['scope']}:{role}"] if group else [str(role), "--scope", str(way["scope"])]
    _activate(words, args, context)
    return _held(args.target, context, patient=True)


def _way(args: Namespace, context: Context, nothing: PimError) -> Row:
    """The one eligibility that gives access, agreed to by the person; a reason on the command line agrees too."""
    from openpim.cli.context import Terminal
    from openpim.client.errors import GraphError

    try:
        rows = context.graph.rows("/openPim/myTargets")
    except GraphError:  # a server that does not know that yet
        raise nothing from None
    found: dict[tuple[str, ...], Row] = {}  # two may be called the same
    for row in rows:
        if row.get("kind") == "ssh" and _meant(args.target, row):
            found.setdefault(
                tuple(str(row.get(key)) for key in ("provider", "roleDefinitionId", "scope")), row
            )
    ways = sorted(found.values(), key=_called)
    names = [_called(row) for row in ways]
    if not ways:
        raise nothing
    host = args.host or "HOST"
    if len(names) > 1:
        if not context.interactive:
            raise PimError("ambiguous", f"several would give you access: {', '.join(names)}",
                           f"choose one: pim ssh -a NAME {host}")  # fmt: skip
        for number, (name, way) in enumerate(zip(names, ways, strict=True), 1):
            more = f" ({way.get('scope')})" if names.count(name) > 1 else ""
            Terminal().say(f"{number}  {name}{more}, for {way.get('target')}")
        answer = context.ask("which one to activate (a number)")
        if not (answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(names)):
            raise nothing
        return ways[int(answer) - 1]
    ((name, way),) = zip(names, ways, strict=True)
    if args.justification or args.ticket or args.duration:
        return way
    if not context.interactive:
        raise PimError("missing", nothing.message, f"activate what gives it: pim ssh -a {name!r} {host}")
    if not context.confirm(f"{name} gives access to {way.get('target')}. Activate it?"):
        raise nothing
    return way


def _meant(target: str, row: Row) -> bool:
    return target.casefold() in {"", str(row.get("target")).casefold(), row.get("targetId")}


def _called(row: Row) -> str:
    """As `pim activate` takes it."""
    from openpim.cli.choosing import label_at

    provider, scope, place = (str(row.get(key)) for key in ("provider", "scope", "scopeDisplayName"))
    if provider == "group":
        return place if row.get("roleDefinitionId") == "member" else f"{place}:owner"
    return label_at(provider, str(row.get("roleDisplayName")), scope, place)


def _activate(named: list[str], args: Namespace, context: Context) -> None:
    from openpim.cli.commands import load
    from openpim.cli.quickargs import Quick

    command = load("activate")
    quick: Any = Quick()
    command.configure(quick)
    words = [*named]
    for option, value in (("-j", args.justification), ("-t", args.ticket), ("-d", args.duration)):
        words += [option, value] if value else []
    found = quick.parse(words)
    if found is None:
        raise PimError("usage", "these options cannot be used to activate", "see: pim activate --help")
    stdout, context.printer.out = context.printer.out, _stderr()  # the host's output stays alone
    try:
        code = command.run(found, context)
    finally:
        context.printer.out = stdout
    if code:
        raise PimError("policy", f"{named[0]} was not activated", "see: pim activate --help")


def _stderr() -> Any:
    import sys

    return sys.stderr


# ---------------------------------------------------------------- certificates


def _issued(held: Row, public: str, context: Context) -> Row:
    """One certificate, tried again while the server says that it is on its way."""
    from openpim.client import clock
    from openpim.client.errors import GraphError

    body = {"entitlement": held.get("entitlement"), "values": {"publicKey": public}}
    ends = clock.monotonic() + _PATIENCE
    while True:
        try:
            answer = context.graph.request(
                "POST", f"/openPim/targets/{held.get('targetId')}/credentials", body
            )
        except GraphError as error:
            if error.status == 403:  # it has ended since it was listed
                raise _nothing(str(held.get("target")), coming=False) from None
            if error.status != 409 or clock.monotonic() > ends:
                raise
            clock.sleep(0.5)
            continue
        values = answer.get("values") if isinstance(answer, dict) else None
        if not isinstance(values, dict) or not isinstance(values.get("certificate"), str):
            raise PimError("server", "the server answered without a certificate", "see: pim doctor")
        return {**held, **values}


def _new_key(folder: str) -> str:
    """The path of a fresh private key."""
    path = os.path.join(folder, "id")
    try:
        pid = os.posix_spawnp(
            "ssh-keygen", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pim", "-f", path], os.environ
        )
    except OSError:
        raise PimError("usage", "there is no ssh-keygen here", "install OpenSSH's client") from None
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise PimError("unexpected", "ssh-keygen made no key", "try: ssh-keygen -t ed25519")
    return path


def _read_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(8192).strip()
    except OSError as error:
        raise PimError(
            "usage", f"{path}: {error.strerror}", "make a key with: ssh-keygen -t ed25519"
        ) from None


def _log_in(host: str, rest: list[str], held: list[Row], context: Context) -> int:
    import signal
    import sys

    from openpim.client import clock
    from openpim.client.files import write_private

    for ending in (signal.SIGHUP, signal.SIGTERM):  # the key goes whatever ends this
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    base = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - a folder of our own in it
    folder = os.path.join(base, f"pim-ssh-{clock.new_secret(12)}")
    os.mkdir(folder, 0o700)  # fails if somebody has made it
    try:
        key = _new_key(folder)
        public = _read_line(key + ".pub")
        words = ["ssh", "-i", key, "-o", "IdentitiesOnly=yes"]
        for number, one in enumerate(held):
            file = os.path.join(folder, f"{number}-cert.pub")
            write_private(file, f"{_issued(one, public, context)['certificate']}\n".encode())
            words += ["-o", f"CertificateFile={file}"]
        context.close()
        return _ran([*words, host, *rest])
    finally:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def _ran(words: list[str]) -> int:
    """The exit code of ssh; interrupts are its business while it runs."""
    import signal

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pid = os.posix_spawnp(
            "ssh", words, os.environ, setsigdef=[signal.SIGINT, signal.SIGHUP, signal.SIGTERM]
        )
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except OSError:
        raise PimError("usage", "there is no ssh here", "install OpenSSH's client") from None
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _certify(given: str, held: list[Row], context: Context) -> int:
    from openpim.client.files import write_private

    key = os.path.expanduser(given or "~/.ssh/id_ed25519")
    key = key.removesuffix(".pub")
    made = _issued(held[0], _read_line(key + ".pub"), context)
    file = key + "-cert.pub"
    write_private(file, f"{made['certificate']}\n".encode())
    row = {"file": file, "target": made.get("target"), "principals": made.get("principals"),
           "validUntil": made.get("validBefore"), "serial": made.get("serial"), "keyId": made.get("keyId")}  # fmt: skip
    context.printer.one(row, tuple((name, name) for name in row))
    if len(held) > 1:
        context.note("you have more than one access; choose with --target, or let pim ssh use them all")
    return 0


# ---------------------------------------------------------------- for those who set hosts up


def _script(name: str, context: Context) -> int:
    import openpim.data

    folder = os.path.dirname(str(openpim.data.__file__))
    with open(os.path.join(folder, "ssh", f"{name}.sh"), encoding="utf-8") as file:
        context.printer.line(file.read().rstrip("\n"))
    return 0


def _authority(target: str, context: Context) -> int:
    """The address of what hosts fetch, and the keys to trust."""
    rows = [row for row in context.graph.rows("/openPim/targets") if row.get("kind") == "ssh"]
    if target:
        rows = [
            row
            for row in rows
            if target.casefold() in {str(row.get("displayName")).casefold(), row.get("id")}
        ]
    if not rows:
        raise PimError("missing", "there is no such target of kind ssh", "see: pim connector list")
    if len(rows) > 1:
        names = ", ".join(sorted(str(row.get("displayName")) for row in rows))
        raise PimError("ambiguous", f"there are several: {names}", "choose with --target")
    tenant = context.session.tokens().account.get("tid", "")
    address = f"{context.profile.graph}/targets/{tenant}/{rows[0].get('id')}"
    answer = context.transport.send("GET", f"{address}/ca.pub", {})
    if answer.status != 200:
        raise PimError("server", "the server does not tell the key", "see: pim connector probe")
    keys = answer.body.decode("ascii", "replace").strip()
    if context.printer.for_people:
        context.printer.line(f"# {address}\n{keys}")
    else:
        context.printer.one({"address": address, "keys": keys.splitlines()}, (("address", ""), ("keys", "")))
    return 0
