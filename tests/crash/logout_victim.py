"""A process that finds out whose sign-in is over and tells their application until it is killed. Run by test_kill_logout.py."""

from __future__ import annotations

import secrets
import sys
import uuid
from dataclasses import replace
from datetime import datetime

from openpim.services.relying import changes, logout
from tests.signin_helper import fast_sign_in
from tests.world import World


def main() -> None:
    url, tenant_id, number, now = sys.argv[1:]
    world = World(url, tenant_id=tenant_id, number=int(number))
    world.at(datetime.fromisoformat(now))
    signin = fast_sign_in(replace(world.deps, secret=secrets.token_urlsafe, new_id=lambda: str(uuid.uuid4())))
    signin.tokens.sign({}, "JWT")  # the key is read before anybody counts the time
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        changes.look(signin.deps)
        for tenant, client in logout.due(signin.deps):
            logout.serve(signin, tenant, client)


if __name__ == "__main__":
    main()
