"""The guarded road out: what it calls, and what servers that mean ill can do to it. Against real sockets."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from openpim.notify.addresses import Allowed, place
from openpim.notify.outbound import GuardedOutbound
from openpim.ports.outbound import OutboundError, OutboundFault
from openpim.tls import ensure_certificates
from tests.notify.hostile import Hostile, answers, says, serve

HERE = ("127.0.0.0/8",)
HURRY = 0.4
F = OutboundFault


def call(url: str, allow: Any = HERE, **more: Any) -> Any:
    made = {name: more.pop(name) for name in ("ca_file", "resolve") if name in more}
    return GuardedOutbound(allow, **made).request(
        more.pop("method", "POST"), url, **{"seconds": HURRY, **more}
    )


def refused(url: str, allow: Any = HERE, **more: Any) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        call(url, allow, **more)
    return caught.value


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ensure_certificates(tmp_path_factory.mktemp("tls"), ["good.test"], datetime.now(UTC))


# ---------------------------------------------------------------- what an honest server sees and says


def test_an_answer_comes_back_as_it_is() -> None:
    with serve(answers(b'{"a":1}', "201 Created", "X-Thing: yes")) as server:
        answer = call(server.url("/a/b?c=d"), headers={"Content-Type": "application/json"}, body=b"{}")
    assert (answer.status, answer.body, answer.headers["x-thing"], answer.ok) == (
        201,
        b'{"a":1}',
        "yes",
        True,
    )
    asked = server.asked[0]
    assert asked.line == "POST /a/b?c=d HTTP/1.1"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.body == b"{}"


def test_chunks_and_interim_answers_are_understood() -> None:
    chunked = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with serve(says(chunked)) as server:
        assert call(server.url()).body == b"abcde"


def test_a_large_body_is_sent_whole() -> None:
    with serve(answers()) as server:
        call(server.url(), body=b"x" * 3_000_000, seconds=20)
    assert len(server.asked[0].body) == 3_000_000


def test_an_early_answer_counts_although_the_body_was_not_read() -> None:
    with serve(answers(b"no", "413 Content Too Large")) as server:
        assert call(server.url(), body=b"x" * 10).status == 413


# ---------------------------------------------------------------- servers that mean ill


def drip(server: list[Hostile]) -> Any:
    def script(connection: Any, _asked: Any) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100_000:
            connection.sendall(bytes([byte]))
            if server[0].over.wait(0.02):
                return

    return script


def test_a_server_that_drips_costs_the_deadline_and_no_more() -> None:
    box: list[Hostile] = []
    with serve(drip(box)) as server:
        box.append(server)
        began = time.monotonic()
        assert refused(server.url()).fault is F.TIMED_OUT
        assert time.monotonic() - began < HURRY * 4


def test_a_body_that_drips() -> None:
    box: list[Hostile] = []

    def script(connection: Any, _asked: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not box[0].over.wait(0.02):
            connection.sendall(b"x")

    with serve(script) as server:
        box.append(server)
        assert refused(server.url()).fault is F.TIMED_OUT


def test_endless_interim_answers() -> None:
    box: list[Hostile] = []

    def script(connection: Any, _asked: Any) -> None:
        while not box[0].over.is_set():
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with serve(script) as server:
        box.append(server)
        assert refused(server.url(), max_bytes=1000).fault in {F.TIMED_OUT, F.TOO_LARGE}


def test_a_server_that_never_says_a_word() -> None:
    with serve(None) as server:
        assert refused(server.url()).fault is F.TIMED_OUT


def test_tls_that_never_answers() -> None:
    with serve(None) as server:
        url = server.url(scheme="https", host="good.test")
        assert refused(url, ["good.test"], resolve=lambda *_: ["127.0.0.1"]).fault is F.TIMED_OUT


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"400\r\n" + b"x" * 1024 + b"\r\n" + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n"
        + b"X-A: b\r\n" * 90
        + b"X-B: "
        + b"x" * 60_000
        + b"\r\nX-C: "
        + b"y" * 60_000
        + b"\r\n\r\n",
    ],
)
def test_a_huge_answer_is_not_kept(text: bytes) -> None:
    with serve(says(text)) as server:
        assert refused(server.url(), max_bytes=1000, seconds=5).fault is F.TOO_LARGE


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"<html>hello</html>",
    ],
)
def test_nonsense_and_half_an_answer_are_no_answer(text: bytes) -> None:
    with serve(says(text)) as server:
        fault = refused(server.url(), seconds=5).fault
    assert fault in {F.NONSENSE, F.UNREACHABLE, F.TOO_LARGE}
    assert not text or fault in {F.NONSENSE, F.TOO_LARGE}


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_an_answer_and_is_not_followed(status: str) -> None:
    with (
        serve(answers(b"inside")) as inside,
        serve(answers(b"", status, f"Location: {inside.url()}")) as server,
    ):
        answer = call(server.url())
    assert answer.status == int(status[:3])
    assert not answer.ok
    assert inside.connections == 0


def test_nobody_is_there() -> None:
    with serve(answers()) as server:
        url = server.url()
    assert refused(url).fault is F.UNREACHABLE


# ---------------------------------------------------------------- certificates


def test_the_certificate_must_be_trusted_and_name_the_host(tls: Any) -> None:
    with serve(answers(b"yes"), tls) as server:
        reach = {"allow": ["*.test"], "resolve": lambda *_: ["127.0.0.1"], "seconds": 5}
        good, other = (
            server.url(host="good.test", scheme="https"),
            server.url(host="bad.test", scheme="https"),
        )
        assert call(good, ca_file=tls.authority, **reach).body == b"yes"
        assert refused(good, **reach).fault is F.CERTIFICATE
        assert refused(other, ca_file=tls.authority, **reach).fault is F.CERTIFICATE
    assert len(server.asked) == 1


def test_plain_text_where_tls_is_spoken() -> None:
    with serve(answers()) as server:
        url = server.url(host="good.test", scheme="https")
        found = refused(url, ["good.test"], resolve=lambda *_: ["127.0.0.1"])
    assert found.fault in {F.CERTIFICATE, F.TIMED_OUT}


# ---------------------------------------------------------------- where it leads


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.10", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",
        "0.1.2.3", "255.255.255.255", "224.0.0.1", "239.1.2.3", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fd00::1", "fc00::1", "ff02::1", "fec0::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::1",
    ],
)  # fmt: skip
def test_addresses_that_are_nobodys_elses_are_refused(address: str) -> None:
    literal = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    assert refused(literal, ()).fault is F.FORBIDDEN_ADDRESS
    assert GuardedOutbound().fault(literal) is not None
    assert refused("https://name.test/", (), resolve=lambda *_: [address]).fault is F.FORBIDDEN_ADDRESS


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_addresses_on_the_internet_may_be_called(address: str) -> None:
    literal = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    assert GuardedOutbound().fault(literal) is None


@pytest.mark.parametrize(
    "host",
    ["2130706433", "017700000001", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "127.0.0.0x1", "1.2.3.4.5",
     "127.0.0.256", "0", "0x"],
)  # fmt: skip
def test_numbers_that_are_no_ip_address_are_no_name_either(host: str) -> None:
    def never(*_: Any) -> list[str]:
        raise AssertionError

    assert refused(f"http://{host}/", HERE, resolve=never).fault is F.BAD_ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "//example.com/", "",
        "example.com", "https://", "https:///path", "https://user@example.com/", "https://user:pw@example.com/",
        "https://@example.com/", "https://example.com:0/", "https://example.com:65536/", "https://example.com:x/",
        "https://example.com/#part", "https://exa mple.com/", "https://example.com/a b", "https://example.com/\r\nX: y",
        "https://example.com\r\nHost: x/", "https://example.com/\x00", "https://example.com\\@127.0.0.1/",
        "https://ex\u0430mple.com/", "https://１２７.0.0.1/", "https://127。0。0。1/", "https://[::1/", "https://[fe80::1%25eth0]/",
        "https://-a.example/", "https://a..example/", "https://" + "a" * 64 + ".example/", "https://example.com/" + "a" * 3000,
        "unix:///var/run/docker.sock", "https://example.com:443@127.0.0.1/", "https://%31%32%37.0.0.1/",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    assert refused(url).fault is F.BAD_ADDRESS
    assert GuardedOutbound(HERE).fault(url) is not None


def test_plain_http_is_for_what_the_configuration_names() -> None:
    guard = GuardedOutbound(["ntfy.internal", "10.0.0.0/8"])
    assert guard.fault("http://ntfy.internal/") is None
    assert guard.fault("http://10.1.1.1/") is None
    assert guard.fault("http://8.8.8.8/") is not None
    assert guard.fault("http://example.com/") is not None
    assert refused("http://example.com/", (), resolve=lambda *_: ["8.8.8.8"]).fault is F.BAD_ADDRESS


def test_the_address_that_was_judged_is_the_one_that_is_called() -> None:
    """A name that changes between the look and the use (DNS rebinding)."""
    looks: list[str] = []

    def changing(_host: str, _port: int) -> list[str]:
        looks.append("127.0.0.9" if looks else "127.0.0.1")
        return [looks[-1]]

    with serve(answers(b"yes")) as server:
        # Both addresses lead to this server's port; only the first look-up may count.
        assert call(server.url(host="name.test"), ["127.0.0.1/32"], resolve=changing).body == b"yes"
        assert looks == ["127.0.0.1"]
        found = refused(server.url(host="name.test"), ["127.0.0.1/32"], resolve=changing)
    assert found.fault is F.FORBIDDEN_ADDRESS
    assert server.connections == 1


def test_of_several_addresses_only_the_allowed_are_tried() -> None:
    with serve(answers(b"yes")) as server:
        both = partial(call, server.url(host="name.test"), resolve=lambda *_: ["10.9.9.9", "127.0.0.1"])
        assert both(["127.0.0.0/8"]).body == b"yes"


def test_a_name_that_is_allowed_leads_inside_but_never_to_the_metadata_service() -> None:
    allowed = Allowed(["ntfy.example.internal", "*.lan", "10.0.0.0/8"])
    judge = lambda host, address: allowed.may_call(host, place(f"http://{address}/").literal)  # noqa: E731
    assert judge("ntfy.example.internal", "192.168.1.1")
    assert judge("a.b.lan", "192.168.1.1")
    assert judge("any.where", "10.1.1.1")
    assert not judge("lan", "192.168.1.1")
    assert not judge("evil-lan", "192.168.1.1")
    assert not judge("ntfy.example.internal.evil.test", "192.168.1.1")
    assert not judge("ntfy.example.internal", "169.254.169.254")
    assert not judge("ntfy.example.internal", "0.0.0.0")
    assert judge("ntfy.example.internal", "[::ffff:10.0.0.1]")


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "https://a.test", "*", "a b", "300.1.1.1", "", "a/8"])
def test_a_configuration_that_cannot_be_read_is_said(entry: str) -> None:
    with pytest.raises(ValueError):
        Allowed([entry])


def test_a_look_up_that_hangs_costs_the_deadline_and_no_more() -> None:
    over = threading.Event()

    def hangs(*_: Any) -> list[str]:
        over.wait(30)
        return ["8.8.8.8"]

    assert refused("https://name.test/", resolve=hangs).fault is F.TIMED_OUT
    over.set()


def test_a_name_nobody_knows() -> None:
    def unknown(*_: Any) -> list[str]:
        raise OSError("no such name")

    assert refused("https://name.test/", resolve=unknown).fault is F.UNKNOWN_NAME
    assert refused("https://name.test/", resolve=lambda *_: []).fault is F.UNKNOWN_NAME


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(answers(b"proxy")) as proxy, serve(answers(b"server")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert call(server.url()).body == b"server"
    assert proxy.connections == 0


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Evil: yes"},
        {"X-A": "b\nc"},
        {"X-A\r\nX-Evil": "b"},
        {"X A": "b"},
        {"X-A": "b\x00"},
        {"X-A": "ü"},
        {"": "b"},
        {"Host": "other.test"},
        {"content-length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "keep-alive"},
    ],
)
def test_headers_that_would_be_more_than_headers(headers: dict[str, str]) -> None:
    with serve(answers()) as server:
        assert refused(server.url(), headers=headers).fault is F.BAD_REQUEST
    assert server.connections == 0


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\nX: y\r\n\r\nPOST", "CONNECT", "TRACE", "post"])
def test_methods_that_are_not_used(method: str) -> None:
    with serve(answers()) as server:
        assert refused(server.url(), method=method).fault is F.BAD_REQUEST
    assert server.connections == 0


def test_messages_keep_the_path_and_the_query_to_themselves() -> None:
    with serve(says(b"nonsense\r\n")) as server:
        found = refused(
            server.url("/services/T000/SECRET?token=SECRET"), headers={"Authorization": "Bearer SECRET"}
        )
    assert "SECRET" not in found.message
    assert "127.0.0.1" in found.message


def test_what_is_not_http_goes_the_same_guarded_way() -> None:
    with serve(answers()) as server:
        guard = GuardedOutbound(
            ["127.0.0.1/32"], resolve=lambda host, _: ["127.0.0.1" if host == "log.test" else "10.0.0.1"]
        )
        with guard.connect("log.test", server.port, seconds=5) as connection:
            assert connection.getpeername() == ("127.0.0.1", server.port)
            assert connection.gettimeout() is not None
        for host, port in (
            ("evil.test", 514),
            ("10.0.0.1", 514),
            ("::1", 514),
            ("user@log.test", 514),
            ("log.test", 0),
        ):
            with pytest.raises(OutboundError):
                guard.connect(host, port, seconds=1)
    assert server.connections == 1
