"""What every connector must pass, on a real OpenLDAP: groups with people by name and by DN, and entries of activations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.connectors.contract import ConnectorContract, done, fence, grants, names, now, revokes
from tests.connectors.ldap.conftest import ActivationsRig, GroupsRig
from tests.connectors.ldap.slapd import PEOPLE


class ByDn(GroupsRig):
    """People are their DNs; TLS begins by StartTLS."""

    people = (f"uid=alice,{PEOPLE}", f"uid=bob,{PEOPLE}")

    def dn(self, person: str) -> str:
        return person


class TestGroups(ConnectorContract):
    @pytest.fixture
    def rig(self, slapd):
        return GroupsRig(slapd)


class TestGroupsByDn(ConnectorContract):
    @pytest.fixture
    def rig(self, slapd):
        return ByDn(slapd, people_base="", security="starttls", port=str(slapd.plain))


class TestActivations(ConnectorContract):
    @pytest.fixture
    def rig(self, slapd):
        return ActivationsRig(slapd)


@pytest.mark.slow
class TestActiveDirectory(ConnectorContract):
    @pytest.fixture
    def rig(self, domain):
        return domain

    def test_what_has_ended_can_be_severed_again_and_again(self, connector, edge, other):
        """Nothing takes a group out of a ticket: it lives on, and that is said."""
        done(connector, grants(edge, other))
        done(connector, revokes(edge))
        for _ in range(2):
            before = now()
            (severed,) = connector.sever([edge], [other], fence())
            assert (severed.edge, severed.error) == (edge, "")
            assert timedelta(0) <= severed.residue_until - before - timedelta(hours=10) < timedelta(minutes=1)
        assert names(connector) == {other.name}
