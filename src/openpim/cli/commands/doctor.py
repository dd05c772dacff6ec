"""`pim doctor`: check every link from this machine to the roles, and say what to do about the first broken one."""

from __future__ import annotations

import os

from openpim.client import clock
from openpim.client.arm import Arm, at
from openpim.client.discovery import find_arm
from openpim.client.errors import PimError
from openpim.client.http11 import split_url
from openpim.client.profiles import NO_ARM
from openpim.client.roles import active_path, eligible_path
from openpim.client.transport import decode_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = "Check the configuration, the connection, the sign-in, and PIM itself: for roles and groups, and on resources."
EXAMPLES = ""
COLUMNS = (("check", "CHECK"), ("state", "STATE"), ("detail", "DETAIL"), ("hint", "WHAT TO DO"))
_SKEW = 120.0


def configure(_parser: ArgumentParser) -> None:
    """No options of its own."""


class _Checks:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.rows: list[Row] = []

    def add(self, check: str, detail: str = "", *, state: str = "ok", hint: str = "", code: str = "") -> None:
        self.rows.append(
            {"check": check, "state": state, "detail": detail, "hint": hint or None, "error": code or None}
        )

    def files(self) -> None:
        home = self.context.home
        if not os.path.isdir(home):
            self.add("configuration", home, state="failed", hint="pim login --server URL", code="signin")
            return
        kept = [
            name for name in sorted(os.listdir(home)) if name.startswith("tokens-") and os.name == "posix"
        ]
        open_files = [name for name in kept if os.stat(os.path.join(home, name)).st_mode & 0o077]
        if open_files:
            path = os.path.join(home, open_files[0])
            self.add(
                "configuration",
                f"{open_files[0]} may be read by others",
                state="failed",
                hint=f"chmod 600 {path}",
                code="signin",
            )
        else:
            self.add("configuration", home)

    def profile(self) -> None:
        profile = self.context.profile
        self.add("profile", f"{profile.name}: {profile.graph}, tenant {profile.tenant}")
        if profile.ca_file:
            there = os.path.isfile(profile.ca_file)
            self.add(
                "authority file",
                profile.ca_file,
                state="ok" if there else "failed",
                hint="" if there else "pim login --ca FILE",
                code="" if there else "server",
            )

    def connection(self) -> None:
        profile, transport = self.context.profile, self.context.transport
        tenant = profile.tenant
        before = clock.monotonic()
        response = transport.send(
            "GET", f"{profile.authority}/{tenant}/v2.0/.well-known/openid-configuration"
        )
        took = (clock.monotonic() - before) * 1000
        found = decode_json(response)
        self.add("connection", f"{profile.authority} answers in {took:.0f} ms")
        self.skew(response.headers.get("date", ""))
        if response.status != 200 or not isinstance(found, dict) or "token_endpoint" not in found:
            hint = "is this an OpenPIM server, and the tenant right? pim profile show"
            self.add("discovery", f"answers {response.status}", state="failed", hint=hint, code="server")
            return
        issuer = str(found.get("issuer") or "")
        same = all(
            split_url(str(found.get(name)))[:3] == split_url(profile.authority)[:3]
            for name in ("token_endpoint", "authorization_endpoint")
        )
        if same:
            self.add("discovery", f"issuer {issuer}")
        else:
            self.add(
                "discovery",
                f"its endpoints are elsewhere than {profile.authority}",
                state="failed",
                hint="sign in at the address the server calls itself: pim login --server URL",
                code="server",
            )

    def skew(self, date: str) -> None:
        if not date:
            return
        from email.utils import parsedate_to_datetime

        try:
            there = parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError):
            return
        off = clock.now() - there
        if abs(off) > _SKEW:
            self.add(
                "clock",
                f"this machine is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server",
                state="failed",
                hint="set this machine's clock",
                code="server",
            )
        else:
            self.add("clock", "agrees with the server's")

    def sign_in(self) -> None:
        tokens = self.context.session.tokens()
        left = (tokens.expires - clock.now()) / 60
        self.add(
            "sign-in", f"{tokens.account.get('upn') or tokens.account.get('oid')}, token for {left:.0f} min"
        )

    def graph(self) -> None:
        graph = self.context.graph
        before = clock.monotonic()
        lists = graph.lists(eligible_path(), active_path())
        took = (clock.monotonic() - before) * 1000
        for answer in lists:
            if not isinstance(answer, list):
                raise answer
        eligible, active = (len(answer) if isinstance(answer, list) else 0 for answer in lists)
        self.add("roles", f"{eligible} eligible, {active} active, read in {took:.0f} ms")

    def resources(self) -> None:
        """The rest works without it, so the checks go on."""
        profile, context = self.context.profile, self.context
        told = find_arm(context.transport, profile) if profile.kind == "openpim" else profile.arm
        profile.arm = profile.arm or told
        if profile.arm != told:
            hint = f"if the server is right: pim login --arm {told}"
            self.add(
                "resources", f"the profile says {profile.arm}, the server {told}", state="note", hint=hint
            )
        if profile.arm == NO_ARM:
            self.add("resources", "no resource manager", state="note", hint="with one: pim login --arm URL")
            return
        manager = Arm(profile.arm, profile, context.session, context.transport)
        paths = [
            at("/", f"role{kind}ScheduleInstances", "asTarget()") for kind in ("Eligibility", "Assignment")
        ]
        before = clock.monotonic()
        lists = manager.lists(*paths)
        took = (clock.monotonic() - before) * 1000
        for answer in lists:
            if not isinstance(answer, list):
                raise answer
        eligible, active = (len(answer) if isinstance(answer, list) else 0 for answer in lists)
        self.add("resources", f"{profile.arm}: {eligible} eligible, {active} active, read in {took:.0f} ms")


def run(_args: Namespace, context: Context) -> int:
    """Check one after the other; stop at the first that the rest depends on."""
    checks = _Checks(context)
    for name in ("files", "profile", "connection", "sign_in", "graph", "resources"):
        try:
            getattr(checks, name)()
        except PimError as error:
            checks.add(
                name.replace("_", "-"), error.message, state="failed", hint=error.hint, code=error.kind
            )
            break
    context.printer.rows(checks.rows, COLUMNS)
    from openpim.cli.exits import exit_code

    failed = [row for row in checks.rows if row["state"] == "failed"]
    return exit_code(str(failed[0]["error"])) if failed else 0
