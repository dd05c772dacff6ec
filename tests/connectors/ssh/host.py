"""A real sshd as an ordinary process on a loopback port, with a configuration of its own, and the real client. The one who logs
in is the one who runs the tests, for no other account is sure to be there."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.free_ports import two_in_a_row

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
DATA = Path(__file__).parents[3] / "src" / "openpim" / "data" / "ssh"
ME = pwd.getpwuid(os.getuid()).pw_name
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SECONDS = 20.0

_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile none
PermitRootLogin yes
LogLevel VERBOSE
Subsystem sftp /bin/false
{more}
"""


def missing() -> str:
    for command, package in (
        ("sshd", "openssh-server"),
        ("ssh", "openssh-client"),
        ("ssh-keygen", "openssh-client"),
    ):
        if shutil.which(command, path=SBIN) is None:
            return f"no {command} on this machine (Debian: {package})"
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where a sshd of root shuts itself up
    return ""


def skip_or_fail(problem: str) -> None:
    if problem:
        (pytest.fail if CI else pytest.skip)(problem)


class Host:
    """krl, principals: files of the host. rules: all that its sshd is told of certificates, in place of ours. `ssh` runs the real
    client with a key and a certificate."""

    def __init__(self, folder: Path, *, guard: bool = True, more: str = "", rules: str = "") -> None:
        skip_or_fail(missing())
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.krl, self.ca = folder / "krl", folder / "ca.pub"
        self.log = folder / "sshd.log"
        principals = folder / "principals"
        principals.write_text("role:payroll-admin\n")
        self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host"))
        self._run("ssh-keygen", "-q", "-k", "-f", str(self.krl))
        self.ca.touch()
        lines = [f"TrustedUserCAKeys {self.ca}\nExposeAuthInfo yes"]
        lines.append(more or f"AuthorizedPrincipalsFile {principals}\nRevokedKeys {self.krl}")
        if guard:
            lines.append(f"ForceCommand /bin/sh {DATA / 'guard.sh'} {self.krl}")
        self.port = two_in_a_row()
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder, more=rules or "\n".join(lines)))
        sshd = shutil.which("sshd", path=SBIN)
        assert sshd is not None
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: "listening" in self.said(), "sshd does not listen")

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def key(self, name: str = "id") -> str:
        """A new key pair; the public line."""
        self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", str(self.folder / name))
        return (self.folder / f"{name}.pub").read_text()

    def arguments(self, certificate: str, *more: str, name: str = "id", user: str = ME) -> list[str]:
        file = self.folder / f"{name}-cert.pub"
        file.write_text(certificate + "\n")
        return [
            "ssh", "-F", "none", "-p", str(self.port), "-i", str(self.folder / name), "-o", f"CertificateFile={file}",
            "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentityAgent=none",
            *more, f"{user}@127.0.0.1",
        ]  # fmt: skip

    def ssh(self, certificate: str, command: str, *more: str, **who: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.arguments(certificate, *more, **who), command],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def can(self, certificate: str, **who: str) -> bool:
        return self.ssh(certificate, "echo in", **who).stdout == "in\n"

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def until(what, otherwise: str) -> None:
    for _ in range(int(SECONDS * 20)):
        if what():
            return
        time.sleep(0.05)
    pytest.fail(otherwise)
