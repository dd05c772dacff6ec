"""The composition root: the only file that sees all rooms, the real clock and the real randomness.

`make_app` puts the faces together; `serve` is `pim serve`: settings, certificates, database, first organisation,
workers, and the server.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import secrets
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from openpim import logs
from openpim.config import Config, ConfigError, load
from openpim.connectors import KINDS
from openpim.core import caller as callers
from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.core.settings import at_the_door
from openpim.faces import monitoring as health
from openpim.faces import oidc
from openpim.faces.shared.closing import close_all
from openpim.faces.shared.loading import Ahead, Below, WhenAsked
from openpim.faces.shared.metering import Metering
from openpim.faces.shared.origins import Origins
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.faces.shared.request_ids import current as current_request
from openpim.faces.shared.threads import in_thread
from openpim.keyfile import read_or_make_key
from openpim.looping import make_loops
from openpim.notify.chat import AppriseChat
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.running import bound, listen, run
from openpim.services.sealing import Sealer
from openpim.services.signin.bearer import ARM, GRAPH, authenticate
from openpim.services.signin.bootstrap import first_start_link
from openpim.services.signin.context import SignIn, make_sign_in
from openpim.store.database import Database
from openpim.store.migrate import upgrade
from openpim.tls import TlsFiles, ensure_certificates, own_certificates
from openpim.watching import Monitoring, unwatched, watch
from openpim.workers.loop import Loops

_log = logging.getLogger("openpim")


def clock() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class System:
    """Everything that runs: what `serve` starts, and what tests and benchmarks take apart."""

    config: Config
    deps: Deps
    signin: SignIn
    database: Database
    loops: Loops
    app: ASGIApp
    monitoring: Monitoring


def open_store(config: Config, now: Callable[[], datetime] = clock) -> tuple[Database, Deps]:
    """The database, made or brought up to date, the key file, and what the acts need around them."""
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(config.database)
    key = read_or_make_key(config.data_dir / "key", os.urandom)
    database = Database(config.database)
    outbound = GuardedOutbound(config.outbound_allow, config.outbound_ca_file)
    deps = Deps(
        clock=now,
        new_id=new_id,
        secret=secrets.token_urlsafe,
        store=database,
        sealer=Sealer(key, secrets.token_urlsafe),
        outbound=outbound,
        chat=AppriseChat(outbound),
        settings=config.settings,
        connectors=KINDS,
    )
    return database, deps


def make_system(config: Config, *, now: Callable[[], datetime] = clock) -> System:
    """Open the store and put the rooms together."""
    database, deps = open_store(config, now)
    signin = make_sign_in(deps)
    if not signin.tokens.keys.readable():
        msg = (
            f"the key file {config.data_dir / 'key'} does not fit the database: it was lost or replaced. "
            "Restore it from the back-up that the database came from."
        )
        raise ConfigError(msg)
    loops = make_loops(config, deps, signin, database, now)
    monitoring = watch(config, deps, signin, database, loops)
    app = make_app(
        deps,
        signin,
        loops if config.run_workers else None,
        arm_port=config.arm_listening,
        monitoring=monitoring,
    )
    return System(config, deps, signin, database, loops, app, monitoring)


def make_app(
    deps: Deps,
    signin: SignIn,
    loops: Loops | None = None,
    *,
    arm_port: int | None = None,
    monitoring: Monitoring | None = None,
) -> ASGIApp:
    """The ASGI application of both origins: sign-in, Graph and health on the one, the resource manager on the other.
    Health and sign-in are there from the start, each of the others from its first request.

    loops: what runs beside it. arm_port: where the second one listens, for requests whose Host header does not tell.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if loops is not None:
            loops.start()
        yield
        if loops is not None:
            await in_thread(loops.stop)

    watched = monitoring or unwatched(deps)
    answered = watched.monitor.counters.answered
    who = partial(authenticate, deps, signin.tokens, accepts=GRAPH)

    def of_graph() -> ASGIApp:
        from openpim.faces import graph

        return Router(graph.routes(deps, who, signin))

    def of_legacy() -> ASGIApp:
        from openpim.faces import legacy

        return Router(legacy.routes(deps, who))

    def of_hooks() -> ASGIApp:
        from openpim.faces import hooks

        return Router(hooks.routes(deps))

    def of_portal() -> ASGIApp:
        from openpim.faces import portal

        return Router(portal.routes(signin))

    def of_signals() -> ASGIApp:
        from openpim.faces import signals

        return Router(signals.routes(signin, who))

    def of_scim() -> ASGIApp:
        from openpim.faces import scim
        from openpim.services.provisioning import tokens

        return Router(scim.routes(deps, partial(tokens.who, deps, signin.tokens)))

    def of_targets() -> ASGIApp:
        from openpim.faces import targets

        return Router(targets.routes(deps))

    def of_arm() -> ASGIApp:
        from openpim.faces import arm

        return arm.application(deps, partial(authenticate, deps, signin.tokens, accepts=ARM))

    decisions = WhenAsked(partial(_decisions, deps, signin, who, answered))
    routes: list[BaseRoute] = [
        Route("/", _front(deps.settings.origin)),
        *health.routes(watched.monitor.text, watched.checks, watched.token),
        Below("/v1.0", "/beta", load=of_graph),
        Below("/api/v2/privilegedaccess", load=of_legacy),
        *oidc.routes(signin),
        Below("/hooks", load=of_hooks),
        Below("/portal", load=of_portal),
        Below("/access/v1", "/.well-known/authzen-configuration", load=lambda: decisions),
        Below("/scim", load=of_scim),
        Below("/targets", load=of_targets),
        Below(
            "/ssf",
            "/.well-known/ssf-configuration",
            "/.well-known/oauth-protected-resource/ssf",
            load=of_signals,
        ),
    ]
    rest = RequestIds(TidyPaths(Starlette(routes=routes, lifespan=lifespan)), new_id)
    manager = Metering(WhenAsked(of_arm), answered, "arm")
    origins = Origins(deps.settings, Metering(rest, answered), manager, arm_port)
    return Ahead("/access/v1/", decisions, origins, short="/access/v1/evaluation")


