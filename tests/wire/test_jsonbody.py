"""Request bodies: strict where two meanings are possible, tolerant where clients differ, and the member named."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire.enums import Action
from openpim.wire.jsonbody import Body, BodyError, BodyOffsetError, read_object

GUID = "071cc716-8147-4397-a5ba-b2105951cc0b"


def body(value: object) -> Body:
    return read_object(json.dumps(value).encode())


def test_reads_a_request() -> None:
    read = body(
        {
            "Action": "SelfActivate",
            "principalId": GUID.upper(),
            "isValidationOnly": False,
            "justification": "because",
            "ticketInfo": {},
            "scheduleInfo": {
                "startDateTime": "2022-04-14T00:00:00.000Z",
                "expiration": {"type": "AfterDuration", "duration": "5:00:00", "endDateTime": None},
            },
        }
    )
    assert read.choice("action", Action) is Action.SELF_ACTIVATE
    assert read.need_choice("ACTION", Action) is Action.SELF_ACTIVATE
    assert read.guid("principalId") == GUID
    assert read.need_guid("principalid") == GUID
    assert read.boolean("isValidationOnly") is False
    assert read.text("justification") == "because"
    assert read.need_text("justification") == "because"
    ticket = read.object("ticketInfo")
    assert ticket is not None
    assert list(ticket) == []
    schedule = read.need_object("scheduleinfo")
    assert schedule.datetime("startDateTime") == datetime(2022, 4, 14, tzinfo=UTC)
    expiration = schedule.need_object("expiration")
    duration = expiration.duration("duration")
    assert duration is not None
    assert duration.iso == "PT5H"
    assert expiration.where == "scheduleinfo.expiration"
    assert expiration.datetime("endDateTime") is None
    assert expiration.has("endDateTime")
    assert expiration.has("ENDDATETIME")
    assert not expiration.has("other")


def test_what_is_absent_or_null_is_none() -> None:
    for read in (body({}), body({"x": None})):
        assert read.get("x") is None
        assert read.text("x") is None
        assert read.guid("x") is None
        assert read.boolean("x") is None
        assert read.integer("x") is None
        assert read.choice("x", Action) is None
        assert read.datetime("x") is None
        assert read.duration("x") is None
        assert read.object("x") is None
        assert read.objects("x") is None
        assert read.texts("x") is None
        for need in (read.need_text, read.need_guid, read.need_object):
            with pytest.raises(BodyError, match=r"^x: is required$"):
                need("x")
        with pytest.raises(BodyError, match=r"^x: is required$"):
            read.need_choice("x", Action)


@pytest.mark.parametrize(
    ("getter", "value", "says"),
    [
        ("text", 5, "is a number, not a text"),
        ("text", "a" * 9000, "is longer than"),
        ("text", "a\x00b", "NUL"),
        ("need_text", "  ", "is required"),
        ("guid", "x", "'x' is not a GUID"),
        ("guid", {}, "is an object, not a text"),
        ("boolean", "true", "is a text, not true or false"),
        ("boolean", 1, "is a number, not true or false"),
        ("integer", True, "is true or false, not a whole number"),
        ("integer", 1.5, "is a number, not a whole number"),
        ("integer", 2**60, "is not from"),
        ("datetime", "soon", "is not like"),
        ("datetime", "2022-04-14T00:00:00", "no time zone"),
        ("duration", "-PT1H", "is negative"),
        ("duration", 5, "is a number, not a text"),
        ("object", [], "is a list, not an object"),
        ("objects", {}, "is an object, not a list"),
        ("objects", [{}] * 1001, "has more than 1000 items"),
        ("texts", "a", "is a text, not a list"),
    ],
)
def test_names_the_member_at_fault(getter: str, value: object, says: str) -> None:
    outer = body({"scheduleInfo": {"x": value}})
    inner = outer.need_object("scheduleInfo")
    with pytest.raises(BodyError, match=says) as caught:
        getattr(inner, getter)("x")
    assert caught.value.member == "scheduleInfo.x"
    assert str(caught.value).startswith("scheduleInfo.x: ")


def test_names_the_item_at_fault() -> None:
    read = body(
        {"rules": [{"id": "a"}, {"id": 5}], "mixed": [{}, 5, None], "names": ["a", None], "long": ["a\x00"]}
    )
    rules = read.objects("rules")
    assert rules is not None
    assert rules[0].text("id") == "a"
    with pytest.raises(BodyError, match=r"^rules\[1\]\.id: is a number"):
        rules[1].text("id")
    with pytest.raises(BodyError, match=r"^mixed\[1\]: is a number"):
        read.objects("mixed")
    with pytest.raises(BodyError, match=r"^names\[1\]: is null"):
        read.texts("names")
    with pytest.raises(BodyError, match=r"^long\[0\]: "):
        read.texts("long")
    assert body({"names": ["a", "b"]}).texts("names") == ["a", "b"]


def test_a_missing_time_zone_is_its_own_error() -> None:
    with pytest.raises(BodyOffsetError, match=r"^startDateTime: "):
        body({"startDateTime": "2022-04-14T00:00:00"}).datetime("startDateTime")


def test_an_unknown_choice_lists_the_choices() -> None:
    with pytest.raises(BodyError, match="'grab' is none of adminAssign, adminUpdate"):
        body({"action": "grab"}).choice("action", Action)


def test_whole_numbers() -> None:
    read = body({"a": 3, "b": 3.0, "c": -1})
    assert read.integer("a") == 3
    assert read.integer("b") == 3
    with pytest.raises(BodyError, match="is not from 0 to 5"):
        read.integer("c", least=0, most=5)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"[]", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'{"a":"\n"}', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8: byte 0"),
        (b'{"a":"\xff"}', "not UTF-8: byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":NaN}', "NaN is no number"),
        (b'{"a":-Infinity}', "-Infinity is no number"),
        (b'{"a":1e999}', "beyond all bounds"),
        (b'{"a":' + b"9" * 5000 + b"}", "beyond all bounds"),
        (b'{"a":1,"a":2}', "a: is given twice"),
        (b'{"action":1,"Action":2}', "Action: is given twice"),
        (b'{"x":{"a":1,"a":1}}', "a: is given twice"),
        (b'{"a":"\\ud800"}', "half a character"),
        (b'{"a":["x\\udfff"]}', "half a character"),
        (b'{"\\ud800":1}', "half a character"),
        (b'{"a":' * 64 + b"{}" + b"}" * 64, "nested more than 64"),
        (b'{"a":' + b"[" * 100_000, "nested more than 64|not JSON"),
        (b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}", "nested more than 64"),
        (b'{"a":"' + b"x" * 1_100_000 + b'"}', "longer than 1048576 bytes"),
    ],
)
def test_refuses_the_whole_body_and_says_why(data: bytes, says: str) -> None:
    started = time.process_time()
    with pytest.raises(BodyError, match=says) as caught:
        read_object(data)
    assert time.process_time() - started < 3, "seconds of processor time: it does not grow with the text"
    assert len(str(caught.value)) < 200


def test_the_bounds_are_the_callers() -> None:
    assert read_object(b'{"a":{"b":{}}}', max_depth=3).has("a")
    with pytest.raises(BodyError, match="nested more than 2"):
        read_object(b'{"a":{"b":{}}}', max_depth=2)
    with pytest.raises(BodyError, match="longer than 3"):
        read_object(b'{"a":1}', max_bytes=3)
    assert list(read_object(b"", allow_empty=True)) == []
    assert list(read_object(b"{}")) == []


def test_tolerates_a_byte_order_mark_and_real_pairs() -> None:
    assert read_object('\ufeff{"a":"ä"}'.encode()).text("a") == "ä"
    assert read_object(b'{"a":"\\ud83d\\ude00"}').text("a") == "😀"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["a", "b", "x"]), JSON))
def test_reads_what_json_writes(value: dict[str, Any]) -> None:
    assert body(value).members == value


@given(st.binary(max_size=60))
def test_garbage_is_refused_with_the_one_error(data: bytes) -> None:
    for raw in (data, b'{"a":' + data + b"}"):
        try:
            read_object(raw)
        except BodyError:
            continue
