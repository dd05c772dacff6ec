"""From a configuration file and a token to an agent that runs; and what it says of itself."""

from __future__ import annotations

import os
import signal
import socket
import threading
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from openpim.agent import lease as leases
from openpim.agent import link
from openpim.agent.clock import Clock
from openpim.agent.configuration import Configuration, ConfigurationError, load
from openpim.agent.enforcing import Enforcer
from openpim.agent.files import UnsafePlaceError
from openpim.agent.groups import Accounts
from openpim.agent.link import Credential, HttpsLink, LinkError
from openpim.agent.lists import Lists
from openpim.agent.running import Agent
from openpim.agent.sudoers import Sudoers

_SECONDS = 30.0
SUDOERS = "/etc/sudoers.d"


class SetupError(Exception):
    """What is wrong, and after a line break what to do next."""


def enroll(path: str, token: str, server: str, ca_file: str) -> str:
    """Let this host in. Returns the server's address. Raises SetupError."""
    configuration = _configuration(path)
    server = (server or configuration.server).rstrip("/")
    ca_file = ca_file or configuration.ca_file
    parts = token.strip().split(".")
    if len(parts) != 3 or not all(parts):
        raise SetupError("this is not a token\nmake one: pim agent token TARGET")
    tenant, target, secret = parts
    _state(configuration)
    try:
        way = HttpsLink(server, tenant, target, ca_file)
        try:
            answer = way.ask("enroll", {"token": secret, "host": socket.gethostname()}, "", _SECONDS)
        finally:
            way.close()
    except LinkError as error:
        raise SetupError(f"{error}\nis --server right, and its certificate trusted (--ca)?") from error
    made = answer.get("credential")
    if not isinstance(made, str) or not made:
        raise SetupError("the server gave no credential\nis it of the same version?")
    # What was given before is forgotten only when it was taken away.
    old = leases.load(configuration.state)
    leases.save(configuration.state, leases.merged(leases.Lease(), old))
    link.save(configuration.state, Credential(server, tenant, target, made))
    return server


def run(path: str) -> None:
    """Until it is told to stop. Raises SetupError."""
    configuration = _configuration(path)
    _state(configuration)
    credential = _credential(configuration)
    if os.geteuid() != 0:
        raise SetupError("the agent changes sudo rules and groups\nrun it as root")
    try:
        way = HttpsLink(credential.server, credential.tenant, credential.target, configuration.ca_file)
    except LinkError as error:
        raise SetupError(f"{error}\nenrol again: pim agent enroll") from error
    clock, pause = Clock(), threading.Event()
    enforcer = Enforcer(configuration, Accounts(), Sudoers(SUDOERS), clock, pause.wait)
    fleet = configuration.certificates
    agent = Agent(
        configuration,
        enforcer,
        way,
        credential.secret,
        clock,
        version("openpim"),
        lists=Lists(fleet, clock) if fleet is not None else None,
    )

    def stop(_number: int, _frame: object) -> None:
        """Also out of a question that waits at the server."""
        agent.stop()
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    agent.run()


def status(path: str) -> dict[str, Any]:
    """What is on file here. Raises SetupError."""
    configuration = _configuration(path)
    credential = _credential(configuration)
    clock = Clock()
    try:
        lease = leases.load(configuration.state)
    except (OSError, UnsafePlaceError) as error:
        raise SetupError(f"{error}\nlook as root") from error
    boot, elapsed = clock.boot(), clock.elapsed()
    live = lease.live(boot, elapsed, clock.wall())
    heard = lease.boot == boot
    return {
        "server": credential.server,
        "target": credential.target,
        "version": lease.version,
        "leaseSecondsLeft": max(0, int(lease.over - elapsed)) if heard else 0,
        "privileges": [
            {
                "user": one.user,
                "entitlement": one.entitlement,
                "until": one.until.isoformat() if one.until else None,
            }
            for one in live
        ],
        "stillRunning": [{"user": user, "entitlement": entitlement} for user, entitlement in lease.severing],
        "allowedHere": list(configuration.entitlements),
    }


def _configuration(path: str) -> Configuration:
    try:
        return load(path)
    except ConfigurationError as error:
        raise SetupError(f"{error}\nsee: docs/how-to/linux-hosts.md") from error


def _credential(configuration: Configuration) -> Credential:
    try:
        found = link.load(configuration.state)
    except (OSError, UnsafePlaceError) as error:
        raise SetupError(
            f"{configuration.state}: {error}\nenrol first, and look as root: pim agent enroll"
        ) from error
    if found is None:
        raise SetupError("this host is not enrolled\nenrol it: pim agent enroll")
    server = configuration.server
    return replace(found, server=server) if server else found


def _state(configuration: Configuration) -> None:
    try:
        os.makedirs(configuration.state, mode=0o700, exist_ok=True)  # noqa: PTH103
        os.chmod(configuration.state, 0o700)  # noqa: PTH101
    except OSError as error:
        raise SetupError(f"{configuration.state}: {error.strerror}\nrun it as root") from error