def _decisions(
    deps: Deps,
    signin: SignIn,
    who: Callable[..., Caller | Refusal],
    answered: Callable[[str, int, float], None],
) -> ASGIApp:
    """The index of who holds what is there from the first question on, and hears of every commit of this process."""
    from openpim.faces import authzen

    observers = deps.store.observers if isinstance(deps.store, Database) else []
    return authzen.decisions(deps, signin.tokens, who, observers, answered)


def _front(origin: str) -> Callable[[Request], object]:
    text = f"""OpenPIM is running here.

Command line   pim login --server {origin}
Graph          {origin}/v1.0 and {origin}/beta
Sign-in        {origin}/common/v2.0/.well-known/openid-configuration
Portal         {origin}/portal
"""

    async def answer(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/portal", 303, headers={"Cache-Control": "no-store"})
        return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})

    return answer


# ---------------------------------------------------------------- pim serve


def serve(argv: Sequence[str]) -> int:
    """`pim serve`. Returns the exit code: 0 stopped, 2 the settings or the machine do not allow a start. Raises
    KeyboardInterrupt where Ctrl-C came before it served."""
    os.umask(0o077)  # the database and the keys are nobody else's
    if argv and argv[0] == "import-resources":
        from openpim.importing import run

        return run(argv[1:], _configured, lambda config: open_store(config)[1])
    if argv and argv[0] == "verify-audit":
        from openpim import verifying

        return verifying.run(argv[1:], _configured, lambda config: open_store(config)[1])
    options = _options(argv)
    try:
        config = _configured(options)
        logs.set_up(
            config.log_format, config.log_level, access=config.log_requests, request_id=current_request
        )
        tls = _certificates(config)
        system = make_system(config)
    except (ConfigError, ValueError, StoreUnavailableError) as error:
        print(f"pim serve: {error}", file=sys.stderr)  # noqa: T201 - this is the command's own output
        return 2
    notes = _demo(system) if options.demo else _organisation(system)
    notes += _profile(config, tls, demo=options.demo)
    return _run(system, tls, notes, _demo_door(system) if options.demo else None)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pim serve",
        description="Start an OpenPIM server.",
        epilog="beside a running server:\n  pim serve import-resources --help\n  pim serve verify-audit --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings, in TOML")
    parser.add_argument("--demo", action="store_true", help="with the demo organisation")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the data lives")
    parser.add_argument("--host", help="the address to listen on")
    parser.add_argument("--port", type=int, help="the port to listen on")
    return parser.parse_args(list(argv))


def _configured(options: argparse.Namespace) -> Config:
    config = load(options.config)
    if options.data_dir is not None:
        config = replace(config, data_dir=options.data_dir)
    if options.host is not None:
        config = replace(config, host=options.host)
    if options.port is not None:
        if not 1 <= options.port <= 65535:
            msg = f"--port {options.port}: write a number from 1 to 65535"
            raise ConfigError(msg)
        derived = config.settings.arm_origin == config.derived_arm_origin
        config = replace(config, port=options.port)
        if config.settings.origin == Config().settings.origin:
            origin = f"https://localhost:{options.port}"
            config = replace(config, settings=replace(config.settings, origin=origin))
        if derived:
            config = config.with_derived_arm_origin()
    return config


