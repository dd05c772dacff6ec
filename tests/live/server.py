"""A real server for tests: `pim serve` in a process of its own, over HTTPS, with its own certificate authority, on a
free port, in a temporary folder, with the demo organisation in it. It knows nothing of tests.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
PIM = (sys.executable, "-m", "openpim.cli")
START_SECONDS = 30


@dataclass
class Person:
    """Somebody of the demo organisation. totp: base32, None until enrolled (the robot fills it in)."""

    key: str
    id: str
    name: str
    username: str
    password: str
    totp: str | None
    last_step: int = 0


@dataclass
class LiveServer:
    """origin: as clients write it. ca_file: what to trust. facts: what the seed printed."""

    folder: Path
    port: int
    arm_port: int
    facts: dict[str, Any]
    process: subprocess.Popen[str]
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def arm_origin(self) -> str:
        """Of the resource manager."""
        return f"https://localhost:{self.arm_port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "data" / "tls" / "ca.pem")

    @property
    def tenant_id(self) -> str:
        return str(self.facts["tenant_id"])

    @property
    def domain(self) -> str:
        return str(self.facts["domain"])

    @property
    def config_home(self) -> Path:
        return self.folder / "config"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def restart(self, **settings: dict[str, Any]) -> None:
        """Stop, and start with other settings on the same data."""
        stop(self.process)
        _write_config(self.folder, self.port, **settings)
        self.process = _start(self.folder, self.port)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def environment(folder: Path) -> dict[str, str]:
    """Of the processes: nothing of this machine's own configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "XDG_"))}
    return {
        **kept,
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


@contextlib.contextmanager
def live_server(folder: Path, database_url: str = "", **settings: dict[str, Any]) -> Iterator[LiveServer]:
    """settings: tables of the TOML file, such as activation={"minimum_minutes": 0}."""
    port, arm_port = free_ports(2)
    (folder / "home").mkdir(parents=True, exist_ok=True)
    server = settings.pop("server", {})
    settings["server"] = {
        "arm_origin": f"https://localhost:{arm_port}",
        "database_url": database_url,
        **server,
    }
    _write_config(folder, port, **settings)
    certificate = folder / "client.pem"
    certificate.write_bytes(client_certificate())
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.live.seed", str(folder / "openpim.toml"), str(certificate)],
        cwd=REPOSITORY, env=environment(folder), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert seeded.returncode == 0, seeded.stderr
    facts = json.loads(seeded.stdout)
    people = {key: Person(key, **value) for key, value in facts["people"].items()}
    running = LiveServer(folder, port, arm_port, facts, _start(folder, port), people)
    try:
        yield running
    finally:
        stop(running.process)


def _write_config(folder: Path, port: int, **settings: dict[str, Any]) -> None:
    file = folder / "openpim.toml"
    if file.exists():
        import tomllib

        known = tomllib.loads(file.read_text("utf-8"))
    else:
        cheap = {"argon2_time_cost": 1, "argon2_memory_kib": 8}  # of no use against anybody, but quick
        known = {"server": {"port": port, "data_dir": str(folder / "data")}, "sign_in": cheap}
    for section, values in settings.items():
        known.setdefault(section, {}).update(values)
    lines = []
    for section, values in known.items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
    file.write_text("\n".join(lines), "utf-8")


def _start(folder: Path, port: int) -> subprocess.Popen[str]:
    with (folder / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*PIM, "serve", "--config", str(folder / "openpim.toml")],
            cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True,
        )  # fmt: skip
    wait_until_ready(process, port, folder)
    return process


def wait_until_ready(process: subprocess.Popen[str], port: int, folder: Path) -> None:
    ca_file = folder / "data" / "tls" / "ca.pem"
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the server ended:\n{(folder / 'log').read_text('utf-8')}")
        try:
            context = ssl.create_default_context(cafile=str(ca_file))
            with urllib.request.urlopen(f"https://localhost:{port}/readyz", context=context, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    stop(process)
    raise AssertionError(f"the server did not start:\n{(folder / 'log').read_text('utf-8')}")


def stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def client_certificate() -> bytes:
    """A key and a certificate for an application, in one PEM, as azure-identity wants it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "conformance")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=2))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
