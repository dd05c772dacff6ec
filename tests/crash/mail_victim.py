"""A process that plans and sends mail until it is killed. Run by test_kill_mail.py."""

from __future__ import annotations

import sys
from datetime import datetime

from openpim.notify.mail import MailServer, SmtpMailer
from openpim.services.audit_log import grow
from openpim.services.notices.planning import plan
from openpim.services.notices.sending import Ways, send_due
from tests.services.notices.conftest import SETTINGS
from tests.world import World


def main() -> None:
    url, tenant_id, number, now, port = sys.argv[1:]
    world = World(url, settings=SETTINGS, tenant_id=tenant_id, number=int(number))
    world.at(datetime.fromisoformat(now))
    mailer = SmtpMailer(MailServer("127.0.0.1", int(port), "none", sender="pim@example.com"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        grow(world.deps, world.tenant_id)
        plan(world.deps, world.tenant_id, limit=2)
        send_due(world.deps, Ways(mailer), limit=4)


if __name__ == "__main__":
    main()
