"""A browser in front of the portal, for tests: a world, the sign-in and the portal over it, and people who are signed in.

ann = site.browser(site.world.ann)          # signed in with password and second factor
page = ann.get("/portal/roles")
ann.post("/portal/roles/deactivate", schedule=…)     # with the token of the page that was shown last
"""

from __future__ import annotations

import itertools
import re
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import unescape
from html.parser import HTMLParser
from typing import Any

from starlette.applications import Starlette

from openpim.core.signin.values import Account
from openpim.faces import oidc, portal
from openpim.faces.oidc.cookies import SESSION
from openpim.faces.shared.paths import TidyPaths
from openpim.faces.shared.request_ids import RequestIds
from openpim.services.signin.context import SignIn
from openpim.services.signin.demo import enter_demo
from openpim.services.signin.events import Origin
from tests.signin_helper import fast_sign_in
from tests.world import World

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "https://localhost:8443"


class _Texts(HTMLParser):
    """What a person reads, and the forms' fields."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._skip += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.parts.append(data)


@dataclass
class Shown:
    """A page as it came."""

    answer: Any

    @property
    def status(self) -> int:
        return int(self.answer.status_code)

    @property
    def html(self) -> str:
        return str(self.answer.text)

    @property
    def to(self) -> str:
        return str(self.answer.headers.get("location", ""))

    @cached_property
    def _parsed(self) -> _Texts:
        parsed = _Texts()
        parsed.feed(self.html)
        return parsed

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._parsed.parts).split())

    @property
    def tags(self) -> list[tuple[str, dict[str, str]]]:
        return self._parsed.tags

    @property
    def links(self) -> list[str]:
        return [attrs["href"] for tag, attrs in self.tags if tag == "a" and "href" in attrs]

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that goes there, as they stand."""
        for form in re.findall(r"<form\b.*?</form>", self.html, re.DOTALL):
            if unescape(re.search(r'action="([^"]*)"', form).group(1)) == action:  # type: ignore[union-attr]
                return _fields(form)
        raise AssertionError(f"no form to {action} on: {self.status} {self.text}")


def _fields(form: str) -> dict[str, str]:
    parsed = _Texts()
    parsed.feed(form)
    found: dict[str, str] = {}
    select = ""
    for tag, attrs in parsed.tags:
        if tag == "select":
            select = attrs.get("name", "")
        elif tag == "option" and select and ("selected" in attrs or select not in found):
            found[select] = attrs.get("value", "")
        elif tag == "input" and attrs.get("name"):
            if attrs.get("type") not in {"checkbox", "radio"} or "checked" in attrs:
                found[attrs["name"]] = attrs.get("value", "")
        elif tag == "textarea" and attrs.get("name"):
            found[attrs["name"]] = ""
    return found


@dataclass
class Site:
    world: World
    signin: SignIn = field(init=False)
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        count = itertools.count(1)
        deps = replace(self.world.deps, secret=lambda size: f"{next(count):0>{size}}")
        self.signin = fast_sign_in(deps)
        routes = [*oidc.routes(self.signin), *portal.routes(self.signin)]
        self.app = RequestIds(TidyPaths(Starlette(routes=routes)), self.world.new_id)

    def browser(
        self, who: str = "", *, mfa: bool = True, tenant_id: str = "", accept: str = "text/html"
    ) -> Browser:
        """who: a user's id; nobody is signed in without one."""
        browser = Browser(self, TestClient(self.app, base_url=ORIGIN, follow_redirects=False))
        browser.client.headers["accept"] = accept
        if who:
            browser.open_session(who, mfa=mfa, tenant_id=tenant_id or self.world.tenant_id)
        return browser


@dataclass
class Browser:
    site: Site
    client: Any
    page: Shown | None = None
    _as: tuple[str, bool, str] | None = None

    def sign_in_again(self) -> None:
        if self._as is not None:
            who, mfa, tenant_id = self._as
            self.open_session(who, mfa=mfa, tenant_id=tenant_id)

    def open_session(self, who: str, *, mfa: bool = True, tenant_id: str = "") -> str:
        self._as = who, mfa, tenant_id
        amr = ("pwd", "otp", "mfa") if mfa else ("pwd",)
        account = Account(tenant_id or self.site.world.tenant_id, who)
        cookie = enter_demo(self.site.signin, account, amr, Origin(ORIGIN))
        self.client.cookies.set(SESSION, cookie, domain="localhost.local", path="/")
        return cookie

    def get(self, path: str, **headers: str) -> Shown:
        self.page = Shown(self.client.get(path, headers=headers or None))
        return self.page

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Shown:
        """With the token of a page of this session, unless one is given."""
        if "token" not in fields and path.startswith("/portal"):
            fields["token"] = self.token
        self.page = Shown(self.client.post(path, data=fields, headers=headers))
        return self.page

    def upload(self, path: str, field: str, name: str, body: bytes, /, **fields: str) -> Shown:
        """A form with a file, as a browser sends it."""
        if "token" not in fields:
            fields["token"] = self.token
        self.page = Shown(self.client.post(path, data=fields, files={field: (name, body, "text/csv")}))
        return self.page

    def send(self, action: str, **typed: str) -> Shown:
        """Fill in the form of the page that goes there, and send it."""
        assert self.page is not None
        return self.post(action, **{**self.page.form(action), **typed})

    def follow(self) -> Shown:
        assert self.page is not None
        assert self.page.status == 303, f"{self.page.status} {self.page.text}"
        return self.get(self.page.to)

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.client.get("/portal/roles").text)
        assert found is not None, "no page with a form is to be had: is anybody signed in?"
        return found.group(1)
