"""A real nginx asks before it lets anybody through: can't, activate, can, end, can't. As docs/how-to/protect-applications.md
says: the proxy knows the person by its own sign-in, and asks as an application with a secret of its own.

Skipped where there is no nginx; where CI=true that fails.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.faces.authzen.conftest import Site
from tests.faces.authzen.test_check import basic, make_client
from tests.world import World, ok

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
PAGE = Path(__file__).parents[3] / "docs/how-to/protect-applications.md"
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream application {{ server 127.0.0.1:{behind}; }}
    server {{
        listen 127.0.0.1:{behind};
        root {folder}/www; add_header X-Who $http_x_user always;
    }}
    server {{
        listen 127.0.0.1:{port};
        auth_basic "the application's own sign-in"; auth_basic_user_file {folder}/people;
        {shown}
    }}
}}
"""


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def configuration(folder: Path, port: int, pim: int, proof: str) -> str:
    """What the page shows, with the addresses of this test, and the application behind it."""
    (shown,) = re.findall(r"^```nginx\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    here = {"https://pim.contoso.example": f"http://127.0.0.1:{pim}", "Basic …": proof}
    for place, value in here.items():
        assert place in shown
        shown = shown.replace(place, value)
    return CONFIGURATION.format(folder=folder, port=port, behind=free(), shown=shown)


@contextmanager
def served(app: Any) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def free() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def ask(port: int, name: str, **headers: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        proof = "Basic " + b64encode(f"{name}:pw".encode()).decode()
        connection.request("GET", "/", headers={"Authorization": proof, **headers})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("X-Who", "")


@contextmanager
def running(folder: Path, port: int, text: str) -> Iterator[None]:
    if NGINX is None:
        (pytest.fail if CI else pytest.skip)("nginx is missing: apt install nginx-light")
    (folder / "nginx.conf").write_text(text)
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("the application")
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    if os.geteuid() == 0:
        command += ["-g", "user root;"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        for _ in range(400):
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                socket.create_connection(("127.0.0.1", port), 0.05).close()
                break
            except OSError:
                threading.Event().wait(0.05)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_can_t_activate_can_end_can_t(world: World, site: Site, tmp_path: Path) -> None:
    world.policy(activation_requires=frozenset())
    world.eligible(world.ann)
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    (tmp_path / "people").write_text(f"{name}:{{PLAIN}}pw\nstranger:{{PLAIN}}pw\n")
    client, port = make_client(world), free()
    with served(site.client.app) as pim:
        text = configuration(tmp_path, port, pim, basic(client))
        with running(tmp_path, port, text):
            assert ask(port, "nobody")[0] == 401, "the application's own sign-in"
            assert ask(port, name)[0] == 403
            ok(world.activate(world.ann, hours=1))
            assert ask(port, name) == (200, world.ann)
            assert ask(port, "stranger")[0] == 403
            for slipped in ({"X-OpenPIM-Subject": name}, {"X-OpenPIM-Group": "x"}, {"X-OpenPIM-Role": "x"}):
                assert ask(port, "stranger", **slipped)[0] == 403
            world.forward(hours=1)
            assert ask(port, name)[0] == 403, "by time alone"
            ok(world.activate(world.ann, hours=1))
            world.forward(minutes=6)
            assert ask(port, name)[0] == 200
            ok(world.deactivate(world.ann))
            assert ask(port, name)[0] == 403, "at once"
            ok(world.activate(world.ann, hours=1))
            assert ask(port, name)[0] == 200
            world.database.close()
            site.following._followed.clear()
        (tmp_path / "www" / "index.html").unlink()
        (tmp_path / "www").rmdir()
    with running(tmp_path, port, text):
        assert ask(port, name)[0] == 500, "OpenPIM is down: closed"
