"""Names in directories: one form for each, whatever way it is written, and nothing that breaks out of its place."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.connectors.ldap.ber import BerError, elements, header, integer, number, tlv
from openpim.connectors.ldap.names import below, check_dn, check_name, check_subject, known, parent, written
from openpim.ports.connector import BadNameError

LETTERS = st.text(
    st.sampled_from(string.ascii_letters + string.digits + ' ,+"\\<>;=#*()@.-_é名ßﬁ\x00\n'), max_size=20
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Payroll  Admins, OU=Groups,DC=x", "cn=payroll admins,ou=groups,dc=x"),
        ("commonName=a,2.5.4.11=b", "cn=a,ou=b"),
        (r"uid=a\2cb,dc=x", r"uid=a\,b,dc=x"),
        (r"uid=\41lice,dc=x", "uid=alice,dc=x"),
        ("ou=b+cn=a,dc=x", "cn=a+ou=b,dc=x"),
        (r"cn=\e5\90\8d", "cn=名"),
        (r"cn=a\=b", r"cn=a\=b"),
        ("cn=a=b", r"cn=a\=b"),
    ],
)
def test_ways_of_writing_one_name_are_one_name(one, other):
    assert check_dn(one) == check_dn(other) == other == check_dn(other)


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "=a", "cn=", "cn=a,", "cn=a,,dc=x", "cn=a+", ",cn=a", "cn=#04024869", 'cn="a,b"', "cn=a;dc=x", "cn=<a>",
        r"cn=a\ ,dc=x", r"cn=\zz", "cn=a\\", r"cn=\ff\fe", r"cn=a\00b", r"cn=a\0AACNF:1", "cn=ａlice", "cn=ﬁlip", "cn=a\u200b",
        "cn=a\n", "cn=a\x00,dc=x", "a b=c", "cn=" + "a" * 2000, "cn=ali\u0301ce", "cn=-a", "cn=\ud800",
    ],
)  # fmt: skip
def test_what_is_no_name_or_cannot_be_told_from_another_is_refused(text):
    with pytest.raises(BadNameError) as caught:
        check_dn(text)
    assert "\n" not in str(caught.value)


@given(LETTERS)
def test_a_value_stays_one_value_of_a_dn(value):
    pattern = "uid={localPart},ou=people,dc=x"
    text = pattern.replace("{localPart}", written(pattern, value))
    try:
        found = check_subject(text)
    except BadNameError:
        return
    assert parent(found) == "ou=people,dc=x"
    assert found.startswith("uid=")
    assert check_dn(found) == found
    assert not below(found, f"uid=boss,{parent(found)}") or value.lower() == "boss"


@given(LETTERS)
def test_a_name_is_one_name_and_a_dn_is_never_taken_for_one(value):
    try:
        found = check_name(value)
    except BadNameError:
        return
    assert check_name(found) == found == check_name(value.upper().lower()) or not value.isascii()
    assert written("{localPart}", value) == value


@given(st.text(max_size=60))
def test_what_a_directory_writes_is_known_by_something(raw):
    assert known(known(raw)) == known(raw)


def test_below_is_by_whole_parts():
    assert below("uid=a,ou=people,dc=x", "ou=people,dc=x")
    assert below("ou=people,dc=x", "ou=people,dc=x")
    assert not below("uid=a,ou=notpeople,dc=x", "people,dc=x,dc=y")
    assert not below("uid=a,xou=people,dc=x", "ou=people,dc=x")
    assert parent(r"cn=a\,b,dc=x") == "dc=x"
    assert parent("dc=x") == ""


@given(st.lists(st.tuples(st.sampled_from([0x02, 0x04, 0x30, 0x87]), st.binary(max_size=300)), max_size=5))
def test_what_is_written_is_read(parts):
    assert list(elements(b"".join(tlv(tag, content) for tag, content in parts))) == parts


@given(st.integers(-(2**31), 2**31 - 1))
def test_numbers_are_as_short_as_they_must_be(value):
    ((_, content),) = elements(integer(value))
    assert number(content) == value
    assert len(content) == 1 or content[:2] not in {b"\x00\x00", b"\xff\xff"}


@given(st.binary(max_size=40))
def test_nonsense_is_told_as_such(data):
    try:
        header(data)
        list(elements(data))
    except BerError:
        pass
