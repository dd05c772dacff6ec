"""Signing in and staying signed in: every flow, rotation of refresh tokens, what goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from openpim.client import clock
from openpim.client.profiles import load_config
from openpim.client.tokens import TokenCache
from tests.cli import fake as f


def cache_of(server) -> TokenCache:
    config = load_config()
    profile = config.choose()
    return TokenCache(config.home, profile.name, f"{profile.authority} {profile.graph} {profile.client_id}")


def expire(pim) -> None:
    cache = cache_of(pim.server)
    tokens = cache.load()
    tokens.expires = clock.now() - 1
    cache.save(tokens)


def test_browser_flow(pim, home):
    ran = pim("login")
    assert ran.code == 0, ran
    assert "anna@contoso.com" in ran.out
    assert "http" in ran.err
    who = pim("whoami", "-o", "json").json
    assert who["id"] == f.ANNA
    assert who["methods"] == ["pwd"]
    for name in os.listdir(home):
        assert (home / name).stat().st_mode & 0o077 == 0


def test_device_flow(pim, quick):
    pim.fake.device_polls = 3
    ran = pim("login", "--device")
    assert ran.code == 0, ran
    assert "ABCD-EFGH" in ran.err
    assert pim("profile", "show", "-o", "json").json["flow"] == "device"


def test_login_to_a_new_server_makes_a_profile(server, home, monkeypatch, capsys):
    from tests.cli.running import Pim

    runner = Pim(monkeypatch, capsys, server)
    monkeypatch.setattr("openpim.cli.context.Terminal.browse", lambda _, url: runner.browse(url))
    assert runner("list").code == 5
    ran = runner("login", "--server", server.url)
    assert ran.code == 0, ran
    assert runner("list").code == 0


def test_tenant_of_a_guest(pim):
    assert pim("login", "--tenant", "other.example").code == 0
    assert ("POST", "/other.example/oauth2/v2.0/token") in pim.fake.seen
    assert pim("profile", "show", "-o", "json").json["tenant"] == "other.example"


def test_another_account_than_named_is_said(pim):
    assert "--select" not in pim("login", "--user", "ANNA@contoso.com").err
    assert "that is anna@contoso.com, not ben@contoso.com" in pim("login", "--user", "ben@contoso.com").err
    pim("login", "--select")
    assert "prompt=select_account" in pim.opened[-1]


def test_mfa_and_context_on_request(pim):
    assert pim("login", "--mfa").code == 0
    assert "mfa" in pim("whoami", "-o", "json").json["methods"]
    assert pim("login", "--acr", "c3").code == 0
    assert pim("whoami", "-o", "json").json["contexts"] == ["c3"]


def test_refused_in_the_browser(pim, monkeypatch):
    def refuse(url: str) -> bool:
        query = dict(part.split("=") for part in url.partition("?")[2].split("&"))
        back = urllib.request.url2pathname(query["redirect_uri"])
        wrong = f"{back}/?error=access_denied&state=guessed"
        right = f"{back}/?error=access_denied&error_description=no+thanks&state={query['state']}"

        def visit() -> None:
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(wrong)
            urllib.request.urlopen(right).read()

        threading.Thread(target=visit, daemon=True).start()
        return True

    monkeypatch.setattr("openpim.cli.context.Terminal.browse", lambda _, url: refuse(url))
    ran = pim("login")
    assert ran.code == 5
    assert "no thanks" in ran.err


def test_nobody_comes_back_from_the_browser(pim, monkeypatch):
    from openpim.client import loopback

    monkeypatch.setattr("openpim.cli.context.Terminal.browse", lambda *_: False)
    wait = loopback.Listener.wait
    monkeypatch.setattr(loopback.Listener, "wait", lambda self, _: wait(self, 0.05))
    ran = pim("login")
    assert ran.code == 9
    assert "--device" in ran.err


def test_browser_that_keeps_the_terminal_until_it_is_left(pim, monkeypatch):
    monkeypatch.setattr(
        "openpim.cli.context.Terminal.browse", lambda _, url: bool(urllib.request.urlopen(url).read())
    )
    assert pim("login").code == 0


def test_token_is_renewed_and_the_refresh_token_rotated(signed_in):
    before = cache_of(signed_in.server).load()
    expire(signed_in)
    assert signed_in("list").code == 0
    after = cache_of(signed_in.server).load()
    assert after.refresh != before.refresh
    assert before.refresh in signed_in.fake.spent
    assert after.account["oid"] == f.ANNA


def test_two_at_once_never_use_a_refresh_token_twice(signed_in, home):
    expire(signed_in)
    env = {**os.environ, "PIM_CONFIG_HOME": str(home), "PIM_NO_INPUT": "1"}

    def one(_: int) -> int:
        return subprocess.run(
            [sys.executable, "-m", "openpim.cli", "list"], env=env, capture_output=True, check=False
        ).returncode

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(one, range(5))) == [0] * 5
    assert len(signed_in.fake.spent) == 1


def test_sign_in_that_has_ended(signed_in):
    expire(signed_in)
    signed_in.fake.refresh.clear()
    ran = signed_in("list")
    assert ran.code == 5
    assert "pim login" in ran.err


def test_access_token_withdrawn_by_the_server_is_renewed(signed_in):
    signed_in.fake.revoked.append(cache_of(signed_in.server).load().access)
    assert signed_in("list").code == 0


def test_tokens_of_another_server_are_not_sent(signed_in, home):
    path = home / "config.json"
    path.write_text(path.read_text().replace("localhost", "127.0.0.1"))
    assert signed_in("list").code == 5


def test_logout_revokes_and_forgets(signed_in, home):
    assert signed_in("logout").code == 0
    assert not signed_in.fake.refresh
    assert not (home / "tokens-test.json").exists()
    ran = signed_in("logout")
    assert ran.code == 0
    assert "Not signed in" in ran.out
    assert signed_in("whoami").code == 5


def test_application_from_the_environment(pim, monkeypatch):
    monkeypatch.setenv("PIM_CLIENT_ID", "app")
    monkeypatch.setenv("PIM_CLIENT_SECRET", "s3cret")
    assert pim("list").code == 2
    monkeypatch.setenv("PIM_TENANT", "contoso.com")
    assert pim("list").code == 0
    assert pim("login").code == 2
    monkeypatch.setenv("PIM_CLIENT_SECRET", "wrong")
    assert pim("list").code == 5


def test_token_from_the_environment(pim, monkeypatch):
    monkeypatch.setenv("PIM_ACCESS_TOKEN", f.jwt({"oid": f.ANNA}))
    assert pim("list").code == 0
    pim.fake.revoked.append(os.environ["PIM_ACCESS_TOKEN"])
    assert pim("list").code == 5


def test_token_command(signed_in):
    raw = signed_in("token").out.strip()
    assert raw.count(".") == 2
    assert signed_in("token", "--show", "-o", "json").json["oid"] == f.ANNA
    assert signed_in("token", "-o", "json").json["accessToken"] == raw


def test_tokens_that_others_may_read_are_refused(signed_in, home):
    path = home / "tokens-test.json"
    path.chmod(0o644)
    ran = signed_in("list")
    assert ran.code == 5
    assert "chmod 600" in ran.err
    assert signed_in("doctor").code == 5
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert signed_in("list").code == 1


def test_another_account_in_the_step_up_is_not_taken_for_the_first(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.demand("Teams Administrator", "MultiFactorAuthentication")
    authorize = signed_in.fake.authorize

    def as_ben(query):
        signed_in.fake.account = f.BEN
        return authorize(query)

    signed_in.fake.authorize = as_ben
    ran = signed_in("activate", "teams", tty=True)
    assert ran.code == 5
    assert "ben@contoso.com" in ran.err


def test_broken_configuration(pim, home):
    (home / "config.json").write_text("{")
    ran = pim("list")
    assert ran.code == 2
    assert "config.json" in ran.err
    (home / "config.json").write_text(json.dumps({"profiles": {"x": {"graph": "https://a"}}}))
    assert pim("list").code == 2


def test_refresh_token_in_the_keyring(pim, home, monkeypatch):
    import sys
    import types

    kept: dict = {}
    module = types.ModuleType("keyring")
    module.set_password = lambda service, name, value: kept.__setitem__((service, name), value)
    module.get_password = lambda service, name: kept.get((service, name))
    module.delete_password = lambda service, name: kept.pop((service, name))
    monkeypatch.setitem(sys.modules, "keyring", module)
    assert pim("login", "--keyring").code == 0
    (first,) = kept.values()
    assert first not in (home / "tokens-test.json").read_text()
    cache = TokenCache.of(load_config().choose(), str(home))
    tokens = cache.load()
    tokens.expires = 0.0
    cache.save(tokens)
    assert pim("list").code == 0
    assert first in pim.fake.spent
    assert first not in kept.values()
    assert pim("logout").code == 0
    assert not kept
    assert not pim.fake.refresh
    monkeypatch.setitem(sys.modules, "keyring", None)
    ran = pim("login")
    assert ran.code == 5
    assert "--no-keyring" in ran.err
    assert pim("login", "--no-keyring").code == 0
