"""Short ways to set up other systems in a World, and to speak as one of them."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

from openpim.core import webhooks
from openpim.core.channels import ChannelKind
from openpim.core.policy import ApprovalSettings, AskFirst, Reviewers, Stage, WhenDown
from openpim.ports.deps import Deps
from openpim.services.channels import hearing, manage
from openpim.services.channels.manage import Wanted
from tests.world import TEAMS, World, ok


def channel(world: World, url: str, kind: ChannelKind = ChannelKind.EXTENSION, **more: Any) -> manage.Shown:
    wanted = Wanted(
        **{"name": f"system {len(url)} {kind}", "address": url, "timeout_ms": 500, "retries": 0, **more}
    )
    return ok(manage.add(chancy(world), world.caller(world.pra), kind, wanted))


def chancy(world: World) -> Deps:
    """World's secrets all look alike; signing secrets must not."""
    return replace(world.deps, secret=secrets.token_urlsafe)


def ask_first(
    world: World,
    channel_id: str,
    *people: str,
    when_down: WhenDown = WhenDown.REFUSE,
    auto: bool = False,
    quorum: int = 1,
    minutes: int = 10,
    role: str = TEAMS,
) -> None:
    """The role asks that system first, then (if any) these people."""
    stages = [Stage(timeout_minutes=minutes, callout=AskFirst(channel_id, when_down, auto))]
    if people:
        stages.append(Stage(primary=Reviewers(people), quorum=quorum))
    world.policy(role, approval=ApprovalSettings(required=True, stages=tuple(stages)))


def call(
    world: World,
    shown: manage.Shown,
    data: Any,
    *,
    secret: str | None = None,
    message_id: str = "msg_1",
    tenant_id: str | None = None,
    at: Any = None,
    **headers: str,
) -> Any:
    """What that system says, signed, and what it is told."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    signed = webhooks.headers([secret or shown.secret], message_id, at or world.now, body)
    return hearing.hear(
        world.deps, tenant_id or world.tenant_id, shown.channel.id, {**signed, **headers}, body, "203.0.113.9"
    )
