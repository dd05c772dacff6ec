"""A person of a directory with a connection that stays open, who tries to write something again and again."""

from __future__ import annotations

from openpim.connectors.ldap.client import Connection, Where
from openpim.connectors.ldap.messages import Change, Code, modify
from tests.signin_helper import OUTBOUND


class Person:
    def __init__(self, port: int, authority: str, account: str, password: str) -> None:
        self._connection = Connection(
            OUTBOUND, Where("localhost", port, "ldaps", authority, account, password)
        )

    def writes(self, dn: str) -> bool:
        outcome = self._connection.ask(modify(dn, [(Change.REPLACE, "description", ["300"])]))
        assert outcome.code in {Code.SUCCESS, Code.INSUFFICIENT_ACCESS}, outcome
        return outcome.ok

    def close(self) -> None:
        self._connection.close()
