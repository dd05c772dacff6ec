"""Mail over SMTP: one letter as plain text and HTML, to one person.

What people typed (names, reasons, tickets) comes in as values. In the headers they go through the email package's own header
classes and are one line each; in the HTML the templates escape them; in the plain text each stays on its line. So none of
them can add a header, a recipient, a tag, or a line that looks like ours.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from openpim.core.notices import one_line
from openpim.ports.channels import Outcome
from openpim.ports.mailer import Letter

if TYPE_CHECKING:
    from jinja2 import Environment

SHOWN = 40  # notices written out in one letter
_SECONDS = 20.0
_REFUSED_FOR_GOOD = frozenset({501, 510, 511, 550, 551, 553, 556})
PREFIX = "PIM: "


@dataclass(frozen=True, slots=True)
class MailServer:
    """tls: "starttls", "tls" (from the first byte) or "none". sender: the address in From. user "": no signing in."""

    host: str
    port: int = 587
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    ca_file: Path | None = None
    helo: str = "openpim"


class SmtpMailer:
    """See ports/mailer.py. For one thread at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self.reachable = True

    def send(self, letter: Letter) -> Outcome:
        address = _address(letter.to)
        if address is None:
            return Outcome(
                sent=False, reason="This is no mail address that mail can be sent to.", retry=False
            )
        message = compose(letter, address, self._server.sender)
        try:
            smtp = self._connected()
        except OSError as error:  # SMTPException is one of them
            self.reachable = False
            self.close()
            return Outcome(sent=False, reason=_said(error, "cannot be used"))
        self.reachable = True
        try:
            smtp.send_message(message, self._server.sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            reason = f"The mail server refused the recipient: {code} {_plain(text)}"
            return Outcome(sent=False, reason=reason, retry=code not in _REFUSED_FOR_GOOD)
        except OSError as error:  # SMTPException is one of them
            self.reachable = isinstance(error, smtplib.SMTPResponseException)
            self.close()
            return Outcome(sent=False, reason=_said(error, "did not take the letter"))
        return Outcome(sent=True)

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except OSError:
                smtp.close()

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            try:
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            except OSError:
                pass
            self.close()
        self._smtp = _connect(self._server)
        if self._server.user:
            self._smtp.login(self._server.user, self._server.password)
        return self._smtp


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.tls == "none":
        return smtplib.SMTP(server.host, server.port, server.helo, _SECONDS)
    context = ssl.create_default_context(cafile=server.ca_file)
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, server.helo, timeout=_SECONDS, context=context)
    smtp = smtplib.SMTP(server.host, server.port, server.helo, _SECONDS)
    try:
        smtp.starttls(context=context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def compose(letter: Letter, address: str, sender: str) -> EmailMessage:
    """The letter as it goes over the wire. Raises nothing for what people typed."""
    message = EmailMessage(policy=SMTP)
    domain = sender.rpartition("@")[2]
    local, _, at = address.rpartition("@")
    message["From"] = Address(display_name=one_line(f"OpenPIM {letter.organisation}", 80), addr_spec=sender)
    message["To"] = Address(display_name=one_line(letter.name, 80), username=local, domain=at)
    message["Subject"] = PREFIX + one_line(letter.subject)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["List-Id"] = f"OpenPIM <openpim.{domain}>"
    if letter.settings:
        message["List-Unsubscribe"] = f"<{letter.settings}>"
    if any(one.critical for one in letter.notices):
        message["Importance"] = "high"
    values = {
        "letter": letter,
        "shown": letter.notices[:SHOWN],
        "more": max(0, len(letter.notices) - SHOWN),
        "line": one_line,
    }
    message.set_content(_templates().get_template("mail.txt").render(values), cte="quoted-printable")
    html = _templates().get_template("mail.html").render(values)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - only who sends loads it

    return Environment(
        loader=PackageLoader("openpim.notify"),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _address(text: str) -> str | None:
    """The address in ASCII (its domain as IDNA), None when it is none."""
    local, at, domain = text.strip().rpartition("@")
    try:
        plain = domain.encode("idna").decode("ascii")
        spec = f"{local}{at}{plain}"
        if not local or not plain or len(spec) > 320 or not local.isascii():
            return None
        read = Address(addr_spec=spec)
    except (ValueError, IndexError, MessageError):
        return None
    fits = all(33 <= ord(character) < 127 and character not in '<>,;:"()[]\\' for character in spec)
    return spec if fits and read.domain == plain and read.username == local else None


def _said(error: Exception, what: str) -> str:
    """For administrators; the server's own words, without ours to it."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refused the user or the password ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPNotSupportedError) and "STARTTLS" in str(error):
        return "The mail server does not offer STARTTLS."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server {what}: {error.smtp_code} {_plain(error.smtp_error)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The mail server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "The mail server does not answer."
    return f"The mail server {what}: {one_line(str(error)) or type(error).__name__}"


def _plain(text: bytes | str) -> str:
    return one_line(text.decode("ascii", "replace") if isinstance(text, bytes) else str(text), 200)
