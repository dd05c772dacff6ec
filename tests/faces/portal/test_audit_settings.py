"""Settings → Audit log: what proves the history, how long it is kept, who witnesses it; and who may touch that."""

from __future__ import annotations

import pytest

from openpim.core.roles import GLOBAL_READER, SECURITY_ADMINISTRATOR
from openpim.services import audit_settings
from openpim.services.audit_settings import AuditSettings
from openpim.services.audits import REPORTS_READER
from tests.faces.portal.client import Browser, Shown, Site
from tests.world import ASSIGNMENT, ok

HERE = "/portal/audit-log"
RETENTION, WITNESSES = f"{HERE}/retention", f"{HERE}/witnesses"
HOOK, STAMPS = "https://witness.example.com/openpim", "https://tsa.example.com/"
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def holder(site: Site, role: str) -> Browser:
    person = site.world.user("Rhea")
    ok(site.world.give(person, role, ASSIGNMENT, permanent=True, by=site.world.ga))
    return site.browser(person)


def kept(site: Site) -> AuditSettings:
    return ok(audit_settings.get(site.world.deps, site.world.caller(site.world.ga)))


def copies(page: Shown) -> set[str]:
    return {attrs["data-copy"] for tag, attrs in page.tags if tag == "button" and "data-copy" in attrs}


def test_what_proves_the_history(site: Site, admin: Browser) -> None:
    world = site.world
    page = admin.get(HERE)
    assert "none yet" in page.text
    assert copies(page) == {"pim audit key"}
    first = world.sign()
    size = world.grow()
    assert size > first.size
    page = admin.get(HERE)
    (key,) = world.read(lambda tx: tx.checkpoints.log_keys())
    assert f"Size {size} events" in page.text
    assert f"number 0, over {first.size} events" in page.text
    assert first.at.isoformat() in page.html
    assert copies(page) == {key.key, "pim audit key", f"pim audit verify --key '{key.key}'"}
    assert key.sealed not in page.html
    assert "In order" in page.text


def test_that_signing_stopped_is_said_in_words(site: Site, admin: Browser) -> None:
    site.world.sign()
    site.world.write(lambda tx: tx.checkpoints.set_fault(f"the log has fewer {EVIL}"))
    page = admin.get(HERE)
    assert f"No checkpoint is signed any more. The log has fewer {EVIL}." in page.text
    assert EVIL not in page.html
    assert "In order" not in page.text


def test_it_is_kept_for_a_time_and_for_ever_again(site: Site, admin: Browser) -> None:
    assert "hashes stay" in admin.get(HERE).text
    assert "Tick the box" in admin.send(RETENTION, days="90").text
    assert kept(site).retention_days is None
    assert admin.page is not None
    assert admin.page.status == 400
    assert admin.page.form(RETENTION)["days"] == "90"
    admin.send(RETENTION, sure="on")
    assert "kept for 90 days" in admin.follow().text
    assert kept(site).retention_days == 90
    admin.send(RETENTION, days="120")  # longer: nothing is removed by it
    assert "kept for 120 days" in admin.follow().text
    assert admin.send(RETENTION, days="119").status == 400
    admin.get(HERE)
    admin.send(RETENTION, days="")
    assert "kept for ever" in admin.follow().text
    assert kept(site).retention_days is None


@pytest.mark.parametrize("days", ["29", "36501", "-1", "1e3", "٣٠", "ninety", EVIL])
def test_no_other_number_of_days(site: Site, admin: Browser, days: str) -> None:
    admin.get(HERE)
    page = admin.send(RETENTION, days=days, sure="on")
    assert page.status == 400
    assert "Write a number from 30 to 36500." in page.text
    assert page.form(RETENTION)["days"] == days
    assert EVIL not in page.html
    assert kept(site).retention_days is None


def test_a_witness_gets_a_secret_that_is_shown_once(site: Site, admin: Browser) -> None:
    admin.get(HERE)
    page = admin.send(WITNESSES, witness=HOOK, stamps=STAMPS)
    (secret,) = copies(page)
    assert secret.startswith("whsec_")
    assert HOOK in page.text
    assert (kept(site).witness_url, kept(site).timestamp_url) == (HOOK, STAMPS)
    page = admin.get(HERE)
    assert secret not in page.html
    assert "not shown again" in page.text
    admin.send(WITNESSES, stamps="")
    page = admin.follow()
    assert secret not in page.html
    assert (kept(site).witness_url, kept(site).timestamp_url) == (HOOK, "")
    admin.send(WITNESSES, witness="")
    assert admin.follow().form(WITNESSES)["witness"] == ""
    assert kept(site).witness_url == ""


@pytest.mark.parametrize("field", ["witness", "stamps"])
@pytest.mark.parametrize(
    "wrong", ["nonsense", "http://witness.example.com/", "https://10.0.0.1/", EVIL, "https://a.example/" + "x" * 2000]
)  # fmt: skip
def test_a_wrong_address_is_said_where_it_was_typed(
    site: Site, admin: Browser, field: str, wrong: str
) -> None:
    other = {"witness": "stamps", "stamps": "witness"}[field]
    admin.get(HERE)
    page = admin.send(WITNESSES, **{field: wrong, other: STAMPS})
    assert page.status == 400
    assert f'id="{field}-error"' in page.html
    assert f'id="{other}-error"' not in page.html
    assert EVIL not in page.html
    form = page.form(WITNESSES)
    assert form[other] == STAMPS
    assert wrong.startswith(form[field])
    assert (kept(site).witness_url, kept(site).timestamp_url) == ("", "")


def test_an_address_makes_no_tag(site: Site, admin: Browser) -> None:
    address = "https://witness.example.com/?a='<b>&amp;"
    admin.get(HERE)
    page = admin.send(WITNESSES, witness=address)
    if page.status == 200:
        assert address in page.text
    assert "<b>" not in page.html
    assert "<b>" not in holder(site, GLOBAL_READER).get(HERE).html


@pytest.mark.parametrize("role", [GLOBAL_READER, SECURITY_ADMINISTRATOR, REPORTS_READER])
def test_a_reader_looks_and_does_not_touch(site: Site, admin: Browser, role: str) -> None:
    ok(audit_settings.change(site.world.deps, site.world.caller(site.world.ga), retention_days=90))
    admin.post(WITNESSES, witness=HOOK)
    before = kept(site)
    reader = holder(site, role)
    page = reader.get(HERE)
    assert "Kept 90 days" in page.text
    assert HOOK in page.text
    assert HERE in page.links
    assert not any(attrs.get("action", "").startswith(HERE) for tag, attrs in page.tags if tag == "form")
    assert reader.post(RETENTION, days="", sure="on").status == 403
    assert reader.post(RETENTION, days="30").status == 403
    assert reader.post(WITNESSES, witness="https://evil.example.com/", stamps="").status == 403
    assert kept(site) == before


def test_others_do_not_see_it(site: Site) -> None:
    ann = site.browser(site.world.ann)
    assert HERE not in ann.get("/portal/roles").links
    assert ann.get(HERE).status == 403
    assert ann.post(RETENTION, days="30", sure="on").status == 403
    assert ann.post(WITNESSES, witness=HOOK).status == 403
    assert kept(site) == AuditSettings(None, "", "")
