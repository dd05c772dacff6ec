"""Checks Ed25519 signatures (RFC 8032 section 5.1.7) with the standard library.

Only checking: it handles nothing secret, so what cryptography must never do in Python (take longer for one secret than
for another) does not matter here. The server signs with a library, and tests/proof/test_ed25519.py holds that both
agree. https://www.rfc-editor.org/rfc/rfc8032
"""

from __future__ import annotations

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)

Point = tuple[int, int, int, int]  # x/z, y/z, x*y/z


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(p: Point) -> Point:
    a, b, c = p[0] * p[0] % _P, p[1] * p[1] % _P, 2 * p[2] * p[2] % _P
    h = a + b
    e = h - (p[0] + p[1]) * (p[0] + p[1]) % _P
    g = a - b
    f = c + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _point(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    y = number & (1 << 255) - 1
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _P)


def _bytes(p: Point) -> bytes:
    inverse = pow(p[2], _P - 2, _P)
    x, y = p[0] * inverse % _P, p[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_NEUTRAL: Point = (0, 1, 1, 0)
_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0) or 0
_BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def _sum(first: int, p: Point, second: int, q: Point) -> Point:
    """First * p + second * q, two bits of both at a time."""
    row = [_NEUTRAL, p, _double(p), _add(_double(p), p)]
    table = [row]
    for _ in range(3):
        row = [_add(one, q) for one in row]
        table.append(row)
    found = _NEUTRAL
    for shift in range(254, -2, -2):
        found = _double(_double(found))
        found = _add(found, table[second >> shift & 3][first >> shift & 3])
    return found


def verified(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) of the message was made with the private half of this key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key = _point(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= _ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    minus = (_P - key[0], key[1], 1, _P - key[3])
    return _bytes(_sum(s, _BASE, challenge, minus)) == signature[:32]
