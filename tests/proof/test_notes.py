"""Notes, checkpoints and signatures: as others make them, and nothing that is nearly one."""

from __future__ import annotations

import base64
import itertools
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from openpim.proof.ed25519 import verified
from openpim.proof.note import Checkpoint, Key, NoteError, chain, endorsement, opened, signed

# RFC 8032 section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


def pair(seed: bytes, name: str = "log.example/one") -> tuple[Ed25519PrivateKey, Key]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private, Key(name, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_rfc(public: str, message: str, signature: str) -> None:
    key, said, mark = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verified(key, said, mark)
    assert not verified(key, said + b"x", mark)
    high = int.from_bytes(mark[32:], "little") + ORDER
    assert not verified(key, said, mark[:32] + high.to_bytes(32, "little"))
    assert not verified(key, said, mark[:-1])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_the_library(seed: bytes, message: bytes, bit: int) -> None:
    private, key = pair(seed)
    mark = private.sign(message)
    assert verified(key.public, message, mark)
    spoilt = bytearray(mark)
    spoilt[bit // 8] ^= 1 << bit % 8
    assert not verified(key.public, message, bytes(spoilt))
    wrong = bytearray(key.public)
    wrong[bit // 16] ^= 1 << bit % 8
    assert verified(bytes(wrong), message, mark) is by_the_library(bytes(wrong), message, mark)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_anything_is_judged_as_the_library_judges(public: bytes, mark: bytes) -> None:
    assert verified(public, b"", mark) is by_the_library(public, b"", mark)


def by_the_library(public: bytes, message: bytes, mark: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(mark, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_the_example_of_the_specification() -> None:
    """The verifier key and the note of the signed-note specification's reference implementation."""
    key = Key.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
        "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    text, by = opened(note, [key])
    assert text.startswith("If you think")
    assert by is key
    assert Key.parse(key.text).public == key.public
    with pytest.raises(NoteError):
        opened(note.replace("answer", "cause"), [key])


def test_a_checkpoint_comes_back() -> None:
    private, key = pair(bytes(32))
    made = Checkpoint(key.name, 12, bytes(range(32)), "2026-11-21T08:00:00.000000Z")
    text, by = opened(signed(made.text, key, private.sign), [pair(b"x" * 32)[1], key])
    assert by is key
    found = Checkpoint.parse(text)
    assert (found.origin, found.size, found.root, found.at) == (made.origin, 12, made.root, made.at)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\n1\nAAAA\ntime x\n", "a\n-1\n{root}\ntime x\n", "a\n1\n{root}\n", "\n1\n{root}\ntime x\n",
        "a\n1\n{root}\ntime x\ntime y\n", "a\n١\n{root}\ntime x\n", "a\n1\n{root}\ntime x", "a\n" + "9" * 5000 + "\n{root}\ntime x\n",
        "a\n1\n!\ntime x\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text.replace("{root}", base64.b64encode(bytes(32)).decode()))


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    for act in (
        lambda: Key.parse(text),
        lambda: opened(text, [pair(bytes(32))[1]]),
        lambda: Checkpoint.parse(text),
    ):
        with pytest.raises(NoteError):
            act()


def test_keys_vouch_for_the_next() -> None:
    pairs = [pair(bytes([number]) * 32) for number in range(4)]
    offered = [(pairs[0][1].text, "")]
    for (private, key), (_, following) in itertools.pairwise(pairs):
        offered.append((following.text, signed(endorsement(following), key, private.sign)))
    assert [key.text for key in chain(pairs[0][1], offered)] == [key.text for _, key in pairs]
    assert [key.text for key in chain(pairs[2][1], offered)] == [key.text for _, key in pairs[2:]]
    stranger = pair(b"z" * 32)
    for wrong in (
        [*offered, (stranger[1].text, "")],
        [*offered, (stranger[1].text, signed(endorsement(stranger[1]), stranger[1], stranger[0].sign))],
        [*offered, (stranger[1].text, offered[-1][1])],
        offered[1:],
        [],
    ):
        with pytest.raises(NoteError):
            chain(pairs[0][1], wrong)


def test_a_signature_is_checked_in_some_milliseconds() -> None:
    private, key = pair(bytes(32))
    mark = private.sign(b"x")
    begun = time.process_time()
    for _ in range(20):
        assert verified(key.public, b"x", mark)
    assert (time.process_time() - begun) / 20 < 0.1
