"""A real OpenLDAP for the tests: an ordinary process with a configuration, a database and certificates of its own, on loopback.
It is set up by the blocks of docs/how-to/connect-ldap.md, done with OpenLDAP's own tools. It may be killed at any moment and
started again on the same port.
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
from datetime import UTC, datetime
from pathlib import Path

from openpim.tls import ensure_certificates
from tests.connectors.contract import SECRET

SUFFIX = "dc=example,dc=org"
MANAGER, MANAGERS = f"cn=manager,{SUFFIX}", "only-the-manager"
ACCOUNT, PASSWORD = f"cn=openpim,ou=services,{SUFFIX}", f"{SECRET}-of-openpim"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
ACTIVATIONS = f"ou=activations,{SUFFIX}"
SALARIES = f"ou=salaries,{SUFFIX}"
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-ldap.md"
SECONDS = 20.0
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_SCHEMAS = ("/etc/ldap/schema", "/etc/openldap/schema")
_CONFIG = """
dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: {authority}
olcTLSCertificateFile: {certificate}
olcTLSCertificateKeyFile: {key}
olcLogLevel: none
olcPidFile: {folder}/slapd.pid
olcThreads: 2

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModuleLoad: back_mdb
olcModuleLoad: memberof

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

{schemas}
dn: olcDatabase={{-1}}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {{-1}}frontend
olcSizeLimit: 100000
olcSortVals: member

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcAccess: to * by dn.exact=gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth manage by * none

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: {suffix}
olcRootDN: {manager}
olcRootPW: {managers}
olcDbDirectory: {folder}/data
olcDbMaxSize: 268435456
olcDbNoSync: {hasty}
olcDbIndex: objectClass,uid,businessCategory,cn eq
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by users read by * none
"""
_MEMBER_OF = """
dn: olcOverlay={{0}}memberof,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: {{0}}memberof
"""
_ENTRIES = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=services,{SUFFIX}
objectClass: organizationalUnit
ou: services

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {SALARIES}
objectClass: organizationalUnit
ou: salaries

dn: cn=January,{SALARIES}
objectClass: applicationProcess
cn: January
description: 100

dn: cn=February,{SALARIES}
objectClass: applicationProcess
cn: February
description: 100
"""
# What a directory's own rules do with groups: February's salaries are for their members.
_BY_GROUP = f"""
dn: olcDatabase={{1}}mdb,cn=config
changetype: modify
add: olcAccess
olcAccess: {{0}}to dn.exact="cn=February,{SALARIES}"
  by group.exact="cn=payroll-admins,{GROUPS}" write
  by * break
"""


def missing() -> str | None:
    """What is not there, None when all is."""
    for tool in ("slapd", "slapadd", "ldapmodify", "ldapsearch", "ldapwhoami"):
        if shutil.which(tool, path=_PATH) is None:
            return f"no {tool} on this machine (Debian: slapd, ldap-utils)"
    return None


def blocks() -> list[str]:
    """What the page tells an operator to write, in order."""
    return re.findall(r"```ldif\n(.*?)```", PAGE.read_text(), re.DOTALL)


