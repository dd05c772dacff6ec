"""What waits idle carries little: this holds what a server may not have loaded before anybody asks it anything, and that it
answers all the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Each costs tenths of a megabyte to ten of them, and none is needed to wait: faces are loaded by their first request.
NOT_BEFORE_ASKED = {
    "alembic", "apprise", "jinja2", "opentelemetry", "psycopg", "pyarrow", "pymysql", "requests", "rfc3161_client", "smtplib",
    "sqlalchemy.dialects.postgresql", "xml", "openpim.demo", "openpim.importing", "openpim.verifying", "openpim.notify.mail",
    "openpim.connectors.ldap", "openpim.connectors.mariadb", "openpim.connectors.postgresql", "openpim.connectors.ssh",
    "openpim.faces.arm", "openpim.faces.authzen", "openpim.services.decisions.index", "openpim.faces.graph", "openpim.faces.hooks", "openpim.faces.legacy", "openpim.faces.portal",
    "openpim.faces.scim", "pydantic", "scim2_models",
}  # fmt: skip
# A first start in an empty folder, every worker's first look, and then one request.
PROBE = """
import sys
from starlette.testclient import TestClient
from openpim import app

def waited(system, *_rest):
    system.loops.once()
    before = sorted(sys.modules)
    host = system.config.settings.origin
    status = TestClient(system.app, base_url=host).get(sys.argv[2], follow_redirects=False).status_code
    print("\\n".join([*before, "asked", str(status), *(name for name in sys.modules if name not in before)]))
    return 0

app._run = waited
sys.exit(app.serve(["--data-dir", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("path", "status", "face"),
    [
        ("/V1.0/me", "401", "graph"),
        ("/access/v1/evaluation", "405", "authzen"),
        ("/.well-known/authzen-configuration", "200", "authzen"),
        ("/portal", "401", "portal"),
        ("/api/v2/privilegedAccess/aadGroups/resources", "401", "legacy"),
        ("/hooks/a/b", "405", "hooks"),
        ("/scim/v2/Users", "401", "scim"),
        ("/portals", "404", ""),
    ],
)
def test_a_face_is_loaded_by_its_first_request(tmp_path, path, status, face):
    env = {**os.environ, "PIM_CONFIG_HOME": str(tmp_path / "profiles")}
    command = [sys.executable, "-c", PROBE, str(tmp_path / "data"), path]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    before, _, after = ran.stdout.partition("asked\n")
    assert not set(before.split()) & NOT_BEFORE_ASKED
    assert "openpim.faces.oidc" in before
    said, *loaded = after.split()
    assert said == status
    assert not face or f"openpim.faces.{face}" in loaded
    assert face or not set(loaded) & NOT_BEFORE_ASKED
