"""A real Samba as the domain controller of a domain of its own. Its ports cannot be chosen, so it runs in a network (and mount)
namespace of its own, with a door in ours: a listening socket that is handed in, from which connections are passed on.

    python -m tests.connectors.ldap.samba AT FOLDER DOOR    is what runs inside
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.connectors.contract import SECRET

DOMAIN = "DC=example,DC=org"
GROUPS = f"OU=Groups,{DOMAIN}"
STAFF = f"OU=Staff,{DOMAIN}"
ACCOUNT, PASSWORD = "openpim@example.org", f"{SECRET}-of-Openpim1"
ADMINISTRATOR, ADMINISTRATORS = "administrator@example.org", "Adm1n-Passw0rd"
SECONDS = 60.0
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_ROOT = Path(__file__).parents[3]
PAGE = _ROOT / "docs" / "how-to" / "connect-ldap.md"
_FAST = Path("/dev/shm")


def missing() -> str | None:
    """What is not there, None when all is."""
    for tool in ("samba", "samba-tool", "unshare"):
        if shutil.which(tool, path=_PATH) is None:
            return f"no {tool} on this machine (Debian: samba, samba-ad-provision, samba-dsdb-modules, samba-vfs-modules)"
    return None


def forbidden() -> str | None:
    """Why this machine allows no namespaces, None when it does."""
    ran = subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, text=True, check=False)
    return None if ran.returncode == 0 else f"no namespaces on this machine: {ran.stderr.strip()}"


class Samba:
    """port: LDAP with TLS. authority: the file with what its certificate rests on. at: where its files are, as it sees them
    itself; folder: where they are really (a domain is made once, and every server has a copy in the same place)."""

    def __init__(self, at: Path, folder: Path | None = None) -> None:
        self.at, self.folder = at, folder or at
        self.authority = (self.folder / "tls" / "ca.pem").read_text() if folder else ""
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def copy(cls, at: Path) -> Samba:
        """Of the domain at this place, which is made when it is not there yet, by the first process that comes."""
        with at.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not at.exists():
                made = cls(at)
                try:
                    made._provision()
                    made.start()
                    made.set_up()
                    made.kill(signal.SIGTERM)
                except BaseException:
                    made.remove()
                    raise
        folder = Path(
            tempfile.mkdtemp(prefix="openpim-samba-", dir=_FAST if os.access(_FAST, os.W_OK) else None)
        )
        shutil.copytree(at, folder, dirs_exist_ok=True, ignore=_sockets)
        return cls(at, folder)

    def _provision(self) -> None:
        from openpim.tls import ensure_certificates  # what runs inside needs none of it

        files = ensure_certificates(self.at / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
        self.authority = (self.at / "tls" / "ca.pem").read_text()
        (self.at / "dc").mkdir()
        provision = (
            "domain", "provision", "--server-role=dc", "--dns-backend=NONE", "--realm=EXAMPLE.ORG",
            "--domain=EXAMPLE", f"--adminpass={ADMINISTRATORS}", "--host-ip=127.0.0.1", "--host-name=dc1",
            f"--targetdir={self.at / 'dc'}", "--option=ldb:nosync=yes",
        )  # fmt: skip
        self._run("unshare", "-m", "-n", _tool("samba-tool"), *provision)
        more = {
            "server services": "ldap",
            "ldb:nosync": "yes",
            "tls certfile": files.certificate,
            "tls keyfile": files.key,
            "tls cafile": files.authority,
            "tls verify peer": "no_check",
            "pid directory": self.at / "sockets",
            "ncalrpc dir": self.at / "sockets" / "ncalrpc",
            "winbindd socket directory": self.at / "sockets" / "winbindd",
            "ntp signd socket directory": self.at / "sockets" / "ntp",
            "log file": self.at / "samba.log",
        }
        lines = "".join(f"\t{name} = {value}\n" for name, value in more.items())
        self.config.write_text(self.config.read_text().replace("[global]\n", f"[global]\n{lines}", 1))

    @property
    def config(self) -> Path:
        return self.at / "dc" / "etc" / "smb.conf"

    def set_up(self) -> None:
        """As docs/how-to/connect-ldap.md says; with people, two managed groups and one that is not. It has to run."""
        entries = [f"dn: {one}\nobjectClass: organizationalUnit\n" for one in (GROUPS, STAFF)]
        entries += [_person(name, f"Of-{name}-1", STAFF) for name in ("alice", "bob", "carol")]
        entries.append(_person("openpim", PASSWORD, f"CN=Users,{DOMAIN}"))
        entries += [
            f"dn: CN={name},{GROUPS}\nobjectClass: group\nsAMAccountName: {name}\n"
            for name in ("Payroll Admins", "Auditors", "Treasurers")
        ]
        self.ldap("ldapmodify", "-a", input="\n".join(entries))
        said = self._run(*self._samba_tool("user", "show", "openpim", "--attributes=objectSid"))
        sid = said.split("objectSid: ")[1].split()[0]
        right, more = (line.replace("$SID", sid) for line in re.findall(r'--sddl="(.*?)"', PAGE.read_text()))
        for name in ("Payroll Admins", "Auditors"):
            sddl = f"--sddl={right}{more}"
            self._run(*self._samba_tool("dsacl", "set", f"--objectdn=CN={name},{GROUPS}", sddl))
        # What the group is good for: its members may write the description of carol.
        said = self._run(*self._samba_tool("group", "show", "Payroll Admins", "--attributes=objectSid"))
        theirs = said.split("objectSid: ")[1].split()[0]
        sddl = f"--sddl=(OA;;WP;bf967950-0de6-11d0-a285-00aa003049e2;;{theirs})"
        self._run(*self._samba_tool("dsacl", "set", f"--objectdn=CN=carol,{STAFF}", sddl))

    def ldap(self, tool: str, *arguments: str, who: str = "", input: str | None = None) -> str:
        """OpenLDAP's tools, as the administrator or as somebody else."""
        user, password = (f"{who}@example.org", f"Of-{who}-1") if who else (ADMINISTRATOR, ADMINISTRATORS)
        signed_in = ("-x", "-H", f"ldaps://localhost:{self.port}", "-D", user, "-w", password)
        env = {"LDAPTLS_REQCERT": "never", "PATH": _PATH}
        return self._run(_tool(tool), *signed_in, *arguments, input=input, env=env)

    def values(self, dn: str, attribute: str) -> set[str]:
        said = self.ldap("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn, attribute)
        return set(re.findall(rf"(?mi)^{attribute}: (.*)$", said))

    def _samba_tool(self, *arguments: str) -> tuple[str, ...]:
        """Samba's own, on its files."""
        return (_tool("samba-tool"), *arguments, "-s", str(self.config))

    def start(self) -> None:
        door = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = int(door.getsockname()[1])
        inside = [
            sys.executable,
            "-m",
            "tests.connectors.ldap.samba",
            str(self.at),
            str(self.folder),
            str(door.fileno()),
        ]
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "-m", "-n", *inside],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[door.fileno()],
                cwd=_ROOT,
                env={**os.environ, "PATH": _PATH},
            )
        door.close()
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        if ready != b"ready\n":
            said = (self.folder / "out.log").read_text(errors="replace")[-3000:]
            self.kill()
            raise AssertionError(f"samba does not start:\n{said}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """What runs inside ends Samba when its standard input says how."""
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(bytes([number]))
                self._process.stdin.close()
            self._process.wait(SECONDS)
            self._process.stdout.close()
            self._process = None

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command: str, input: str | None = None, env: dict[str, str] | None = None) -> str:
        ran = subprocess.run(
            command, input=input, env=env, capture_output=True, text=True, check=False, timeout=300
        )
        assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout[-2000:]}{ran.stderr[-3000:]}"
        return ran.stdout


def _person(name: str, password: str, base: str) -> str:
    encoded = base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()
    return (
        f"dn: CN={name},{base}\nobjectClass: user\nsAMAccountName: {name}\nuserAccountControl: 512\n"
        f"userPrincipalName: {name}@example.org\nunicodePwd:: {encoded}\n"
    )


def _sockets(at: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(at, name).is_socket()]


def _tool(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None
    return found


# --------------------------------------------------------------------------------------------- what runs inside


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")  # up and running
        fcntl.ioctl(any_socket, 0x8914, request)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _open_door(door: socket.socket) -> None:
    while True:
        came, _ = door.accept()
        try:
            inner = socket.create_connection(("127.0.0.1", 636), 5)
        except OSError:
            came.close()
            continue
        inner.settimeout(None)
        for pair in ((came, inner), (inner, came)):
            threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _inside(at: Path, folder: Path, door_number: int) -> int:
    _loopback_up()
    if folder != at:
        subprocess.run(["mount", "--bind", str(folder), str(at)], check=True)
    (at / "sockets").mkdir(exist_ok=True)
    config = str(at / "dc" / "etc" / "smb.conf")
    command = [_tool("samba"), "-F", "--no-process-group", "-M", "single", "-s", config]
    samba = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    ends = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", 636), 1):
            break
        if samba.poll() is not None or time.monotonic() > ends:
            return 1
        time.sleep(0.05)
    threading.Thread(target=_open_door, args=(socket.socket(fileno=door_number),), daemon=True).start()
    print("ready", flush=True)
    samba.send_signal((sys.stdin.buffer.read(1) or bytes([signal.SIGKILL]))[0])
    samba.wait()
    return 0


if __name__ == "__main__":
    os._exit(_inside(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
