"""Every road of the management API and the poll endpoint, with what it answers: (name, who, method, path, body, status).

who: "own" has both permissions; "reader" only ssf.read; "manager" only ssf.manage; "plain" has another permission; "other" is
another receiver of the tenant; "foreign" one of another tenant; "person" a signed-in Global Administrator; "nobody" sends no
token; "garbage", "expired", "query" a bad one, an old one, one in the query. In paths and bodies: {push}, {poll} streams of
own, {others} one of other, {foreign} one of another tenant, {none} no stream. A body of bytes is sent as it is.
"""

from __future__ import annotations

from typing import Any

from tests.faces.signals.stage import EVERYTHING, POLL, PUSH

Row = tuple[str, str, str, str, Any, int]
STREAMS, STATUS, VERIFY = "streams", "status", "verify"
ADD, REMOVE = "subjects/add", "subjects/remove"
ANN = {"format": "email", "email": "ann@example.com"}
LONG = "x" * 1001
NAMES = list(EVERYTHING[:2])


def push(url: str, **more: Any) -> dict[str, Any]:
    return {"delivery": {"method": PUSH, "endpoint_url": url, **more}, "events_requested": EVERYTHING}


def named(path: str, name: str) -> str:
    return f"{path}?stream_id={{{name}}}"


WHO: list[Row] = [
    (f"{who} {method} {path}", who, method, path, body, status)
    for method, path, body, needs in (
        ("POST", STREAMS, {}, "manage"),
        ("GET", STREAMS, None, "read"),
        ("GET", named(STREAMS, "push"), None, "read"),
        ("PATCH", STREAMS, {"stream_id": "{push}"}, "manage"),
        ("PUT", STREAMS, {"stream_id": "{poll}", "delivery": {"method": POLL}}, "manage"),
        ("DELETE", named(STREAMS, "none"), None, "manage"),
        ("GET", named(STATUS, "push"), None, "read"),
        ("POST", STATUS, {"stream_id": "{push}", "status": "enabled"}, "manage"),
        ("POST", VERIFY, {"stream_id": "{push}"}, "manage"),
        ("POST", ADD, {"stream_id": "{push}", "subject": ANN}, "manage"),
        ("POST", REMOVE, {"stream_id": "{push}", "subject": ANN}, "manage"),
        ("POST", "poll/{poll}", {"returnImmediately": True}, "read"),
    )
    for who, status in (
        ("nobody", 401),
        ("garbage", 401),
        ("expired", 401),
        ("query", 401),
        ("foreign", 401),
        ("plain", 403),
        ("person", 403),
        ("reader", 403 if needs == "manage" else -1),
    )
    if status > 0
]
UNKNOWN: list[Row] = [
    (f"{what} {method} {path}", "own", method, path, body, 404)
    for what in ("none", "others", "foreign")
    for method, path, body in (
        ("GET", named(STREAMS, what), None),
        ("PATCH", STREAMS, {"stream_id": f"{{{what}}}", "description": "mine now"}),
        ("PUT", STREAMS, {"stream_id": f"{{{what}}}", "delivery": {"method": POLL}}),
        ("DELETE", named(STREAMS, what), None),
        ("GET", named(STATUS, what), None),
        ("POST", STATUS, {"stream_id": f"{{{what}}}", "status": "disabled"}),
        ("POST", VERIFY, {"stream_id": f"{{{what}}}"}),
        ("POST", ADD, {"stream_id": f"{{{what}}}", "subject": ANN}),
        ("POST", REMOVE, {"stream_id": f"{{{what}}}", "subject": ANN}),
        ("POST", f"poll/{{{what}}}", {"returnImmediately": True}),
    )
]
BROKEN: list[Row] = [
    (f"{what} {method} {path}", "own", method, path, body, 400)
    for what, body in (
        ("no JSON", b"{"),
        ("nothing", b""),
        ("a list", b"[]"),
        ("not UTF-8", b"\xff\xfe"),
        ("twice", b'{"stream_id": "a", "stream_id": "b"}'),
        ("deep", b'{"stream_id":' + b"[" * 200 + b"]" * 200 + b"}"),
        ("NaN", b'{"stream_id": NaN}'),
    )
    for method, path in (
        ("POST", STREAMS),
        ("PATCH", STREAMS),
        ("PUT", STREAMS),
        ("POST", STATUS),
        ("POST", VERIFY),
        ("POST", ADD),
        ("POST", REMOVE),
        ("POST", "poll/{poll}"),
    )
]
MADE: list[Row] = [
    ("nothing said: poll", "own", "POST", STREAMS, {}, 201),
    ("poll", "own", "POST", STREAMS, {"delivery": {"method": POLL}, "description": "one"}, 201),
    ("events nobody knows", "own", "POST", STREAMS, {"events_requested": ["urn:x:unknown"]}, 201),
    ("members nobody knows", "own", "POST", STREAMS, {"aud": "me", "stream_id": "mine", "x": 1}, 201),
    ("no address", "own", "POST", STREAMS, {"delivery": {"method": PUSH}}, 400),
    ("an empty address", "own", "POST", STREAMS, push(""), 400),
    ("not an address", "own", "POST", STREAMS, push("receiver"), 400),
    ("another scheme", "own", "POST", STREAMS, push("ftp://receiver.example/"), 400),
    ("no encryption", "own", "POST", STREAMS, push("http://receiver.example/"), 400),
    ("a file", "own", "POST", STREAMS, push("file:///etc/passwd"), 400),
    ("credentials in it", "own", "POST", STREAMS, push("https://a:b@receiver.example/"), 400),
    ("a private address", "own", "POST", STREAMS, push("https://10.0.0.1/"), 400),
    ("the cloud's metadata", "own", "POST", STREAMS, push("https://169.254.169.254/latest"), 400),
    ("too long an address", "own", "POST", STREAMS, push("https://receiver.example/" + "x" * 2000), 400),
    (
        "a header of two lines",
        "own",
        "POST",
        STREAMS,
        push("https://r.example/", authorization_header="a\r\nb: c"),
        400,
    ),
    ("a header of no text", "own", "POST", STREAMS, push("https://r.example/", authorization_header=7), 400),
    (
        "too long a header",
        "own",
        "POST",
        STREAMS,
        push("https://r.example/", authorization_header="x" * 4001),
        400,
    ),
    ("an unknown method", "own", "POST", STREAMS, {"delivery": {"method": "urn:ietf:rfc:9999"}}, 400),
    ("a method of no text", "own", "POST", STREAMS, {"delivery": {"method": [POLL]}}, 400),
    ("no method", "own", "POST", STREAMS, {"delivery": {}}, 400),
    ("delivery of no object", "own", "POST", STREAMS, {"delivery": "push"}, 400),
    ("events of no list", "own", "POST", STREAMS, {"events_requested": "all"}, 400),
    ("events of no texts", "own", "POST", STREAMS, {"events_requested": [1]}, 400),
    ("too many events", "own", "POST", STREAMS, {"events_requested": [f"urn:{n}" for n in range(101)]}, 400),
    ("too long a description", "own", "POST", STREAMS, {"description": LONG}, 400),
    ("a description of no text", "own", "POST", STREAMS, {"description": {"en": "x"}}, 400),
    ("NUL in a description", "own", "POST", STREAMS, {"description": "a\x00b"}, 400),
    ("another format", "own", "POST", STREAMS, {"format": "phone"}, 400),
    ("other default subjects", "own", "POST", STREAMS, {"default_subjects": "SOME"}, 400),
]
CHANGED: list[Row] = [
    ("PATCH without stream_id", "own", "PATCH", STREAMS, {"description": "x"}, 400),
    ("PATCH of a number", "own", "PATCH", STREAMS, {"stream_id": 7}, 400),
    ("PATCH the description", "own", "PATCH", STREAMS, {"stream_id": "{push}", "description": "new"}, 200),
    ("PATCH the events", "own", "PATCH", STREAMS, {"stream_id": "{push}", "events_requested": NAMES}, 200),
    ("PATCH iss as it is", "own", "PATCH", STREAMS, {"stream_id": "{push}", "iss": "{iss}"}, 200),
    (
        "PATCH another iss",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "iss": "https://evil.example"},
        400,
    ),
    ("PATCH aud as it is", "own", "PATCH", STREAMS, {"stream_id": "{push}", "aud": "{aud}"}, 200),
    ("PATCH aud in a list", "own", "PATCH", STREAMS, {"stream_id": "{push}", "aud": ["{aud}"]}, 200),
    ("PATCH another aud", "own", "PATCH", STREAMS, {"stream_id": "{push}", "aud": "somebody"}, 400),
    ("PATCH events_supported", "own", "PATCH", STREAMS, {"stream_id": "{push}", "events_supported": []}, 400),
    (
        "PATCH events_supported as they are",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "events_supported": EVERYTHING[::-1]},
        200,
    ),
    (
        "PATCH events_delivered as they were",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "events_delivered": NAMES},
        200,
    ),
    (
        "PATCH events_delivered",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "events_delivered": EVERYTHING},
        400,
    ),
    (
        "PATCH the interval",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "min_verification_interval": 0},
        400,
    ),
    (
        "PATCH the address of poll",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{poll}", "delivery": {"method": POLL, "endpoint_url": "https://x.example/"}},
        400,
    ),
    (
        "PATCH to a private address",
        "own",
        "PATCH",
        STREAMS,
        {"stream_id": "{push}", "delivery": {"method": PUSH, "endpoint_url": "https://192.168.1.1/"}},
        400,
    ),
    ("PUT without delivery", "own", "PUT", STREAMS, {"stream_id": "{poll}"}, 400),
    ("PUT without stream_id", "own", "PUT", STREAMS, {"delivery": {"method": POLL}}, 400),
    (
        "PUT another aud",
        "own",
        "PUT",
        STREAMS,
        {"stream_id": "{poll}", "delivery": {"method": POLL}, "aud": "x"},
        400,
    ),
    (
        "PUT",
        "own",
        "PUT",
        STREAMS,
        {"stream_id": "{poll}", "delivery": {"method": POLL}, "events_requested": EVERYTHING},
        200,
    ),
    ("DELETE without stream_id", "own", "DELETE", STREAMS, None, 400),
    ("status without stream_id", "own", "GET", STATUS, None, 400),
    (
        "status of a word nobody knows",
        "own",
        "POST",
        STATUS,
        {"stream_id": "{push}", "status": "stopped"},
        400,
    ),
    ("status of no text", "own", "POST", STATUS, {"stream_id": "{push}", "status": ["paused"]}, 400),
    ("no status", "own", "POST", STATUS, {"stream_id": "{push}"}, 400),
    (
        "too long a reason",
        "own",
        "POST",
        STATUS,
        {"stream_id": "{push}", "status": "paused", "reason": LONG},
        400,
    ),
    (
        "a reason of no text",
        "own",
        "POST",
        STATUS,
        {"stream_id": "{push}", "status": "paused", "reason": 1},
        400,
    ),
    ("pause", "manager", "GET", STREAMS, None, 200),
    ("paused", "own", "POST", STATUS, {"stream_id": "{push}", "status": "paused", "reason": "lunch"}, 200),
    ("disabled", "own", "POST", STATUS, {"stream_id": "{push}", "status": "disabled"}, 200),
    ("verify a disabled one", "own", "POST", VERIFY, {"stream_id": "{push}"}, 400),
    ("enabled", "own", "POST", STATUS, {"stream_id": "{push}", "status": "enabled"}, 200),
    ("verify", "own", "POST", VERIFY, {"stream_id": "{push}", "state": "abc"}, 204),
    ("verify without state", "own", "POST", VERIFY, {"stream_id": "{push}"}, 204),
    ("verify without stream_id", "own", "POST", VERIFY, {"state": "abc"}, 400),
    ("a state of no text", "own", "POST", VERIFY, {"stream_id": "{push}", "state": 5}, 400),
    ("too long a state", "own", "POST", VERIFY, {"stream_id": "{push}", "state": LONG}, 400),
]
SUBJECTS: list[Row] = [
    ("add by email", "own", "POST", ADD, {"stream_id": "{push}", "subject": ANN}, 200),
    ("add again", "own", "POST", ADD, {"stream_id": "{push}", "subject": ANN, "verified": False}, 200),
    ("remove", "own", "POST", REMOVE, {"stream_id": "{push}", "subject": ANN}, 204),
    ("remove again", "own", "POST", REMOVE, {"stream_id": "{push}", "subject": ANN}, 204),
    ("add one nobody is", "own", "POST", ADD, {"stream_id": "{push}", "subject": {"format": "iss_sub", "iss": "https://x", "sub": "y"}}, 200),
    ("add a phone number", "own", "POST", ADD, {"stream_id": "{push}", "subject": {"format": "phone_number", "phone_number": "+12065550100"}}, 200),
    ("add a complex one", "own", "POST", ADD, {"stream_id": "{push}", "subject": {"format": "complex", "user": ANN, "tenant": {"format": "opaque", "id": "t"}}}, 200),
    ("add aliases", "own", "POST", ADD, {"stream_id": "{push}", "subject": {"format": "aliases", "identifiers": [ANN]}}, 200),
    ("add the stream", "own", "POST", ADD, {"stream_id": "{push}", "subject": {"format": "opaque", "id": "{push}"}}, 200),
    ("remove the stream", "own", "POST", REMOVE, {"stream_id": "{push}", "subject": {"format": "opaque", "id": "{push}"}}, 400),
    ("no subject", "own", "POST", ADD, {"stream_id": "{push}"}, 400),
    ("no stream_id", "own", "POST", ADD, {"subject": ANN}, 400),
    ("verified of no truth", "own", "POST", ADD, {"stream_id": "{push}", "subject": ANN, "verified": "yes"}, 400),
    *(
        (f"subject {subject!r:.60}", "own", "POST", path, {"stream_id": "{push}", "subject": subject}, 400)
        for path in (ADD, REMOVE)
        for subject in (
            "ann", 7, [], {}, {"email": "ann@example.com"}, {"format": "email"}, {"format": "email", "email": ""},
            {"format": "email", "email": ["a"]}, {"format": "iss_sub", "iss": "x"}, {"format": "invented", "x": "y"},
            {"format": ["email"]}, {"format": "complex"}, {"format": "complex", "user": "ann"},
            {"format": "complex", "robot": ANN}, {"format": "complex", "user": {"format": "complex", "user": ANN}},
            {"format": "aliases", "identifiers": []}, {"format": "ip-addresses", "ip-addresses": "10.0.0.1"},
            {"format": "email", "email": "x" * 3000},
        )
    ),
]  # fmt: skip
POLLED: list[Row] = [
    ("poll", "own", "POST", "poll/{poll}", {"returnImmediately": True}, 200),
    ("poll as a reader", "reader", "POST", "poll/{none}", {"returnImmediately": True}, 404),
    ("poll none", "own", "POST", "poll/{poll}", {"maxEvents": 0}, 200),
    ("poll a push stream", "own", "POST", "poll/{push}", {"returnImmediately": True}, 400),
    ("fewer than none", "own", "POST", "poll/{poll}", {"maxEvents": -1}, 400),
    ("half an event", "own", "POST", "poll/{poll}", {"maxEvents": 1.5}, 400),
    ("a yes of no truth", "own", "POST", "poll/{poll}", {"returnImmediately": "yes"}, 400),
    ("ack of no list", "own", "POST", "poll/{poll}", {"returnImmediately": True, "ack": "a"}, 400),
    ("ack of no texts", "own", "POST", "poll/{poll}", {"returnImmediately": True, "ack": [1]}, 400),
    (
        "ack of what never was",
        "own",
        "POST",
        "poll/{poll}",
        {"returnImmediately": True, "ack": ["never"]},
        200,
    ),
    ("too many acks", "own", "POST", "poll/{poll}", {"ack": [str(n) for n in range(1001)]}, 400),
    ("errors of no object", "own", "POST", "poll/{poll}", {"returnImmediately": True, "setErrs": []}, 400),
    (
        "an error of no err",
        "own",
        "POST",
        "poll/{poll}",
        {"returnImmediately": True, "setErrs": {"a": {}}},
        400,
    ),
    (
        "an error of no text",
        "own",
        "POST",
        "poll/{poll}",
        {"returnImmediately": True, "setErrs": {"a": {"err": 1}}},
        400,
    ),
    (
        "errors about nothing",
        "own",
        "POST",
        "poll/{poll}",
        {"returnImmediately": True, "setErrs": {"a": {"err": "x"}}},
        200,
    ),
    ("GET poll", "own", "GET", "poll/{poll}", None, 405),
    ("PUT status", "own", "PUT", STATUS, {}, 405),
    ("GET verify", "own", "GET", VERIFY, None, 405),
    ("DELETE subjects", "own", "DELETE", ADD, None, 405),
    ("nowhere", "own", "GET", "nowhere", None, 404),
]
ROWS = [*WHO, *UNKNOWN, *BROKEN, *MADE, *CHANGED, *SUBJECTS, *POLLED]
