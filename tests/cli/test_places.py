"""Which place the words of a person mean; never a guess between two."""

from __future__ import annotations

import pytest

from openpim.cli.choosing import choose, label, split
from openpim.cli.output import Printer
from openpim.cli.places import read_place, suits
from openpim.client.errors import PimError
from openpim.client.resources import flat
from openpim.client.roles import Holding

IT = "/providers/Microsoft.Management/managementGroups/IT"
PROD = "/subscriptions/10000000-0000-4000-8000-000000000001"
STAGING = "/subscriptions/10000000-0000-4000-8000-000000000002"


def held(role: str, scope: str, name: str) -> Holding:
    names = {"roleDefinition": {"displayName": role}, "scope": {"displayName": name}}
    given = {"scope": scope, "roleDefinitionId": f"/x/{role.lower()}", "expandedProperties": names}
    return Holding(flat({"name": f"{role}@{scope}", "properties": given}), eligible=True)


OWNERS = [
    held("Owner", IT, "IT"), held("Owner", PROD, "Production"), held("Owner", f"{PROD}/resourceGroups/rg-web", "rg-web"),
    held("Owner", f"{STAGING}/resourceGroups/rg-web", "rg-web"), held("Owner", STAGING, "Pre-production"),
    held("Blob Owner", PROD, "Production"), held("Blob Owner", "/", ""),
]  # fmt: skip


def chosen(wanted: str, scope: str = "") -> str:
    found = choose(wanted, OWNERS, scope, what="no role", hint="")
    return found.kind if isinstance(found, PimError) else found[0].scope


@pytest.mark.parametrize(
    ("wanted", "scope", "found"),
    [
        ("Owner@prod", "", PROD),  # the beginning of one name, the middle of another
        ("owner@PRODUCTION", "", PROD),
        ("Owner@10000000-0000-4000-8000-000000000001", "", PROD),
        (f"Owner@{PROD}", "", PROD),
        (f"Owner@/providers/Microsoft.Subscription{PROD}", "", PROD),
        ("Owner@mg:IT", "", IT),
        ("Owner", "mg:it", IT),
        ("Owner", "sub:prod", PROD),
        ("Owner@prod/rg-web", "", f"{PROD}/resourceGroups/rg-web"),
        ("Owner", "pre/rg-web", f"{STAGING}/resourceGroups/rg-web"),
        ("Owner@rg-web", "", "ambiguous"),
        ("Owner@rg:web", "", "ambiguous"),
        ("Owner@sub:rg-web", "", "missing"),
        ("Owner", "", "ambiguous"),
        ("Blob Owner@/", "", "/"),
        ("Blob Owner@IT", "", "missing"),
        ("Owner@nowhere", "", "missing"),
        ("own@prod", "", PROD),
    ],
)
def test_which_one_is_meant(wanted, scope, found):
    assert chosen(wanted, scope) == found


def test_a_part_of_another_roles_name_is_not_meant():
    """`Owner@prod` must not become `Blob Owner@prod` where one is Owner only elsewhere."""
    elsewhere = [held("Owner", STAGING, "staging"), held("Blob Owner", PROD, "prod")]
    found = choose("Owner@prod", elsewhere, "", what="no role", hint="")
    assert isinstance(found, PimError)
    assert found.kind == "missing"


def test_taken_apart_at_the_last_sign_and_only_without_another_place():
    assert split("Owner@prod", "") == ("Owner", "prod")
    assert split("Owner@prod", "mg:IT") == ("Owner@prod", "mg:IT")
    assert split("a@b@c", "") == ("a@b", "c")
    assert split("@prod", "") == ("@prod", "")
    assert split("Owner@", "") == ("Owner@", "")


@pytest.mark.parametrize("text", ["a//b", "/ /", "mg:", "a/"])
def test_what_names_no_place(text):
    if text.startswith("/"):
        assert suits(read_place(text), OWNERS) == []
        return
    with pytest.raises(PimError) as caught:
        read_place(text)
    assert caught.value.kind == "usage"


def test_names_of_subscriptions_that_no_row_has():
    group = [held("Owner", f"{PROD}/resourceGroups/rg-web", "rg-web")]
    assert suits(read_place("prod/rg-web"), group) == []
    assert suits(read_place("prod/rg-web"), group, {PROD: "Production"}) == group


def test_how_it_is_shown():
    assert [label(one) for one in OWNERS[:2]] == ["Owner@IT", "Owner@Production"]


class _Out:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


def table(width: int, rows: list[dict[str, str]]) -> list[str]:
    out = _Out()
    Printer(out, "table", colour=False, width=width).rows(
        rows, (("role", "ROLE"), ("needs", "NEEDS"), ("id", "ID"))
    )
    return out.text.splitlines()


def test_a_table_fits_the_terminal():
    row = {
        "role": "Cloud Application Administrator",
        "needs": "approval, MFA, justification, ticket",
        "id": "1234567",
    }
    assert len(table(0, [row])) == 2
    assert len(table(100, [row])) == 2
    narrow = table(50, [row])
    assert max(map(len, narrow)) <= 50
    assert len(narrow) > 2
    words = " ".join(narrow[1:]).split()
    assert sorted(words) == sorted(" ".join(row.values()).split())  # nothing is lost
    assert narrow[1].endswith("1234567")


def test_words_are_never_broken_however_narrow_the_terminal():
    row = {"role": "x" * 40, "needs": "", "id": "8aa44d84-a506-4c5b-9acd-1c0726a6310a"}
    assert table(20, [row])[1].split() == ["x" * 40, row["id"]]


def test_wide_characters_and_no_rows():
    assert table(10, []) == []
    assert all(
        "管理" in line or "者" in line
        for line in table(24, [{"role": "管理 " * 12 + "者", "needs": "", "id": "1"}])[1:]
    )
