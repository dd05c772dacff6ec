"""Forms with files: what browsers send is read as it was sent, and everything else is refused, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.faces.shared.body import BadBody
from openpim.faces.shared.multipart import Sent, parse_parts

B = b"----WebKitFormBoundaryx"


def part(head: bytes, content: bytes) -> bytes:
    return b"--" + B + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def field(name: bytes, content: bytes = b"1") -> bytes:
    return part(b'Content-Disposition: form-data; name="' + name + b'"', content)


def file(name: bytes, shown: bytes, content: bytes) -> bytes:
    head = (
        b'Content-Disposition: form-data; name="'
        + name
        + b'"; filename="'
        + shown
        + b'"\r\nContent-Type: text/csv'
    )
    return part(head, content)


END = b"--" + B + b"--\r\n"


def read(*parts: bytes, end: bytes = END) -> Sent | BadBody:
    return parse_parts(b"".join(parts) + end, B)


def test_fields_and_files() -> None:
    found = read(field(b"token", "é".encode()), file(b"file", b"C:\\x\\my.csv", b"\xff\r\n--no boundary\r\n"), field(b"empty", b""))  # fmt: skip
    assert isinstance(found, Sent)
    assert found.fields == {"token": "é", "empty": ""}
    assert found.files["file"].name == "my.csv"
    assert found.files["file"].body == b"\xff\r\n--no boundary\r\n"


def test_no_file_chosen() -> None:
    found = read(file(b"file", b"", b""), field(b"a"))
    assert isinstance(found, Sent)
    assert found.files == {}


@given(st.binary(max_size=300).filter(lambda body: B not in body))
def test_bytes_come_as_they_were(body: bytes) -> None:
    found = read(file(b"file", b"x.csv", body))
    assert isinstance(found, Sent)
    assert found.files["file"].body == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--" + B,
        field(b"a"),  # it does not end
        b"before" + field(b"a") + END,
        field(b"a") + field(b"a") + END,
        field(b"a") + file(b"a", b"x", b"y") + END,
        field(b"") + END,
        field(b"a", b"\xff") + END,
        field(b"\xff") + END,
        field(b"a", b"\x00") + END,
        part(b"Content-Type: text/plain", b"1") + END,
        part(b'Content-Disposition: attachment; name="a"', b"1") + END,
        part(b"Content-Disposition: form-data; name=a", b"1") + END,
        part(b'Content-Disposition: form-data; name="a"' + b" " * 3000, b"1") + END,
        b"".join(field(str(number).encode()) for number in range(101)) + END,
        b"--" + B + b"\r\n" + END,
    ],
)
def test_what_is_something_else_is_refused(body: bytes) -> None:
    found = parse_parts(body, B)
    assert isinstance(found, BadBody)
    assert found.status == 400


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=10))
def test_anything_at_all(body: bytes, boundary: bytes) -> None:
    assert isinstance(parse_parts(body, boundary), Sent | BadBody)
