"""The TOML file of `pim serve --config`: every setting once, with its meaning, default and limits.

The table below is the only list: reading, checking, and docs/reference/settings.md all come from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openpim.core.settings import Settings, working_hours
from openpim.logs import FORMATS, LEVELS
from openpim.notify.addresses import Allowed

_DEFAULTS = Settings()


class ConfigError(Exception):
    """What is wrong in the file, where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Config:
    """settings: what the rules need. The rest is what starting needs."""

    settings: Settings = _DEFAULTS
    host: str = "127.0.0.1"
    port: int = 8443
    arm_port: int = 0
    data_dir: Path = Path("openpim-data")
    database_url: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    organisation_name: str = "My organisation"
    organisation_domain: str = "openpim.local"
    run_workers: bool = True
    worker_interval_seconds: int = 1
    outbound_allow: tuple[str, ...] = ()
    outbound_ca_file: Path | None = None
    metrics_token_file: Path | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    log_format: str = "text"
    log_level: str = "warning"
    log_requests: bool = False
    mail_port: int = 587
    mail_tls: str = "starttls"
    mail_user: str = ""
    mail_password: str = field(default="", repr=False)
    mail_password_file: Path | None = None
    mail_ca_file: Path | None = None

    @property
    def database(self) -> str:
        """The database URL; without one, an SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'openpim.db').absolute()}"

    @property
    def arm_listening(self) -> int:
        """The port of the resource manager: the one set, or the one in an arm_origin that was set, or the next one."""
        if self.arm_port:
            return self.arm_port
        named = urlsplit(self.settings.arm_origin).port
        return named if named and self.settings.arm_origin != _DEFAULTS.arm_origin else self.port + 1

    @property
    def derived_arm_origin(self) -> str:
        """Where the resource manager is when nobody says: the same host, its own port."""
        host = urlsplit(self.settings.origin).hostname or "localhost"
        return f"https://{f'[{host}]' if ':' in host else host}:{self.arm_port or self.port + 1}"

    def with_derived_arm_origin(self) -> Config:
        return replace(self, settings=replace(self.settings, arm_origin=self.derived_arm_origin))


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the file. name: the attribute of Config or Settings it sets. limits: whole numbers only."""

    section: str
    key: str
    name: str
    meaning: str
    limits: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[Any], str | None] | None = None

    @property
    def path(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def default(self) -> Any:
        """The value that holds when the file does not say."""
        return getattr(_DEFAULTS, self.name) if self.in_settings else getattr(Config(), self.name)

    @property
    def in_settings(self) -> bool:
        return self.name in {field.name for field in fields(Settings)}


def _origin(value: str) -> str | None:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.username:
        return 'write an https address without a path, such as "https://pim.example.com:8443"'
    return None


def _database(value: str) -> str | None:
    if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        return (
            'write "postgresql://user:password@host/name" or "sqlite:////path/to/file.db", or leave it empty'
        )
    return None


def _outbound(value: tuple[str, ...]) -> str | None:
    try:
        Allowed(value)
    except ValueError as error:
        return (
            f'{error} is neither a network, such as "10.0.0.0/8", nor a name, such as "ntfy.example.internal"'
        )
    return None


def _domain(value: str) -> str | None:
    good = "." in value and all(part and part.replace("-", "").isalnum() for part in value.split("."))
    return None if good else 'write a domain such as "example.com"'


def _mail_address(value: str) -> str | None:
    local, at, domain = value.partition("@")
    plain = value.isascii() and value.isprintable() and not any(mark in value for mark in ' <>,;:"()[]\\')
    return None if plain and local and at and _domain(domain) is None else 'write it as "pim@example.com"'


def _host(value: str) -> str | None:
    good = value.isascii() and value.isprintable() and " " not in value and "/" not in value
    return None if good else 'write a host name such as "smtp.example.com"'


def _work(name: str) -> Callable[[str], str | None]:
    examples = {"work_hours": "07:00-19:00", "work_days": "Mon-Fri", "work_zone": "Europe/Oslo"}

    def check(value: str) -> str | None:
        changed: dict[str, Any] = {name: value}
        try:
            working_hours(replace(_DEFAULTS, **changed))
        except ValueError:
            return f'write it as "{examples[name]}"'
        return None

    return check


SETTINGS: tuple[Setting, ...] = (
    Setting("server", "origin", "origin", "The public address people and clients use; tokens and links carry it.", check=_origin),
    Setting("server", "arm_origin", "arm_origin", "The public address of the resource manager; without one: origin's host with arm_port.", check=_origin),
    Setting("server", "allowed_hosts", "allowed_hosts", "Further host names (no port) the server may be called by."),
    Setting("server", "host", "host", "The address to listen on."),
    Setting("server", "port", "port", "The port to listen on.", limits=(1, 65535)),
    Setting("server", "arm_port", "arm_port", "The port the resource manager listens on; 0: the one in arm_origin, else port + 1.", limits=(0, 65535)),
    Setting("server", "data_dir", "data_dir", "The folder for the database, certificates and the key file."),
    Setting("server", "database_url", "database_url", "PostgreSQL (or another SQLite file); empty: openpim.db in data_dir.", check=_database),
    Setting("server", "run_workers", "run_workers", "Whether this process also records ends, starts and time-outs."),
    Setting("server", "worker_interval_seconds", "worker_interval_seconds", "The pause between two looks at what is due.", limits=(1, 60)),
    Setting("tls", "certificate", "tls_certificate", "A certificate chain (PEM); without one OpenPIM makes its own authority."),
    Setting("tls", "key", "tls_key", "The certificate's private key (PEM)."),
    Setting("outbound", "allow", "outbound_allow", 'Networks and names that calls to other servers may lead to although they are not on the internet, or over plain http: "10.0.0.0/8", "ntfy.example.internal", "*.example.internal".', check=_outbound),
    Setting("outbound", "ca_file", "outbound_ca_file", "Certificate authorities (PEM) to trust in these calls, beside the machine's own."),
    Setting("monitoring", "token_file", "metrics_token_file", "The file with the bearer token that /metrics asks for, readable by its owner only; empty: metrics-token in data_dir, made at the first start."),
    Setting("monitoring", "host", "metrics_host", "The address of a listener of its own for /metrics, /healthz and /readyz, over plain HTTP and without a token."),
    Setting("monitoring", "port", "metrics_port", "Its port; 0: there is none.", limits=(0, 65535)),
    Setting("logging", "format", "log_format", "How the server writes its log to standard error: lines of text, or a JSON object a line.", choices=FORMATS),
    Setting("logging", "level", "log_level", "What is worth a line.", choices=LEVELS),
    Setting("logging", "requests", "log_requests", "Whether every request gets a line: method, path without query, status, duration."),
    Setting("organisation", "name", "organisation_name", "The name of the organisation made at the first start."),
    Setting("organisation", "domain", "organisation_domain", "Its domain: sign-in names end in it.", check=_domain),
    Setting("activation", "minimum_minutes", "minimum_minutes", "The shortest activation, and how long one must run before it can be ended; 0: no minimum.", limits=(0, 60)),
    Setting("activation", "admin_decision_days", "admin_decision_days", "How long an extension or renewal waits for a decision.", limits=(1, 60)),
    Setting("activation", "extend_window_days", "extend_window_days", "How long before its end an assignment's extension can be asked for.", limits=(1, 365)),
    Setting("activation", "renew_window_days", "renew_window_days", "How long after its end an assignment's renewal can be asked for.", limits=(1, 365)),
    Setting("mail", "host", "mail_host", "The mail server; empty: no mail is sent.", check=_host),
    Setting("mail", "port", "mail_port", "Its port: 587 for starttls, 465 for tls, 25 for a relay.", limits=(1, 65535)),
    Setting("mail", "tls", "mail_tls", "Encryption: starttls (begun in the open, then demanded), tls (from the first byte), none (a relay on this machine).", choices=("starttls", "tls", "none")),
    Setting("mail", "user", "mail_user", "Whom to sign in as; empty: not at all."),
    Setting("mail", "password", "mail_password", "The password; better in a file."),
    Setting("mail", "password_file", "mail_password_file", "A file that holds the password, read at the start."),
    Setting("mail", "from", "mail_from", "The address that mail comes from.", check=_mail_address),
    Setting("mail", "ca_file", "mail_ca_file", "Certificate authorities (PEM) to trust for the mail server, instead of the machine's own."),
    Setting("working_time", "hours", "work_hours", "When people work; an activation at another time is marked for its approvers.", check=_work("work_hours")),
    Setting("working_time", "days", "work_days", "On which days they work: Mon-Fri, or Mon,Tue,Thu.", check=_work("work_days")),
    Setting("working_time", "zone", "work_zone", "The time zone of these hours, by its IANA name.", check=_work("work_zone")),
    Setting("audit", "checkpoint_minutes", "audit_checkpoint_minutes", "The pause between two signed checkpoints of a log that grows.", limits=(1, 24 * 60)),
    Setting("audit", "key_days", "audit_key_days", "How long a key signs checkpoints; then the next one does, and the old one vouches for it.", limits=(1, 3650)),
    Setting("audit", "witness_folder", "audit_witness_folder", "A folder that each signed checkpoint is written to as well, best on another machine's disk; empty: none."),
    Setting("sign_in", "mfa", "mfa_at_sign_in", "Whom sign-in asks for a second factor, besides where a role's policy demands it.", choices=("asked", "enrolled", "always")),
    Setting("sign_in", "self_enrolment", "totp_self_enrolment", "Whether a person without a second factor may enrol one when it is first demanded."),
    Setting("sign_in", "password_min_length", "password_min_length", "The shortest password.", limits=(8, 128)),
    Setting("sign_in", "access_token_minutes", "access_token_minutes", "The life of an access token (never longer than the activation it rests on).", limits=(5, 24 * 60)),
    Setting("sign_in", "refresh_token_days", "refresh_token_days", "The life of a refresh token that is not used.", limits=(1, 365)),
    Setting("sign_in", "refresh_grace_seconds", "refresh_grace_seconds", "How long a used refresh token may be repeated before its family is revoked.", limits=(0, 300)),
    Setting("sign_in", "session_idle_minutes", "session_idle_minutes", "When a browser session that is not used ends.", limits=(5, 7 * 24 * 60)),
    Setting("sign_in", "session_max_hours", "session_max_hours", "When a browser session ends at the latest.", limits=(1, 24 * 90)),
    Setting("sign_in", "authentication_context_minutes", "authentication_context_minutes", "How long a proof counts for an authentication context; then the person is asked again.", limits=(1, 24 * 60)),
    Setting("sign_in", "device_code_minutes", "device_code_minutes", "The life of a device code.", limits=(1, 60)),
    Setting("sign_in", "setup_link_hours", "setup_link_hours", "The life of the link that sets up the first administrator.", limits=(1, 7 * 24)),
    Setting("sign_in", "signing_key_days", "signing_key_days", "How long a signing key is used.", limits=(1, 3650)),
    Setting("sign_in", "signing_key_lead_hours", "signing_key_lead_hours", "How long before its use the next signing key is published.", limits=(1, 24 * 30)),
    Setting("sign_in", "argon2_time_cost", "argon2_time_cost", "Password hashing: passes.", limits=(1, 20)),
    Setting("sign_in", "argon2_memory_kib", "argon2_memory_kib", "Password hashing: memory, in KiB.", limits=(8, 4 * 1024 * 1024)),
    Setting("sign_in", "argon2_parallelism", "argon2_parallelism", "Password hashing: lanes.", limits=(1, 16)),
    Setting("sign_in", "password_checks_at_once", "password_checks_at_once", "How many passwords are hashed at the same time.", limits=(1, 64)),
)  # fmt: skip


_PATHS = frozenset(
    {
        "tls_certificate",
        "tls_key",
        "outbound_ca_file",
        "mail_password_file",
        "mail_ca_file",
        "metrics_token_file",
    }
)


def load(path: Path | None, base: Config | None = None) -> Config:
    """Read the file (None: the defaults). Raises ConfigError naming the setting at fault."""
    if path is None:
        return base or Config()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}. Give another file with --config."
        raise ConfigError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is not TOML: {error}"
        raise ConfigError(msg) from None
    return _with_password(read(data, base or Config(), relative_to=path.parent))


