"""Somebody with a browser, a password and an authenticator, who signs in by filling in the server's forms.

As a program it is what `BROWSER` names: `python -m tests.cli.person URL`, with PERSON_NAME, PERSON_PASSWORD,
PERSON_SEED and PERSON_CA in the environment.
"""

from __future__ import annotations

import http.cookiejar
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from html import unescape

import pyotp

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<(?:input|button)\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


def _attributes(text: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(text)}


class Person:
    def __init__(self, name: str, password: str, seed: str = "", ca: str = "") -> None:
        self.name, self.password, self.seed = name, password, seed
        self.jar = http.cookiejar.CookieJar()
        context = ssl.create_default_context(cafile=ca or None)
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.jar)
        )
        self.used = ""

    def code(self) -> str:
        return pyotp.TOTP(self.seed.replace(" ", "")).now() if self.seed else ""

    def open(self, url: str, data: dict[str, str] | None = None) -> tuple[str, str]:
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        try:
            with self.opener.open(urllib.request.Request(url, body), timeout=20) as answer:
                return answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code} at {url}: {error.read().decode()[-1500:]}") from None

    def _answer(self, name: str, given: str, extra: dict[str, str]) -> str:
        known = {
            "username": self.name,
            "password": self.password,
            "repeat": self.password,
            "code": self.code(),
            **extra,
        }
        return known.get(name, given)

    def visit(self, url: str, **extra: str) -> str:
        """Follow the forms to the end; the text of the last page."""
        where, page = self.open(url)
        for _ in range(8):
            forms = _FORM.findall(page)
            if not forms or urllib.parse.urlsplit(where).path in {"/", ""}:
                return page
            enrolment = re.search(r"[?;]secret=([A-Z2-7]+)", page)
            if enrolment:
                self.seed = enrolment[1]
            head, inside = forms[0]
            action = _attributes(head).get("action", "")
            fields = [_attributes(field) for field in _FIELD.findall(inside)]
            data = {
                field["name"]: field.get("value", "")
                if field.get("type") == "hidden"  # such as the `code` of an answer that goes to a client
                else self._answer(field["name"], field.get("value", ""), extra)
                for field in fields
                if field.get("name") and field.get("type") != "submit"
            }
            submits = [field for field in fields if field.get("type") == "submit" and field.get("name")]
            data.update({submits[-1]["name"]: submits[-1].get("value", "")} if submits else {})
            where, page = self.open(urllib.parse.urljoin(where, action) if action else where, data)
        raise AssertionError(f"forms without end at {where}: {page[:2000]}")


if __name__ == "__main__":
    env = os.environ
    person = Person(
        env["PERSON_NAME"], env["PERSON_PASSWORD"], env.get("PERSON_SEED", ""), env.get("PERSON_CA", "")
    )
    person.visit(sys.argv[1])
