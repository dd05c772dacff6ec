"""What goes out as OpenTelemetry logs is what OpenTelemetry's own messages read back; bad receivers get nothing twice that
they took, and everything that they did not."""

from __future__ import annotations

import gzip
import json

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from openpim.core.streams import Stream, StreamKind
from openpim.notify.otlp import Otlp, request
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.streams import NotTakenError
from tests.notify.events import ANN, TENANT, event, hostile_events, outgoing, stream
from tests.notify.hostile import answers, says, serve

HERE = Otlp(GuardedOutbound(["127.0.0.0/8"]))


def to(port_url: str, **more: object) -> Stream:
    return stream(StreamKind.OTLP, port_url, **more)


def plain(value: object) -> object:
    """AnyValue -> Python."""
    kind = value.WhichOneof("value")  # type: ignore[attr-defined]
    inner = getattr(value, kind)
    if kind == "array_value":
        return [plain(one) for one in inner.values]
    if kind == "kvlist_value":
        return {one.key: plain(one.value) for one in inner.values}
    return inner


def read(body: dict[str, object]) -> ExportLogsServiceRequest:
    """Strict: a name that the protocol does not know is an error."""
    return json_format.Parse(json.dumps(body), ExportLogsServiceRequest(), ignore_unknown_fields=False)


def test_every_name_is_one_of_the_protocol() -> None:
    found = read(request(outgoing(event(7), event(8, result="failure"))))
    [logs] = found.resource_logs
    resource = {one.key: plain(one.value) for one in logs.resource.attributes}
    assert resource["service.name"] == "openpim"
    assert resource["openpim.tenant.id"] == TENANT
    good, bad = logs.scope_logs[0].log_records
    assert good.time_unix_nano == good.observed_time_unix_nano == 1793610000123456000
    assert (good.severity_number, good.severity_text, good.event_name) == (9, "INFO", "openpim.audit")
    assert (bad.severity_number, bad.severity_text) == (13, "WARN")
    assert good.body.string_value == "Add member to role completed (PIM activation)"
    attributes = {one.key: plain(one.value) for one in good.attributes}
    assert attributes["openpim.event.position"] == 7
    assert attributes["openpim.event.id"] == event(7).id
    assert attributes["user.id"] == ANN.id
    assert attributes["user.name"] == "ann@contoso.com"
    assert attributes["client.address"] == "192.0.2.1"
    assert attributes["user_agent.original"] == "pim/1"
    assert attributes["openpim.actor.authentication_methods"] == ["mfa", "pwd"]
    assert attributes["openpim.targets"][0]["name"] == "Teams Administrator"
    assert attributes["openpim.details"] == [{"name": "TicketNumber", "value": "INC-1"}]
    assert "openpim.ticket.number" not in attributes, "what is empty is left out"


def test_hostile_texts_arrive_to_the_letter() -> None:
    batch = outgoing(*hostile_events())
    records = read(request(batch)).resource_logs[0].scope_logs[0].log_records
    for record, one in zip(records, batch, strict=True):
        attributes = {each.key: plain(each.value) for each in record.attributes}
        assert attributes["openpim.event.reason"] == one.event.reason


def test_it_is_posted_packed_with_its_secret() -> None:
    with serve(answers(b"{}")) as server:
        place = to(server.url("/v1/logs"))
        assert HERE.send(place, "Bearer sesame", outgoing(event())) == ""
        [asked] = server.asked
        assert asked.line == "POST /v1/logs HTTP/1.1"
        assert asked.headers["authorization"] == "Bearer sesame"
        assert asked.headers["content-type"] == "application/json"
        assert asked.headers["content-encoding"] == "gzip"
        read(json.loads(gzip.decompress(asked.body)))
        HERE.send(to(server.url(), gzip=False, header="X-Key"), "k", outgoing(event()))
        assert server.asked[1].headers["x-key"] == "k"
        assert "content-encoding" not in server.asked[1].headers
        read(json.loads(server.asked[1].body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"{}", ""),
        (b'{"partialSuccess":{}}', ""),
        (b'{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"a warning"}}', ""),
        (b'{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too\\r\\nold"}}', "2 of the events"),
        (b'{"partialSuccess":{"rejectedLogRecords":2}}', "2 of the events"),
        (b'{"partialSuccess":[]}', ""),
        (b'{"partialSuccess":{"rejectedLogRecords":"many"}}', ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", ""),
    ],
)
def test_a_part_that_was_rejected_is_said_and_not_sent_again(body: bytes, said: str) -> None:
    with serve(answers(body)) as server:
        heard = HERE.send(to(server.url()), "", outgoing(event()))
    assert said in heard
    assert "\n" not in heard
    assert bool(said) == bool(heard)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("302 Found", "sends us elsewhere"),
        ("307 Temporary Redirect", "sends us elsewhere"),
        ("400 Bad Request", "does not understand"),
        ("401 Unauthorized", "secret"),
        ("403 Forbidden", "rights"),
        ("404 Not Found", "address"),
        ("418 Teapot", "418"),
        ("429 Too Many Requests", "slowly"),
        ("500 Internal Server Error", "trouble"),
        ("503 Service Unavailable", "trouble"),
    ],
)
def test_whatever_is_no_yes_is_a_no_in_words(status: str, words: str) -> None:
    elsewhere = "Location: https://other.example.com/"
    with serve(answers(b"secret inside", status, elsewhere, "Retry-After: 7")) as server:
        with pytest.raises(NotTakenError, match=words) as caught:
            HERE.send(to(server.url()), "Bearer sesame", outgoing(event()))
        assert len(server.asked) == 1, "nothing is followed"
    assert caught.value.wait_seconds == 7
    assert "secret inside" not in caught.value.message
    assert "sesame" not in caught.value.message


def test_too_large_is_known() -> None:
    with serve(answers(b"", "413 Content Too Large")) as server, pytest.raises(NotTakenError) as caught:
        HERE.send(to(server.url()), "", outgoing(event()))
    assert caught.value.too_large


@pytest.mark.parametrize(
    "text", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"]
)
def test_nonsense_is_a_no(text: bytes) -> None:
    with serve(says(text)) as server, pytest.raises(NotTakenError):
        HERE.send(to(server.url()), "", outgoing(event()))


@pytest.mark.parametrize("retry", ["soon", "-1", "99999999999", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_wait_that_cannot_be_read_is_ours_to_choose(retry: str) -> None:
    with (
        serve(answers(b"", "503 No", f"Retry-After: {retry}")) as server,
        pytest.raises(NotTakenError) as caught,
    ):
        HERE.send(to(server.url()), "", outgoing(event()))
    assert caught.value.wait_seconds is None


def test_no_private_address_unless_allowed() -> None:
    with pytest.raises(NotTakenError):
        Otlp(GuardedOutbound()).send(to("https://127.0.0.1:1/"), "", outgoing(event()))