def read(data: Mapping[str, Any], base: Config, *, relative_to: Path = Path()) -> Config:
    """The config a parsed file means. Raises ConfigError."""
    known = {(setting.section, setting.key): setting for setting in SETTINGS}
    sections = {setting.section for setting in SETTINGS}
    chosen: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    for section, values in data.items():
        if section not in sections or not isinstance(values, Mapping):
            msg = f"there is no section [{section}]; there are: {', '.join(sorted(sections))}"
            raise ConfigError(msg)
        for key, value in values.items():
            setting = known.get((section, key))
            if setting is None:
                there = sorted(name for part, name in known if part == section)
                msg = f"there is no setting {section}.{key}; [{section}] has: {', '.join(there)}"
                raise ConfigError(msg)
            (rules if setting.in_settings else chosen)[setting.name] = _checked(setting, value, relative_to)
    config = replace(base, **chosen, settings=replace(base.settings, **rules))
    if (config.tls_certificate is None) != (config.tls_key is None):
        msg = "tls.certificate and tls.key go together: give both, or none"
        raise ConfigError(msg)
    config = _with_mail(config)
    if "origin" not in rules and "port" in chosen:
        config = replace(config, settings=replace(config.settings, origin=f"https://localhost:{config.port}"))
    return config if "arm_origin" in rules else config.with_derived_arm_origin()


