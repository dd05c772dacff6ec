"""Our own certificates work with a real TLS client, for every name, and for nobody else's."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from openpim.keyfile import read_or_make_key
from openpim.tls import TlsFiles, ensure_certificates, own_certificates

NAMES = ("localhost", "127.0.0.1", "[::1]")


def now() -> datetime:
    return datetime.now(UTC)


def handshake(files: TlsFiles, name: str, trusted: Path | None = None) -> None:
    """One TLS connection over a socket pair. Raises ssl.SSLError if the client does not like the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=trusted or files.authority)
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(right, server_side=True) as connection:
                connection.recv(1)
        except (ssl.SSLError, OSError):
            pass
        finally:
            right.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(left, server_hostname=name) as connection:
            connection.send(b"x")
    finally:
        left.close()
        thread.join(5)


def test_first_start_and_the_next(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "tls", NAMES, now())
    for name in ("localhost", "127.0.0.1", "::1"):
        handshake(files, name)
    with pytest.raises(ssl.SSLError):
        handshake(files, "evil.example")
    for key in (tmp_path / "tls" / "ca.key", files.key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = files.certificate.read_bytes(), (tmp_path / "tls" / "ca.pem").read_bytes()
    again = ensure_certificates(tmp_path / "tls", NAMES, now() + timedelta(days=100))
    assert (again.certificate.read_bytes(), (tmp_path / "tls" / "ca.pem").read_bytes()) == before


def test_renewal_keeps_the_authority(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, now() - timedelta(days=380))
    authority, certificate = (tmp_path / "ca.pem").read_bytes(), files.certificate.read_bytes()
    files = ensure_certificates(tmp_path, NAMES, now())
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert files.certificate.read_bytes() != certificate
    handshake(files, "localhost")


def test_another_set_of_names(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, NAMES, now())
    authority = (tmp_path / "ca.pem").read_bytes()
    fewer = ensure_certificates(tmp_path, ("localhost",), now())
    assert (tmp_path / "ca.pem").read_bytes() == authority, "the authority may do this already"
    with pytest.raises(ssl.SSLError):
        handshake(fewer, "127.0.0.1")
    more = ensure_certificates(tmp_path, (*NAMES, "pim.example.org"), now())
    handshake(more, "pim.example.org")


def test_the_authority_cannot_speak_for_others(tmp_path: Path) -> None:
    """Whoever steals the authority's key can impersonate this server and no other."""
    from openpim import tls

    files = ensure_certificates(tmp_path, ("localhost",), now())
    authority = tls._load(tmp_path / "ca.pem", tmp_path / "ca.key")
    certificate, key = tls._make_server(authority, ["bank.example"], now())
    forged = TlsFiles(tmp_path / "forged.pem", tmp_path / "forged.key", files.authority)
    tls._write_pair(forged.certificate, forged.key, [certificate, authority[0]], key)
    with pytest.raises(ssl.SSLError):
        handshake(forged, "bank.example")


def test_damaged_files_are_made_anew(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, now())
    files.certificate.write_text("damaged")
    handshake(ensure_certificates(tmp_path, NAMES, now()), "localhost")
    (tmp_path / "ca.key").write_bytes(b"")
    handshake(ensure_certificates(tmp_path, NAMES, now()), "localhost")


def test_certificate_lives_no_longer_than_browsers_take(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, now())
    found = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=398)


def test_the_operators_own_certificates(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, NAMES, now())
    assert own_certificates(files.certificate, files.key).authority is None
    with pytest.raises(ValueError, match="not there"):
        own_certificates(tmp_path / "none.pem", files.key)
    with pytest.raises(ValueError, match="not a certificate and its key"):
        own_certificates(files.certificate, tmp_path / "ca.key")


def test_key_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    made = read_or_make_key(path, lambda count: b"k" * count)
    assert made == b"k" * 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_key(path, lambda count: b"z" * count) == made
    path.chmod(0o644)
    with pytest.raises(ValueError, match="chmod 600"):
        read_or_make_key(path, lambda count: b"z" * count)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        read_or_make_key(path, lambda count: b"z" * count)
