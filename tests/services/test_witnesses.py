"""Others keep our checkpoints: a folder, a webhook, a time-stamping authority; each in order, at least once, and a witness
that was away gets what it missed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openpim.core import webhooks
from openpim.core.refusals import Code
from openpim.notify.timestamps import Rfc3161
from openpim.notify.witness import WitnessFolder
from openpim.ports.witness import WitnessError
from openpim.proof.note import Checkpoint, Key, opened
from openpim.services import audit_settings, recording
from openpim.services.witnesses import REACHED, UNREACHED, Witnesses
from tests.notify.authority import Authority
from tests.world import World, ok, refused


def sign(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.write(
            lambda tx: recording.record(
                tx, world.deps, world.system, world.now, activity="x", category="Policy"
            )
        )
        world.forward(minutes=10)
        assert world.sign() is not None


def witnesses(world: World, folder: Path | None = None) -> Witnesses:
    return Witnesses(world.deps, Rfc3161(), WitnessFolder(folder) if folder else None)


def kept(world: World, folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{world.tenant_id}.jsonl").read_text().splitlines()]


def test_a_folder_gets_every_checkpoint(world: World, tmp_path: Path) -> None:
    sign(world, 2)
    folder = tmp_path / "away"
    assert witnesses(world, folder).tell(world.tenant_id) == 2
    sign(world)
    assert witnesses(world, folder).tell(world.tenant_id) == 1
    assert witnesses(world, folder).tell(world.tenant_id) == 0
    rows = kept(world, folder)
    assert [row["checkpoint"] for row in rows] == [0, 1, 2]
    key = Key.parse(world.read(lambda tx: tx.checkpoints.log_keys())[0].key)
    for row in rows:
        text, _ = opened(row["note"], [key])
        assert Checkpoint.parse(text).origin == key.name


def test_a_folder_sees_a_log_that_was_set_back(world: World, tmp_path: Path) -> None:
    sign(world, 3)
    folder = tmp_path / "away"
    one = witnesses(world, folder)
    one.tell(world.tenant_id)
    first = world.read(lambda tx: tx.checkpoints.get(0))
    with pytest.raises(WitnessError, match="set back"):
        WitnessFolder(folder).keep(world.tenant_id, first)
    last = world.read(lambda tx: tx.checkpoints.last())
    WitnessFolder(folder).keep(world.tenant_id, last)  # the same again, after an answer that was lost
    assert len(kept(world, folder)) == 3
    with (folder / f"{world.tenant_id}.jsonl").open("a") as file:
        file.write('{"checkpoint": 9, "no')  # a line that a power cut left
    sign(world)
    assert one.tell(world.tenant_id) == 1


def test_a_folder_that_cannot_be_written_is_told(world: World, tmp_path: Path) -> None:
    sign(world)
    (tmp_path / "file").write_text("")
    one = witnesses(world, tmp_path / "file")
    assert one.tell(world.tenant_id) == 0
    assert [event.reason for event in world.events(UNREACHED)]
    (tmp_path / "file").unlink()
    assert one.tell(world.tenant_id) == 0  # not at once
    world.forward(minutes=1)
    assert one.tell(world.tenant_id) == 1
    assert len(world.events(REACHED)) == 1


# ---------------------------------------------------------------- a webhook


class Hook:
    def __init__(self) -> None:
        self.said: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.statuses.pop(0) if outer.statuses else 204
                if status < 300:
                    outer.said.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_gets_every_checkpoint_signed(world: World, hook: Hook) -> None:
    made = ok(audit_settings.change(world.deps, world.caller(world.ga), witness_url=hook.url))
    assert made.secret.startswith("whsec_")
    assert ok(audit_settings.get(world.deps, world.caller(world.ga))).secret == ""
    sign(world, 2)
    hook.statuses = [500, 302]
    one = witnesses(world)
    for _ in range(4):
        one.tell(world.tenant_id)
        world.forward(minutes=20)
    assert [json.loads(body)["data"]["number"] for _, body in hook.said] == [0, 1]
    assert len(world.events(UNREACHED)) == len(world.events(REACHED)) == 1
    for headers, body in hook.said:
        sent = world.now.fromtimestamp(int(headers["webhook-timestamp"]), world.now.tzinfo)
        assert webhooks.verified([made.secret], headers, body, sent)
    assert made.secret not in str(world.events())


def test_only_a_global_administrator_sets_witness_and_retention(world: World, hook: Hook) -> None:
    for who in (world.pra, world.ann):
        refused(audit_settings.change(world.deps, world.caller(who), witness_url=hook.url), Code.FORBIDDEN)
        refused(audit_settings.change(world.deps, world.caller(who), retention_days=None), Code.FORBIDDEN)
    by = world.caller(world.ga)
    for url in ("nonsense", "http://example.com/", "https://user@example.com", "file:///etc/passwd"):
        refused(audit_settings.change(world.deps, by, witness_url=url), Code.INVALID)
        refused(audit_settings.change(world.deps, by, timestamp_url=url), Code.INVALID)
    for days in (0, 29, -1, 10**6):
        refused(audit_settings.change(world.deps, by, retention_days=days), Code.INVALID)
    ok(audit_settings.change(world.deps, by, witness_url=hook.url + "?token=secret", retention_days=90))
    (event,) = [one for one in world.events(audit_settings.UPDATED) if one.result == "success"]
    assert event.targets[0].changes == (("RetentionDays", None, "90"), ("WitnessUrl", None, hook.url))


# ---------------------------------------------------------------- time-stamps


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is missing: no authority to ask")
    made = Authority(tmp_path_factory.mktemp("authority"))
    yield made
    made.close()


@pytest.fixture
def authority(running: Authority) -> Authority:
    running.spoil, running.status, running.asked = (lambda answer: answer), 200, 0
    return running


def test_the_newest_checkpoint_is_stamped(world: World, authority: Authority) -> None:
    sign(world, 3)
    ok(audit_settings.change(world.deps, world.caller(world.ga), timestamp_url=authority.url))
    assert witnesses(world).tell(world.tenant_id) == 1
    assert authority.asked == 1
    last = world.read(lambda tx: tx.checkpoints.last())
    assert authority.verifies(last.stamp, last.note.encode())
    assert not authority.verifies(last.stamp, last.note.encode() + b"x")
    assert world.read(lambda tx: tx.checkpoints.get(0)).stamp is None
    assert witnesses(world).tell(world.tenant_id) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: b"",
        lambda answer: b"nonsense",
        lambda answer: answer[:-30],
        lambda answer: b"\x30\x03\x02\x01\x00",
    ],
)
def test_an_answer_that_is_no_time_stamp_is_not_kept(world: World, authority: Authority, spoil: Any) -> None:
    sign(world)
    ok(audit_settings.change(world.deps, world.caller(world.ga), timestamp_url=authority.url))
    authority.spoil = spoil
    assert witnesses(world).tell(world.tenant_id) == 0
    assert world.read(lambda tx: tx.checkpoints.last()).stamp is None
    assert len(world.events(UNREACHED)) == 1


def test_the_answer_to_another_question_is_not_kept(authority: Authority) -> None:
    stamper = Rfc3161()
    asked, again, other = (stamper.request(data) for data in (b"one", b"one", b"two"))
    answer = authority.answer(asked)
    assert stamper.opened(asked, answer) == answer
    for request in (again, other):
        with pytest.raises(WitnessError):
            stamper.opened(request, answer)


def test_a_stamp_of_other_bytes_with_our_nonce_is_not_kept(authority: Authority) -> None:
    stamper = Rfc3161()
    asked = stamper.request(b"one")
    one, two = (hashlib.sha256(data).digest() for data in (b"one", b"two"))
    assert one in asked
    with pytest.raises(WitnessError, match="another request"):
        stamper.opened(asked, authority.answer(asked.replace(one, two)))