def _certificates(config: Config) -> TlsFiles:
    if config.tls_certificate is not None and config.tls_key is not None:
        return own_certificates(config.tls_certificate, config.tls_key)
    names = dict.fromkeys(
        [
            *(urlsplit(one).hostname or "" for one in (config.settings.origin, config.settings.arm_origin)),
            *(host.strip("[]") for host in config.settings.allowed_hosts),
            "localhost",
            "127.0.0.1",
            "::1",
        ]
    )
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ensure_certificates(config.data_dir / "tls", list(names), clock())


def _organisation(system: System) -> list[str]:
    """Make the organisation at the first start; say how the first administrator gets in while there is none."""
    from openpim.services.directory.create_tenant import create_tenant

    config, deps = system.config, system.deps
    tenants = deps.store.read("", lambda tx: tx.tenants.all())
    notes = []
    if not tenants:
        made = create_tenant(
            deps, callers.system(""), config.organisation_name, config.organisation_domain.lower()
        )
        if isinstance(made, Refusal):
            raise ConfigError(f"organisation: {made.message}")
        tenants = (made,)
    for tenant in tenants:
        link = first_start_link(system.signin, tenant.id)
        if link is not None:
            notes += [
                f"{tenant.name} has no administrator yet. Set up the first one here (works once):",
                f"  {link}",
            ]
    return notes


def _demo(system: System) -> list[str]:
    from openpim.demo import start_demo

    return start_demo(system.deps, system.signin, system.config.data_dir)


@dataclass(frozen=True, slots=True)
class DemoDoor:
    """The demo's portal without a certificate: its application, where it listens, and the line to print."""

    app: ASGIApp
    listening: socket.socket
    note: str


def _demo_door(system: System) -> DemoDoor | None:
    """On loopback only, with a link that works once; None elsewhere, or where the port is taken."""
    from openpim.demo.who import people
    from openpim.faces import portal
    from openpim.faces.portal import demo
    from openpim.services.signin.demo import Door

    config = system.config
    if config.host not in {"127.0.0.1", "localhost", "::1"}:
        return None
    first = max(config.port, config.arm_listening) + 1
    tried = (bound(config.host, port) for port in range(first, min(first + 10, 65536)))
    listening = next((one for one in tried if not isinstance(one, OSError)), None)
    if listening is None:
        return None
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings = at_the_door(system.deps.settings, origin)
    signin = replace(system.signin, deps=replace(system.deps, settings=settings))
    door = Door(signin, people(system.deps))
    app = RequestIds(TidyPaths(demo.application(signin, door, portal.routes(signin))), new_id)
    return DemoDoor(
        app, listening, f"Portal:       {origin}/demo/{door.link()}  (opens once; choose whom to be)"
    )


def _profile(config: Config, tls: TlsFiles, *, demo: bool) -> list[str]:
    """Write the `pim` profile that finds and trusts this server; the next command just works."""
    from openpim.client.profiles import write_profile

    name = "demo" if demo else "local"
    try:
        file = write_profile(
            name,
            server=config.settings.origin,
            arm=config.settings.arm_origin,
            ca_file=str(tls.authority) if tls.authority else "",
        )
    except OSError as error:
        return [
            f"No pim profile was written ({error.strerror}); use: pim login --server {config.settings.origin}"
        ]
    return [f"pim profile:  {name} in {file}", "Next:         pim login"]


def _run(system: System, tls: TlsFiles, notes: list[str], door: DemoDoor | None = None) -> int:
    config, watched = system.config, system.monitoring
    listening: list[socket.socket] = []
    for port in (config.port, config.arm_listening):
        opened = listen(config.host, port)
        if opened is None:
            return 2
        listening.append(opened)
    lines = [f"OpenPIM is running at {config.settings.origin}"]
    lines += [f"Resources:    {config.settings.arm_origin} (resource manager)"]
    lines += [f"Data:         {config.data_dir.absolute()}"]
    beside: list[tuple[ASGIApp, socket.socket]] = []
    if config.metrics_port:
        watching = listen(config.metrics_host, config.metrics_port)
        if watching is None:
            return 2
        beside.append((health.application(watched.monitor.text, watched.checks), watching))
        lines += [f"Figures:      http://{config.metrics_host}:{config.metrics_port}/metrics"]
    if tls.authority is not None:
        lines += [f"Trust:        {tls.authority.absolute()} (its own certificate authority)"]
    if door is not None:
        beside.append((door.app, door.listening))
        lines += [door.note]
    try:
        run(system.app, listening, tls, beside, [*lines, *notes], stopping=close_all)
    finally:
        system.database.close()
    return 0