def _with_mail(config: Config) -> Config:
    """What belongs together is there together."""
    host, sender = config.settings.mail_host, config.settings.mail_from
    if not host:
        return config
    if not sender:
        msg = 'mail.from: write the address that mail comes from, such as "pim@example.com"'
        raise ConfigError(msg)
    if config.mail_user and config.mail_tls == "none" and host not in {"localhost", "127.0.0.1", "::1"}:
        msg = "mail.tls: a password is not sent without encryption. Write starttls or tls."
        raise ConfigError(msg)
    if config.mail_password and config.mail_password_file is not None:
        msg = "mail.password and mail.password_file: give one of them"
        raise ConfigError(msg)
    return config


def _with_password(config: Config) -> Config:
    """The password for the mail server, read from its file."""
    if config.mail_password_file is None:
        return config
    try:
        password = config.mail_password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        msg = f"mail.password_file: {config.mail_password_file} cannot be read. Name a text file."
        raise ConfigError(msg) from None
    return replace(config, mail_password=password, mail_password_file=None)


def _checked(setting: Setting, value: Any, relative_to: Path) -> Any:
    default = setting.default
    wrong: str | None = None
    if isinstance(default, bool):
        wrong = None if isinstance(value, bool) else "write true or false"
    elif isinstance(default, int):
        if not isinstance(value, int) or isinstance(value, bool):
            wrong = "write a whole number"
        elif setting.limits is not None and not setting.limits[0] <= value <= setting.limits[1]:
            wrong = f"write a number from {setting.limits[0]} to {setting.limits[1]}"
    elif isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            wrong = 'write a list of texts, such as ["one", "two"]'
        else:
            value = tuple(value)
    elif not isinstance(value, str):
        wrong = "write a text in quotes"
    elif setting.choices and value not in setting.choices:
        wrong = "write one of: " + ", ".join(setting.choices)
    elif isinstance(default, Path) or setting.name in _PATHS:
        value = relative_to / value
    if wrong is None and setting.check is not None:
        wrong = setting.check(value)
    if wrong is not None:
        msg = f"{setting.path}: {wrong}"
        raise ConfigError(msg)
    return value
