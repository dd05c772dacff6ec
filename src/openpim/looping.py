"""What runs beside the requests: the loops of a server, what wakes them, and what they send with. A part of the composition
root (app.py)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from openpim.config import Config
from openpim.core.streams import StreamKind
from openpim.notify.ocsf import Ocsf
from openpim.notify.otlp import Otlp
from openpim.notify.syslog import Syslog
from openpim.notify.timestamps import Rfc3161
from openpim.notify.witness import WitnessFolder
from openpim.ports.channels import Sender
from openpim.ports.deps import Deps
from openpim.ports.mailer import Mailer
from openpim.ports.streams import Senders
from openpim.services.channels.sending import Chats, Webhooks
from openpim.services.notices.sending import Ways
from openpim.services.signin.context import SignIn
from openpim.services.witnesses import Witnesses
from openpim.store.database import Database
from openpim.workers.audit_log import GrowingLogs
from openpim.workers.channels import Asking
from openpim.workers.loop import Loop, Loops
from openpim.workers.notices import Planning, Sending
from openpim.workers.reconciling import Reconciling
from openpim.workers.recording import Recording
from openpim.workers.relying import Following, telling
from openpim.workers.signals import Signalling
from openpim.workers.streams import Streaming
from openpim.workers.witnesses import Witnessing


def make_loops(
    config: Config, deps: Deps, signin: SignIn, database: Database, now: Callable[[], datetime]
) -> Loops:
    """Not started yet; each commit of this process wakes those that follow."""
    reconciling = Reconciling(deps)
    recording, following = Recording(deps), Following(deps)
    loops = Loops(
        [
            Loop("recording", recording, config.worker_interval_seconds, soon=recording.soon),
            Loop(
                "audit-log",
                GrowingLogs(deps),
                config.worker_interval_seconds,
                follows=True,
                then=("notices", "signals", "streams", "relying"),
            ),
            Loop("witnesses", Witnessing(deps, _witnesses(deps)), config.worker_interval_seconds),
            Loop("notices", Planning(deps), config.worker_interval_seconds),
            Loop("mail", Sending(deps, Ways(_mailer(config), mail=True)), config.worker_interval_seconds),
            Loop("messages", Sending(deps, _messages(deps)), config.worker_interval_seconds),
            Loop("other-systems", Asking(deps), config.worker_interval_seconds),
            Loop("signals", Signalling(signin), config.worker_interval_seconds),
            Loop("relying", following, config.worker_interval_seconds, then=("logout",), soon=following.soon),
            Loop("logout", telling(signin), config.worker_interval_seconds),
            Loop("targets", reconciling, config.worker_interval_seconds, follows=True),
            Loop("streams", Streaming(deps, _senders(config, deps)), config.worker_interval_seconds),
        ],
        now,
        at_end=reconciling.stop,
    )
    database.observers.append(reconciling.happened)
    database.observers.append(lambda _tenant, _events: loops.happened())
    return loops


def _messages(deps: Deps) -> Ways:
    """How notices leave but by mail: by webhook and chat."""
    senders: dict[str, Sender] = {"webhook": Webhooks(deps), "chat": Chats(deps)}
    return Ways(senders=senders, mail=False)


def _mailer(config: Config) -> Mailer | None:
    """None where no server is set up."""
    settings = config.settings
    if not settings.mail_host:
        return None
    from openpim.notify.mail import MailServer, SmtpMailer  # noqa: PLC0415 - who sends no mail does without

    return SmtpMailer(
        MailServer(
            host=settings.mail_host,
            port=config.mail_port,
            tls=config.mail_tls,
            user=config.mail_user,
            password=config.mail_password,
            sender=settings.mail_from,
            ca_file=config.mail_ca_file,
            helo=urlsplit(settings.origin).hostname or "openpim",
        )
    )


def _senders(config: Config, deps: Deps) -> Senders:
    """What sends the audit history, by the kind of destination."""
    host = urlsplit(config.settings.origin).hostname or ""
    return {
        StreamKind.SYSLOG: Syslog(deps.outbound, host, config.outbound_ca_file),
        StreamKind.OTLP: Otlp(deps.outbound),
        StreamKind.OCSF: Ocsf(deps.outbound),
    }


def _witnesses(deps: Deps) -> Witnesses:
    """Who else keeps the checkpoints of the audit logs."""
    folder = deps.settings.audit_witness_folder
    return Witnesses(deps, Rfc3161(), WitnessFolder(Path(folder)) if folder else None)
