"""What the host's own administrator allows: /etc/openpim/agent.toml. Nothing that the server says goes beyond it.

server = "https://pim.example.com"      # the rest of the address comes with the enrolment
ca_file = "/etc/openpim/ca.pem"         # if the system does not trust it
groups = ["docker", "adm"]

[sudo.payroll]
commands = ["/usr/bin/systemctl restart payroll", "/usr/bin/journalctl -u payroll"]
run_as = "root"
password = false

[certificates]                          # if sshd here takes certificates: pim ssh ca
target = "id of the target of kind ssh"
folder = "/etc/ssh/openpim"
longest = 86400                         # s without a word from the server, after which its key is not trusted
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from openpim.agent.names import USER

DEFAULT: Final = "/etc/openpim/agent.toml"
FOLDER: Final = "/etc/ssh/openpim"
STATE: Final = "/var/lib/openpim-agent"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ConfigurationError(Exception):
    """The configuration cannot be used. The text says why."""


@dataclass(frozen=True, slots=True)
class SudoRule:
    """commands: as sudoers takes them."""

    commands: tuple[str, ...]
    run_as: str = "root"
    password: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """Whose certificates sshd takes. target: the id. folder: of the files that sshd reads. longest: seconds without a word from
    the server after which its key is trusted no longer; 0: always."""

    target: str
    folder: str
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Configuration:
    """least_uid: accounts below it are the system's, and get nothing. certificates: None where sshd takes none of ours."""

    server: str = ""
    ca_file: str = ""
    state: str = STATE
    sudo: Mapping[str, SudoRule] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    least_uid: int = 1000
    certificates: Fleet | None = None

    @property
    def entitlements(self) -> tuple[str, ...]:
        return (
            *(f"sudo:{one}" for one in sorted(self.sudo)),
            *(f"group:{one}" for one in sorted(self.groups)),
        )


def load(path: str) -> Configuration:
    """Raises ConfigurationError; also when somebody else could write the file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if status.st_uid not in {0, os.geteuid()} or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise ConfigurationError(f"{path} must belong to root, and nobody else may write it")
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    return parse(content)


def parse(content: Mapping[str, Any]) -> Configuration:
    unknown = content.keys() - {"server", "ca_file", "state", "sudo", "groups", "least_uid", "certificates"}
    if unknown:
        raise ConfigurationError(f"there is no setting {', '.join(sorted(unknown))}")
    groups = content.get("groups", [])
    for one in groups if isinstance(groups, list) else [groups]:
        if not isinstance(one, str) or not USER.fullmatch(one):
            raise ConfigurationError("groups must be names of local groups")
        if one == "root":
            raise ConfigurationError("the group root cannot be given")
    rules = content.get("sudo", {})
    if not isinstance(rules, dict):
        raise ConfigurationError("sudo must be tables: [sudo.NAME]")
    least = content.get("least_uid", 1000)
    if not isinstance(least, int) or least < 1:
        raise ConfigurationError("least_uid must be a number above 0")
    return Configuration(
        server=_text(content, "server").rstrip("/"),
        ca_file=_text(content, "ca_file"),
        state=_text(content, "state") or STATE,
        sudo={name: _rule(name, rule) for name, rule in rules.items()},
        groups=frozenset(groups),
        least_uid=least,
        certificates=_fleet(content["certificates"]) if "certificates" in content else None,
    )


def _fleet(table: Any) -> Fleet:
    if not isinstance(table, dict) or table.keys() - {"target", "folder", "longest"}:
        raise ConfigurationError("[certificates] has target, folder and longest, nothing else")
    target, folder, longest = (
        table.get("target", ""),
        table.get("folder", FOLDER),
        table.get("longest", 0),
    )
    if not isinstance(target, str) or not _ID.fullmatch(target):
        raise ConfigurationError("[certificates] target is the id that pim ssh ca prints last in the address")
    if not isinstance(folder, str) or not folder.startswith("/") or not folder.isprintable():
        raise ConfigurationError("[certificates] folder begins with /")
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 0:
        raise ConfigurationError("[certificates] longest is a number of seconds, or 0")
    return Fleet(target, folder, longest)


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigurationError(f"{name} must be a text")
    return value


def _rule(name: str, rule: Any) -> SudoRule:
    if not USER.fullmatch(name) or not isinstance(rule, dict):
        raise ConfigurationError(f"[sudo.{name}] must have a name of a-z, 0-9, _ . - and be a table")
    commands = rule.get("commands")
    if not isinstance(commands, list) or not commands:
        raise ConfigurationError(f"[sudo.{name}] needs commands")
    for one in commands:
        if not isinstance(one, str) or not one.isprintable() or not (one == "ALL" or one.startswith("/")):
            raise ConfigurationError(
                f"[sudo.{name}] a command begins with / (or is ALL), on one line: {one!r}"
            )
    run_as, password = rule.get("run_as", "root"), rule.get("password", False)
    if not isinstance(run_as, str) or not USER.fullmatch(run_as):
        raise ConfigurationError(f"[sudo.{name}] run_as must be a login name")
    if not isinstance(password, bool) or rule.keys() - {"commands", "run_as", "password"}:
        raise ConfigurationError(
            f"[sudo.{name}] has commands, run_as and password (true or false), nothing else"
        )
    return SudoRule(tuple(commands), run_as, password)
