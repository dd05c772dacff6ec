"""Mail over a real SMTP server: encryption, signing in, refusals; and letters full of what people should not type."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path

import pytest

from openpim.core.notice_words import worded
from openpim.core.notices import Audience, Facts, Topic
from openpim.notify.mail import SHOWN, MailServer, SmtpMailer, compose
from openpim.ports.mailer import Letter
from openpim.tls import TlsFiles, ensure_certificates
from tests.notify.smtp_sink import PASSWORD, USER, Sink

AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
ORIGIN = "https://pim.example.com"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return ensure_certificates(tmp_path_factory.mktemp("tls"), ["127.0.0.1"], datetime.now(UTC))


@pytest.fixture
def context(certificates: TlsFiles) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificates.certificate, certificates.key)
    return made


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as started:
        yield started


def server(sink: Sink, authority: Path | None = None, **more: object) -> MailServer:
    return MailServer(
        host="127.0.0.1",
        port=sink.port,
        tls=sink.tls,
        sender="pim@example.com",
        ca_file=authority,
        **more,  # type: ignore[arg-type]
    )


def facts(**more: object) -> Facts:
    values = {
        "topic": Topic.APPROVAL_WANTED,
        "at": AT,
        "provider": "directory",
        "activation": True,
        "role_name": "Teams Administrator",
        "scope_name": "Contoso",
        "subject_id": "a",
        "subject_name": "Ann Olsen",
        "actor_id": "a",
        "reason": "Ticket 4711: the lines are down",
        "ticket": "ServiceNow INC4711",
        "ends_at": datetime(2026, 11, 3, 17, 0, tzinfo=UTC),
        "request_id": "8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10",
    } | more
    return Facts(**values)  # type: ignore[arg-type]


def letter(*told: Facts, **more: object) -> Letter:
    notices = tuple(
        worded(one, Audience.APPROVER, ORIGIN, ("UTC", UTC), critical=True) for one in told or (facts(),)
    )
    values = {
        "id": "3a2b0c1d-0000-4000-8000-000000000001",
        "to": "bob@example.com",
        "name": "Bob Byrne",
        "subject": notices[0].title,
        "organisation": "Contoso",
        "notices": notices,
        "link": notices[0].link,
        "link_label": notices[0].link_label,
        "settings": f"{ORIGIN}/portal/me/notifications",
        "at": AT,
    } | more
    return Letter(**values)  # type: ignore[arg-type]


def test_a_letter_arrives_as_text_and_html(sink: Sink) -> None:
    mailer = SmtpMailer(server(sink))
    assert mailer.send(letter()).sent
    assert mailer.send(letter(id="3a2b0c1d-0000-4000-8000-000000000002")).sent
    mailer.close()
    got, _ = sink.letters
    assert sink.envelopes[0] == ("pim@example.com", ["bob@example.com"])
    assert got["Subject"] == "PIM: Ann Olsen asks for Teams Administrator"
    assert got["From"] == "OpenPIM Contoso <pim@example.com>"
    assert got["To"] == "Bob Byrne <bob@example.com>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"] == "<3a2b0c1d-0000-4000-8000-000000000001@example.com>"
    assert got["List-Unsubscribe"] == f"<{ORIGIN}/portal/me/notifications>"
    assert got["Importance"] == "high"
    assert got["Date"].datetime == AT
    plain, html = (got.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for body in (plain, html):
        for said in ("Ticket 4711: the lines are down", "ServiceNow INC4711", "Tue 3 Nov 2026 17:00 UTC"):
            assert said in body
        assert f"{ORIGIN}/portal/approvals/8f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10" in body
    assert {part.get_content_type() for part in got.iter_parts()} == {"text/plain", "text/html"}
    assert max(map(len, sink.raw[0].split(b"\r\n"))) < 998


# aiosmtpd warns of a password without STARTTLS, though all of the connection is encrypted.
@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_encrypted_and_signed_in(tls: str, context: ssl.SSLContext, certificates: TlsFiles) -> None:
    with Sink(context, tls, auth=True) as sink:
        good = server(sink, certificates.authority, user=USER, password=PASSWORD)
        mailer = SmtpMailer(good)
        assert mailer.send(letter()).sent
        mailer.close()
        assert sink.logins == 1
        wrong = SmtpMailer(replace(good, password="guess-me"))
        outcome = wrong.send(letter())
        assert not outcome.sent
        assert outcome.retry
        assert outcome.reason == "The mail server refused the user or the password (535)."
        assert not wrong.reachable
        untrusted = SmtpMailer(replace(good, ca_file=None))
        outcome = untrusted.send(letter())
        assert not outcome.sent
        assert "certificate is not trusted" in outcome.reason
        assert len(sink.letters) == 1
        assert "guess-me" not in repr(wrong._server)


def test_encryption_that_is_not_offered_is_not_done_without(sink: Sink) -> None:
    mailer = SmtpMailer(replace(server(sink), tls="starttls", user=USER, password=PASSWORD))
    outcome = mailer.send(letter())
    assert not outcome.sent
    assert "STARTTLS" in outcome.reason
    assert sink.letters == []


@pytest.mark.parametrize(
    ("answer", "retry"),
    [
        ("550 No such user here", False),
        ("451 Try later", True),
        ("452 Mailbox full", True),
        ("553 Not so", False),
    ],
)
def test_refused_recipients(sink: Sink, answer: str, retry: bool) -> None:
    sink.answers = [answer]
    mailer = SmtpMailer(server(sink))
    outcome = mailer.send(letter())
    assert (outcome.sent, outcome.retry) == (False, retry)
    assert answer[:3] in outcome.reason
    assert mailer.reachable
    assert mailer.send(letter()).sent  # the connection is as good as before
    mailer.close()


def test_a_letter_that_is_refused_is_tried_again(sink: Sink) -> None:
    sink.data_answers = ["554 Looks odd"]
    mailer = SmtpMailer(server(sink))
    outcome = mailer.send(letter())
    assert (outcome.sent, outcome.retry, mailer.reachable) == (False, True, True)
    mailer.close()


def test_a_server_that_goes_away_and_comes_back() -> None:
    sink = Sink()
    sink.start()
    mailer = SmtpMailer(server(sink))
    assert mailer.send(letter()).sent
    sink.stop()
    outcome = mailer.send(letter())
    assert (outcome.sent, outcome.retry, mailer.reachable) == (False, True, False)
    sink.start()
    assert mailer.send(letter()).sent
    assert mailer.reachable
    mailer.close()
    sink.stop()


HOSTILE = [
    "Ann\r\nBcc: everybody@example.com",
    "Ann\nSubject: Your account is closed",
    "Ann\r\n\r\n<h1>Body</h1>",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table><a href='https://evil.example'>Decide</a>",
    "{{ letter.link }}{% raw %}",
    "Ann <evil@example.com>",
    'Ann" <evil@example.com>, "Bob',
    "=?utf-8?q?Bcc=3A_evil?=",
    "\u202eevil\u2066\u200f",
    "Ann\u2028Decide: https://evil.example",
    "a\x00b\x1b[31m",
    "\udc80 half a pair",
    "Zoë Ångström 王小明 🦊",
    "x" * 20_000,
    "." * 3 + "\r\n.\r\n",
    "-- \r\nSent by OpenPIM",
    ",;:()[]\\@",
    "",
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        assert not any(name.startswith("on") for name, _ in attrs)


def tags(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_people_type_leaves_its_place(typed: str) -> None:
    """Every name and every reason: the same headers, recipients, tags, links and number of lines as with a harmless one."""

    def made(text: str) -> tuple[object, bytes]:
        told = facts(
            role_name=text, scope_name=f"in {text}", subject_name=text, actor_id="b", actor_name=text, reason=text,
            ticket=text, more=(("Client", text),),
        )  # fmt: skip
        sent = letter(told, name=text, organisation=text)
        raw = compose(sent, "bob@example.com", "pim@example.com").as_bytes()
        return message_from_bytes(raw, policy=SMTP), raw

    got, raw = made(typed)
    harmless, _ = made(typed and "harmless")
    assert got.keys() == harmless.keys()  # type: ignore[attr-defined]
    assert [one.addr_spec for one in got["To"].addresses] == ["bob@example.com"]  # type: ignore[index]
    assert [one.addr_spec for one in got["From"].addresses] == ["pim@example.com"]  # type: ignore[index]
    assert "\n" not in got["Subject"]  # type: ignore[index]
    assert got["Subject"].strip().startswith("PIM: ")  # type: ignore[index]
    html, plain_html = (one.get_body(("html",)).get_content() for one in (got, harmless))  # type: ignore[attr-defined]
    assert tags(html).found == tags(plain_html).found
    assert tags(html).links == tags(plain_html).links
    text, plain_text = (one.get_body(("plain",)).get_content() for one in (got, harmless))  # type: ignore[attr-defined]
    assert text.count("\n") == plain_text.count("\n")
    for forbidden in ("\u202e", "\u2066", "\x00", "\x1b", "\u2028"):
        assert forbidden not in text
        assert forbidden not in html
    assert max(map(len, raw.split(b"\n"))) < 998


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\r\nRCPT TO:<evil@example.com>", "a@example.com, evil@example.com", "a b@example.com", "@example.com",
        "a@", "ann", "", "<a@example.com>", "a@exa mple.com", '"a b"@example.com', "a@example.com>", "å@example.com",
        "a@" + "x" * 400 + ".com", "a@b@example.com", "\udc80@example.com", "a@example..com",
    ],
)  # fmt: skip
def test_addresses_that_are_none(sink: Sink, address: str) -> None:
    mailer = SmtpMailer(server(sink))
    outcome = mailer.send(letter(to=address))
    mailer.close()
    assert not outcome.sent
    assert sink.letters == []


def test_an_address_of_an_international_domain(sink: Sink) -> None:
    mailer = SmtpMailer(server(sink))
    assert mailer.send(letter(to="ann@exämple.com")).sent
    mailer.close()
    assert sink.envelopes[0][1] == ["ann@xn--exmple-cua.com"]


def test_many_things_in_one_letter_are_cut(sink: Sink) -> None:
    many = letter(*[facts(subject_name=f"Person {number}") for number in range(SHOWN + 7)])
    text = compose(many, "bob@example.com", "pim@example.com").get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert f"Person {SHOWN - 1} " in said
    assert f"Person {SHOWN} " not in said
    assert "and 7 more" in said
