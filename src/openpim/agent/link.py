"""The way to the server: one question at a time, over TLS, each answer bound to its question by a number used once."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from openpim.agent import files

FILE: Final = "credential.json"
_MOST: Final = 2_000_000  # bytes of an answer


class LinkError(Exception):
    """The server could not be asked, or said no. status: 0 when it was not reached."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Link(Protocol):
    def ask(self, what: str, body: dict[str, Any], credential: str, seconds: float) -> dict[str, Any]:
        """what: the last word of the address. Raises LinkError."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """tenant, target: ids. secret: this host's alone."""

    server: str
    tenant: str
    target: str
    secret: str


def load(state: str) -> Credential | None:
    with files.directory(state) as place:
        content = files.read(place, FILE)
    if content is None:
        return None
    try:
        return Credential(**json.loads(content))
    except (ValueError, TypeError):
        return None


def save(state: str, one: Credential) -> None:
    row = {"server": one.server, "tenant": one.tenant, "target": one.target, "secret": one.secret}
    with files.directory(state) as place:
        files.replace(place, FILE, json.dumps(row).encode(), 0o600)


class HttpsLink:
    """server: https://host[:port]. ca_file: "" for what the system trusts."""

    def __init__(self, server: str, tenant: str, target: str, ca_file: str) -> None:
        parts = urlsplit(server)
        if parts.scheme != "https" or not parts.hostname:
            raise LinkError("the server's address must begin with https://")
        self._host, self._port = parts.hostname, parts.port or 443
        self._path = f"/targets/{tenant}/{target}/agent/"
        try:
            self._context = ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            raise LinkError(f"{ca_file}: {error.strerror}") from error
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._connection: http.client.HTTPSConnection | None = None

    def ask(self, what: str, body: dict[str, Any], credential: str, seconds: float) -> dict[str, Any]:
        nonce = os.urandom(16).hex()  # noqa: TID251 - this process's own root
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {credential}"}
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(self._host, self._port, context=self._context)
        self._connection.timeout = seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        try:
            content = json.dumps({**body, "nonce": nonce}).encode()
            self._connection.request("POST", self._path + what, content, headers)
            response = self._connection.getresponse()
            answer = response.read(_MOST + 1)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LinkError(f"{self._host}:{self._port}: {error}") from error
        if len(answer) > _MOST:
            self.close()
            raise LinkError("the answer is too long")
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if response.status != 200:
            fault = found.get("error", {}) if isinstance(found, dict) else {}
            said = fault.get("message") if isinstance(fault, dict) else None
            raise LinkError(str(said or f"the server answered {response.status}")[:300], response.status)
        if not isinstance(found, dict) or found.get("nonce") != nonce:
            self.close()
            raise LinkError("the answer does not belong to the question")
        return found

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
