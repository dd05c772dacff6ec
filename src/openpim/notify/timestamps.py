"""RFC 3161 time-stamps, by a library: requests, and whether an answer is the time-stamp of what was asked.

Who signed it is for whoever relies on it to judge, with the authority's certificate: `openssl ts -verify`.
"""

from __future__ import annotations

from openpim.ports.witness import WitnessError


class Rfc3161:
    """See ports/witness.py."""

    def request(self, data: bytes) -> bytes:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - few need it

        builder = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
        return builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()

    def opened(self, request: bytes, answer: bytes) -> bytes:
        from rfc3161_client import PKIStatus, decode_timestamp_response  # noqa: PLC0415

        try:
            found = decode_timestamp_response(answer)
            granted = PKIStatus(found.status) in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}
            info = found.tst_info if granted else None
        except (ValueError, TypeError, AttributeError) as error:
            raise WitnessError("the answer is no time-stamp") from error
        if info is None:
            raise WitnessError(f"the authority did not grant a time-stamp: {found.status_string}")
        imprint = bytes(info.message_imprint.message)
        # The request holds the hash and the nonce; the answer must hold the same.
        if not imprint or imprint not in request:
            raise WitnessError("the time-stamp answers another request")
        nonce: int | None = info.nonce
        if nonce is None or nonce.to_bytes(nonce.bit_length() // 8 + 1, "big").lstrip(b"\x00") not in request:
            raise WitnessError("the time-stamp answers another request")
        return answer
