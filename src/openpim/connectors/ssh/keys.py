"""Names and public keys as OpenSSH takes them: what people send is read strictly and written anew, so that nothing of theirs
but the key itself gets into a certificate."""

from __future__ import annotations

import re
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.ssh import load_ssh_public_key

from openpim.ports.connector import BadNameError

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

SHORTEST_RSA: Final = 3072
_LONGEST_KEY: Final = 4096  # characters of a line
_TYPES: Final = frozenset(
    {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}
)
# sshd compares principals byte by byte; a file of principals has one a line, with options before a space.
_PRINCIPAL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:@/+-]{0,127}")
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+#-]{0,253}")


def check_principal(name: str) -> str:
    if not _PRINCIPAL.fullmatch(name):
        raise BadNameError(
            "a principal is letters, digits and . _ : @ / + - (ASCII, at most 128), and begins with a letter, a digit or _"
        )
    return name


def check_subject(name: str) -> str:
    """The name that stands in the certificate's key id, and so in the logs of hosts."""
    if not _SUBJECT.fullmatch(name):
        raise BadNameError(
            "a name in a certificate is letters, digits and . _ @ + # - (ASCII), and begins with a letter, a digit or _"
        )
    return name


def read_public_key(line: str) -> PublicKey:
    """Of one line as in id_ed25519.pub. Raises BadNameError."""
    text = line.strip(" \t\r\n")
    if len(text) > _LONGEST_KEY:
        raise BadNameError("publicKey is too long for a public key")
    if not text.isprintable():
        raise BadNameError("publicKey must be one line, as in ~/.ssh/id_ed25519.pub")
    kind, _, rest = text.partition(" ")
    if "-cert-" in kind:
        raise BadNameError("publicKey is a certificate: send the plain public key")
    if kind not in _TYPES:
        raise BadNameError(
            "publicKey must begin with ssh-ed25519, ecdsa-sha2-nistp256, -384, -521 or ssh-rsa, without options before it"
        )
    try:
        key = load_ssh_public_key(f"{kind} {rest.split(' ')[0]}".encode("ascii"))
    except (ValueError, UnicodeError, UnsupportedAlgorithm) as error:
        raise BadNameError("publicKey cannot be read: send the whole line of the .pub file") from error
    if isinstance(key, RSAPublicKey):
        if key.key_size < SHORTEST_RSA or key.public_numbers().e < 65537:
            raise BadNameError(f"an RSA key needs {SHORTEST_RSA} bits or more; better: ssh-keygen -t ed25519")
        return key
    if isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
        return key
    raise BadNameError("this kind of key is not taken; make one with: ssh-keygen -t ed25519")


def line_of(key: PublicKey) -> str:
    """`type base64`, without a comment."""
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
