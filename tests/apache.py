"""A real Apache with mod_auth_openidc, as an application of somebody who knows nothing of us: it signs people in, lets in by
a group or by a role, and takes back-channel logout. An ordinary process on a port of this machine, with the configuration that
docs/how-to/let-people-sign-in.md shows.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
MODULES = Path("/usr/lib/apache2/modules")
SECONDS = 30
PAGE = Path(__file__).parents[1] / "docs/how-to/let-people-sign-in.md"
SHOWN = re.findall(r"^```apache\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_CONFIG = """
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
ServerName localhost
ServerRoot {folder}
DocumentRoot {folder}/pages
Listen 127.0.0.1:{port}
PidFile {folder}/pid
Mutex file:{folder}
ErrorLog {folder}/error.log
LogLevel warn
StartServers 1
MaxRequestWorkers 50
{user}
OIDCCABundlePath {authority}
{more}
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /payroll.txt>
  AuthType openid-connect
  Require claim groups:{group}
</Location>
{shown}
"""


def missing() -> str | None:
    """What is not there, None when all is."""
    if shutil.which("apache2", path=_SBIN) is None:
        return "no Apache on this machine (Debian: apache2)"
    if not (MODULES / "mod_auth_openidc.so").exists():
        return "Apache has no mod_auth_openidc on this machine (Debian: libapache2-mod-auth-openidc)"
    return None


class Apache:
    """redirect: where it takes answers of the sign-in. logout: where it takes logout tokens."""

    def __init__(self, port: int) -> None:
        problem = missing()
        if problem is not None:
            (pytest.fail if CI else pytest.skip)(problem)
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self.redirect = f"{self.origin}/signed-in"
        self.logout = f"{self.redirect}?logout=backchannel"
        # Its workers are not root, so they must be able to come here.
        self.folder = Path(tempfile.mkdtemp(prefix="openpim-apache-"))
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, *, metadata: str, authority: Path, client_id: str, secret: str, group: str, more: str = ""
    ) -> None:
        pages = self.folder / "pages"
        pages.mkdir()
        for name in ("index.txt", "payroll.txt", "roles.txt"):
            (pages / name).write_text(f"{name} is here\n")
        bundle = self.folder / "ca.pem"
        bundle.write_bytes(authority.read_bytes())
        config = self.folder / "apache.conf"
        config.write_text(
            _CONFIG.format(
                modules=MODULES,
                folder=self.folder,
                port=self.port,
                user="User www-data\nGroup www-data" if os.getuid() == 0 else "",
                authority=bundle,
                shown=self._shown(metadata, client_id, secret),
                group=group,
                more=more,
            )
        )
        for each in (pages, bundle, config, *pages.iterdir()):
            each.chmod(0o755 if each.is_dir() else 0o644)
        daemon = shutil.which("apache2", path=_SBIN)
        assert daemon is not None
        with (self.folder / "stderr.log").open("wb") as log:
            self._process = subprocess.Popen(
                [daemon, "-D", "FOREGROUND", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        ends = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"Apache does not start:\n{self.said()}")
            time.sleep(0.02)

    def _shown(self, metadata: str, client_id: str, secret: str) -> str:
        """The page's lines, for here; what it protects is one page, and how often it asks is said by the test."""
        passphrase = self.folder / "passphrase"
        passphrase.write_text("of-this-test-only")
        passphrase.chmod(0o644)
        here = {
            "https://pim.example.com/TENANT/v2.0/.well-known/openid-configuration": metadata,
            "CLIENT_ID": client_id,
            "CLIENT_SECRET": secret,
            "https://payroll.example.com/signed-in": self.redirect,
            "/etc/apache2/oidc-passphrase": str(passphrase),
            "OIDCUserInfoRefreshInterval 60\n": "",
            "<Location />": "<Location /roles.txt>",
        }
        text = SHOWN
        for shown, value in here.items():
            assert shown in text, f"the page does not say {shown}"
            text = text.replace(shown, value)
        return text

    def said(self) -> str:
        logs = (self.folder / name for name in ("stderr.log", "error.log"))
        return "\n".join(one.read_text(errors="replace")[-4000:] for one in logs if one.exists())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)
