"""The how-to pages that tell other systems what happened, or let them write here, are followed."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from tests.docs.pages import reading, replaced
from tests.docs.place import GROUP, Place
from tests.free_ports import two_in_a_row
from tests.notify.hostile import Asked, replies, serve
from tests.rsyslog import Rsyslog

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_siem_is_told(place: Place) -> None:
    with (
        reading("docs/how-to/send-the-audit-to-a-siem.md") as page,
        serve(replies(lambda _: (200, {}))) as there,
    ):
        add, receiver, export = page.block("text"), page.block("text"), page.block("text")
        log = Rsyslog(place.folder, two_in_a_row())
        here = {
            "/var/spool/rsyslog": str(place.folder),
            "/var/log/openpim.log": str(log.out),
            "6514": str(log.port),
        }
        here["/etc/rsyslog.d/tls/"] = f"{place.folder}/tls/"
        log.config.write_text(replaced(receiver.body, here))
        for name in ("token", "key"):
            (place.folder / f"{name}.txt").write_text(f"the {name}\n")
        log.start()
        try:
            here["https://otel.example.com"] = here["https://lake.example.com"] = there.url("")
            listed = place.script(add, **here)
            assert re.findall(r"^(siem|otel|lake) ", listed, re.MULTILINE) == ["lake", "otel", "siem"]
            place.until(
                lambda: log.out.exists() and '"position":' in log.out.read_text(), "nothing came by syslog"
            )
        finally:
            log.kill()
        told = {one.line.split()[1]: one.headers for one in asked(place, there.asked, 2)}
        assert told["/v1/logs"]["authorization"] == "the token"
        assert told["/in"]["x-api-key"] == "the key"
        place.script(export)
        sizes = [(place.folder / f"history.{form}").stat().st_size for form in ("jsonl", "csv", "parquet")]
        assert min(sizes) > 1000
        for name in ("siem", "otel", "lake"):
            place.type(f"pim audit streams remove {name}")


def asked(place: Place, known: list[Asked], count: int) -> list[Asked]:
    place.until(lambda: len({one.line for one in known}) >= count, "it was not asked")
    return known


def test_a_provisioner_is_let_in(place: Place) -> None:
    place.application("Entra ID", "Provisioning.ReadWrite.All")
    place.group("Wiki readers")
    with reading("docs/how-to/provision-with-scim.md") as page:
        soon = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%dT%H:%M:%SZ}"
        (printed,) = place.walk(page.block("console"), **{"2027-11-21T00:00:00Z": soon})
        token = printed.split()[-1]
        request = urllib.request.Request(
            f"{place.origin}/scim/v2/Groups", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, context=place.trust()) as answer:
            names = {one["displayName"] for one in json.loads(answer.read())["Resources"]}
        assert {"Wiki readers", GROUP} & names
        (printed,) = place.walk(page.block("console"))
        assert "eligible" in printed
