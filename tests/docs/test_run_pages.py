"""The how-to pages about running a server are followed."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request

import pytest
import yaml

from tests.docs.pages import reading, replaced
from tests.docs.place import Place
from tests.notify.authority import Authority

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_postgresql_and_certificates(place: Place) -> None:
    """The server runs on what these pages say, or there would be no place at all."""
    with reading("docs/how-to/certificates.md"):
        rows = place.cluster.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'openpim' AND usename = 'openpim'"
        )
        assert rows[0][0] > 0
        assert not (place.folder / "openpim-data/tls").exists(), (
            "it made an authority of its own all the same"
        )
        assert place.origin in place.type("pim whoami")


def test_monitoring(place: Place) -> None:
    with reading("docs/how-to/monitor.md") as page:
        (job,) = yaml.safe_load(page.block("yaml").body)["scrape_configs"]
        (static,) = job["static_configs"]
        (target,) = static["targets"]
        token = (place.folder / "openpim-data/metrics-token").read_text().strip()
        request = urllib.request.Request(f"{job['scheme']}://{replaced(target, place.places)}/metrics")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, context=place.trust())
        refused.value.close()
        request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, context=place.trust()) as answer:
            assert b"openpim_build_info" in answer.read()
        with urllib.request.urlopen(f"http://{place.metrics}/metrics") as answer:
            assert b"openpim_build_info" in answer.read()
        place.cluster.sql("ALTER DATABASE openpim ALLOW_CONNECTIONS false")
        try:
            place.cluster.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'openpim'"
            )
            shown = json.loads(page.block("json").body)
            place.until(lambda: ready(place) == shown, "this is not said")
        finally:
            place.cluster.sql("ALTER DATABASE openpim ALLOW_CONNECTIONS true")
        place.until(lambda: ready(place)["status"] == "ok", "the database does not come back")
        log = [json.loads(line) for line in place.errors().splitlines()]
        assert any(line.get("path") == "/readyz" for line in log)


def ready(place: Place) -> dict:
    try:
        with urllib.request.urlopen(f"{place.origin}/readyz", context=place.trust()) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return json.loads(error.read())


def test_mail(place: Place) -> None:
    with reading("docs/how-to/set-up-mail.md") as page:
        before = len(place.mail.letters)
        place.script(page.block("sh"))
        place.until(lambda: len(place.mail.letters) > before, "no mail came")
        assert place.mail.envelopes[before][0] == "pim@example.com"


def test_the_audit_history_is_proved(place: Place) -> None:
    with reading("docs/how-to/prove-the-audit-history.md") as page:
        check, daily, trust, save, elsewhere, beside = (page.block("console") for _ in range(6))
        place.until(lambda: "openpim.audit/" in place.type("pim audit key"), "nothing was signed")
        (key,) = {word for word in place.type("pim audit key").split() if word.startswith("openpim.audit/")}
        here = {"openpim.audit/…+…+…": key, "/var/log/": f"{place.folder}/", "mail -s": "false"}
        for block in (check, daily, trust, save, elsewhere, beside):
            place.walk(block, **here)
        assert json.loads((place.folder / "pim-audit.json").read_text())["proved"] is True
        assert list((place.folder / "checkpoints").glob("*.jsonl"))

        authority = Authority(place.folder)
        try:
            here = {
                "https://witness.example.com/openpim": f"{authority.url}/w",
                "https://tsa.example.com/": authority.url,
            }
            made = place.http(page.block("http"), **here)
            assert made["witnessSecret"].startswith("whsec_")
            latest = "/beta/openPim/auditLog/checkpoints/latest"
            place.until(lambda: place.ask("GET", latest).get("timeStamp"), "it is not stamped")
        finally:
            authority.close()
        stamped = place.ask("GET", latest)
        (place.folder / "note.txt").write_text(stamped["note"], encoding="utf-8")
        (place.folder / "stamp.tsr").write_bytes(base64.b64decode(stamped["timeStamp"]))
        place.walk(page.block("console"))
        kept = place.http(page.block("http"))
        assert kept["retentionDays"] == 730