class Slapd:
    """port: with TLS; plain: without, and for StartTLS. authority: the certificate that its own rests on. member_of: who becomes
    a member of a group is written too. durable: every change is on the disk before it is answered, as is usual."""

    def __init__(self, folder: Path | None = None, *, member_of: bool = True, durable: bool = False) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="openpim-slapd-"))
        for name in ("config", "data", "tls"):
            (self.folder / name).mkdir(exist_ok=True)
        files = ensure_certificates(self.folder / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
        assert files.authority is not None
        self.authority = files.authority.read_text()
        self.port, self.plain = _free_port(), _free_port()
        self.ldapi = "ldapi://" + str(self.folder / "socket").replace("/", "%2F")
        self._process: subprocess.Popen[bytes] | None = None
        schema = next(Path(folder) for folder in _SCHEMAS if Path(folder).is_dir())
        schemas = "\n".join(
            (schema / f"{name}.ldif").read_text()
            for name in ("core", "cosine", "nis", "inetorgperson", "dyngroup")
        )
        config = self.folder / "config.ldif"
        text = _CONFIG + (_MEMBER_OF if member_of else "")
        config.write_text(
            text.format(
                authority=files.authority,
                certificate=files.certificate,
                key=files.key,
                folder=self.folder,
                hasty="FALSE" if durable else "TRUE",
                schemas=schemas,
                gid=os.getgid(),
                uid=os.getuid(),
                suffix=SUFFIX,
                manager=MANAGER,
                managers=MANAGERS,
            )
        )
        self._run("slapadd", "-n", "0", "-F", str(self.folder / "config"), "-l", str(config))

    def set_up(self) -> None:
        """As the page says; with people, and a second group and an unmanaged one."""
        account, group, access, overlays, base, rules, dynamic = blocks()
        self.add(_ENTRIES)
        for uid in ("alice", "bob", "carol"):
            self.person(uid)
        self.add(account.replace("choose one", PASSWORD))
        self.configure(overlays)
        for name in ("payroll-admins", "auditors", "treasurers"):
            self.add(group.replace("payroll-admins", name))
            if name != "treasurers":
                self.configure(access.replace("payroll-admins", name))
        self.add(base)
        self.configure(rules)
        self.configure(_BY_GROUP)
        self.add(dynamic)

    def person(self, uid: str, base: str = PEOPLE) -> None:
        self.add(
            f"dn: uid={uid},{base}\nobjectClass: inetOrgPerson\ncn: {uid}\nsn: {uid}\nuid: {uid}\n"
            f"userPassword: of-{uid}\n"
        )

    # --------------------------------------------------------------------------------- OpenLDAP's own tools

    def add(self, ldif: str) -> None:
        self._run("ldapmodify", "-a", *self._manager(), input=ldif)

    def change(self, ldif: str) -> None:
        self._run("ldapmodify", *self._manager(), input=ldif)

    def configure(self, ldif: str) -> None:
        self._run("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi, input=ldif)

    def values(self, dn: str, attribute: str) -> set[str]:
        said = self._run(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", *self._manager(), "-s", "base", "-b", dn, attribute
        )
        return set(re.findall(rf"(?mi)^{attribute}: (.*)$", said))

    def below(self, base: str, condition: str = "(objectClass=groupOfNames)") -> set[str]:
        said = self._run(
            "ldapsearch",
            "-LLL",
            "-o",
            "ldif-wrap=no",
            *self._manager(),
            "-s",
            "one",
            "-b",
            base,
            condition,
            "1.1",
        )
        return set(re.findall(r"(?m)^dn: (.*)$", said))

    def writes(self, uid: str, month: str = "January") -> bool:
        """Whether this person may do the privileged thing, with a bind of their own. January is for who has an activation,
        February for the members of the group."""
        ldif = f"dn: cn={month},{SALARIES}\nchangetype: modify\nreplace: description\ndescription: 200\n"
        who = ["-x", "-H", f"ldap://127.0.0.1:{self.plain}", "-D", f"uid={uid},{PEOPLE}", "-w", f"of-{uid}"]
        ran = subprocess.run(
            [_tool("ldapmodify"), *who], input=ldif, capture_output=True, text=True, check=False
        )
        assert ran.returncode in {0, 50}, ran.stderr
        return ran.returncode == 0

    # --------------------------------------------------------------------------------------- the process

    def start(self) -> None:
        urls = f"ldap://127.0.0.1:{self.plain}/ ldaps://127.0.0.1:{self.port}/ {self.ldapi}"
        arguments = ["-F", str(self.folder / "config"), "-h", urls]
        with (self.folder / "slapd.log").open("ab") as log:
            self._process = subprocess.Popen(
                # It makes room for as many connections as it may have files: in a container that can be a thousand million.
                ["/bin/sh", "-c", 'ulimit -n 1024; exec "$@"', "sh", _tool("slapd"), "-d", "0", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + SECONDS
        for port in (self.plain, self.port):
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if self._process.poll() is not None or time.monotonic() > ends:
                    said = (self.folder / "slapd.log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"slapd does not start:\n{said}")
                time.sleep(0.02)

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(SECONDS)
            self._process = None

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _manager(self) -> tuple[str, ...]:
        return ("-x", "-H", f"ldap://127.0.0.1:{self.plain}", "-D", MANAGER, "-w", MANAGERS)

    def _run(self, tool: str, *arguments: str, input: str | None = None) -> str:
        ran = subprocess.run(
            [_tool(tool), *arguments], input=input, capture_output=True, text=True, check=False, timeout=60
        )
        assert ran.returncode == 0, f"{tool}: {ran.stderr}\n{input}"
        return ran.stdout


def _tool(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
