"""HTTPS from the first start: a certificate authority of our own and a server certificate, made with `cryptography`.

`ensure_certificates` makes what is missing in <data_dir>/tls and renews what would expire soon. The authority's key
signs nothing but this server's certificate (it is name-constrained to the server's own names), so trusting ca.pem
trusts nobody for any other host. Real certificates replace all this by two settings (see `own_certificates`).
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=397)  # the longest that browsers take
_RENEW_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)  # clocks differ


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """authority: the file clients must trust; None where the certificate is somebody else's."""

    certificate: Path
    key: Path
    authority: Path | None


def own_certificates(certificate: Path, key: Path) -> TlsFiles:
    """The operator's certificate chain and key (PEM). Raises ValueError with what is wrong about them."""
    for file, name in ((certificate, "certificate"), (key, "key")):
        if not file.is_file():
            raise ValueError(f"the TLS {name} {file} is not there")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"{certificate} and {key} are not a certificate and its key: {error}") from error
    return TlsFiles(certificate, key, None)


def ensure_certificates(folder: Path, names: Sequence[str], now: datetime) -> TlsFiles:
    """Make or renew what is needed. names: DNS names and IP addresses that clients may write. Safe to call at every
    start and daily; a renewed server certificate comes from the same authority, so clients notice nothing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = TlsFiles(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    authority_file, authority_key_file = folder / "ca.pem", folder / "ca.key"
    wanted = sorted({name.strip("[]").lower() for name in names})
    authority = _load(authority_file, authority_key_file)
    if authority is None or not _good(authority[0], now, wanted, authority=True):
        authority = _make_authority(wanted, now)
        _write_pair(authority_file, authority_key_file, [authority[0]], authority[1])
        (folder / "server.pem").unlink(missing_ok=True)
    server = _load(files.certificate, files.key)
    if server is None or not _good(server[0], now, wanted) or server[0].issuer != authority[0].subject:
        certificate, key = _make_server(authority, wanted, now)
        _write_pair(files.certificate, files.key, [certificate, authority[0]], key)
    return files


_Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _load(certificate: Path, key: Path) -> _Pair | None:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
        return None
    return found, private


def _good(certificate: x509.Certificate, now: datetime, names: list[str], *, authority: bool = False) -> bool:
    if now + _RENEW_BEFORE >= certificate.not_valid_after_utc or now < certificate.not_valid_before_utc:
        return False
    if authority:
        limits = (
            certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
            or []
        )
        return {_constraint_text(one) for one in limits} >= set(names)
    listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    have = {*listed.get_values_for_type(x509.DNSName), *map(str, listed.get_values_for_type(x509.IPAddress))}
    return have == set(names)


def _constraint_text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.IPAddress) and isinstance(
        name.value, ipaddress.IPv4Network | ipaddress.IPv6Network
    ):
        return str(name.value.network_address)
    return str(name.value)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _builder(
    subject: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "OpenPIM"),
            x509.NameAttribute(NameOID.COMMON_NAME, subject[:64]),
        ]
    )
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(issuer or name).public_key(key.public_key())
    )
    return builder.serial_number(x509.random_serial_number())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _make_authority(names: list[str], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    permitted: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_network(name)) if _is_address(name) else x509.DNSName(name)
        for name in names
    ]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # The identifier in the name: an authority made anew never looks like the old one to a client that trusts both.
    builder = (
        _builder(f"OpenPIM local authority {identifier.digest.hex()[:12]}", None, key)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True
        )
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, SHA256()), key


def _make_server(authority: _Pair, names: list[str], now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)
        for name in names
    ]
    end = min(now + _SERVER_LIFE, authority[0].not_valid_after_utc)
    builder = (
        _builder(names[0], authority[0].subject, key)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[1].public_key()), critical=False
        )
    )
    return builder.sign(authority[1], SHA256()), key


def _write_pair(
    certificate: Path, key: Path, chain: list[x509.Certificate], private: ec.EllipticCurvePrivateKey
) -> None:
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(key, pem, 0o600)
    _write(certificate, b"".join(one.public_bytes(Encoding.PEM) for one in chain), 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    """All or nothing: a crash leaves the old file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
