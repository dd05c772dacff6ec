"""A browser with a person in front of it: follows redirects, fills in the forms that the server really shows.

    robot = Robot(server, server.people["mira"])
    robot.open("https://localhost:1234/common/oauth2/v2.0/authorize?...")   # what a client would open in a browser
    robot.device("BCDFGHJK")                                                # what a device shows

It keeps its cookies, so a second sign-in rests on the session of the first, as in life.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pyotp

if TYPE_CHECKING:
    from tests.live.server import LiveServer, Person

_MOST_PAGES = 20


class StuckError(AssertionError):
    """The person does not know what to do with this page."""


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.codes: list[str] = []
        self.error = ""
        self.title = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((given.get("name", ""), given.get("value", "")))
        elif tag == "code":
            self.codes.append("")
            self._inside = "code"
        elif tag == "h1" or (tag == "p" and given.get("class") == "error" and "hidden" not in given):
            self._inside = "error" if tag == "p" else "title"

    def handle_endtag(self, tag: str) -> None:
        if tag in {"code", "h1", "p"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "code":
            self.codes[-1] += data
        elif self._inside == "error":
            self.error += data
        elif self._inside == "title":
            self.title += data


class Robot:
    """tenant: which organisation he chooses when asked. steps: the pages he saw, for the test to look at."""

    def __init__(self, server: LiveServer, person: Person, *, tenant: str = "") -> None:
        self.server, self.person, self.tenant = server, person, tenant
        self.steps: list[str] = []
        self.consents = True
        self._http = httpx.Client(verify=server.trust(), follow_redirects=False, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    close = __exit__

    def open(self, url: str) -> httpx.Response:
        """Go where a client sends the browser, and on until the client has its answer (or a last page is shown)."""
        return self._go_on(self._http.get(url))

    def answer(self, url: str) -> dict[str, str]:
        """The same for a client without a listener: the parameters that its redirect address would have got."""
        response = self._http.get(url)
        for _ in range(_MOST_PAGES):
            where = self._elsewhere(response)
            if where:
                parts = urlsplit(where)
                return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}
            if response.is_redirect:
                response = self._http.get(urljoin(str(response.url), response.headers["location"]))
                continue
            page = _Page(response.text)
            form = self._form(page, response)
            if form is None:
                raise StuckError(response.text)
            if not urljoin(str(response.url), form.action).startswith(self.server.origin + "/"):
                return form.fields
            response = self._send(form, response)
        raise StuckError("the sign-in goes round in circles")

    def device(self, user_code: str) -> str:
        """Type the code that a device shows, sign in, agree. Returns the title of the last page."""
        response = self._http.get(f"{self.server.origin}/devicelogin")
        form = self._form(_Page(response.text), response)
        assert form is not None, response.text
        form.fields["user_code"] = user_code
        return _Page(self._go_on(self._send(form, response)).text).title

    def _elsewhere(self, response: httpx.Response) -> str:
        """The address outside the server that a redirect leads to."""
        if not response.is_redirect:
            return ""
        where = urljoin(str(response.url), response.headers["location"])
        return "" if where.startswith(self.server.origin + "/") else where

    def _go_on(self, response: httpx.Response) -> httpx.Response:
        for _ in range(_MOST_PAGES):
            where = self._elsewhere(response)
            if where:
                return httpx.get(where, timeout=20)  # the listener of the client
            if response.is_redirect:
                response = self._http.get(urljoin(str(response.url), response.headers["location"]))
                continue
            form = self._form(_Page(response.text), response)
            if form is None:
                return response
            target = urljoin(str(response.url), form.action)
            if not target.startswith(self.server.origin + "/"):
                return httpx.post(target, data=form.fields, timeout=20)  # form_post to the client
            response = self._send(form, response)
        raise StuckError("the sign-in goes round in circles")

    def _send(self, form: Form, response: httpx.Response) -> httpx.Response:
        target = urljoin(str(response.url), form.action)
        headers = {"Origin": self.server.origin, "Sec-Fetch-Site": "same-origin"}
        return self._http.post(target, data=form.fields, headers=headers)

    def _form(self, page: _Page, response: httpx.Response) -> Form | None:
        """The page's first form, filled in; None for a page that only says something."""
        if page.error:
            raise StuckError(f"{page.title}: {page.error}")
        if not page.forms:
            return None
        form = page.forms[0]
        step = form.fields.get("step", "")
        self.steps.append(step or "form_post")
        match step:
            case "password":
                form.fields |= {"username": self.person.username, "password": self.person.password}
            case "code":
                form.fields["code"] = self._code()
            case "enrol":
                self.person.totp = re.sub(r"\s", "", page.codes[0])
                form.fields["code"] = self._code()
            case "account":
                form.fields["choice"] = "this"
            case "tenant":
                offered = [value for _, value in form.buttons]
                form.fields["tenant"] = self.tenant or offered[0]
            case "confirm_device" | "consent":
                form.fields["choice"] = "yes" if self.consents else "no"
            case "recovery_codes" | "user_code" | "":
                pass
            case _:
                raise StuckError(f"an unknown step {step!r}: {response.text}")
        return form

    def _code(self) -> str:
        """A code of a later moment than the last one: none works twice, and one step ahead is let in."""
        assert self.person.totp is not None, f"{self.person.key} has no second factor"
        while True:
            now = int(time.time()) // 30
            step = max(now, self.person.last_step + 1)
            if step <= now + 1:
                self.person.last_step = step
                return pyotp.TOTP(self.person.totp).generate_otp(step)
            time.sleep(1)
