"""Certificates: what a peer's says of it, and until when ours are valid."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicom_node.errors import DicomNodeError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

DIGEST = "sha256:"


class UnusableCertificate(DicomNodeError):  # noqa: N818 - this names the condition
    """A certificate, key or list of authorities that TLS cannot work with."""

    code = "UNUSABLE_CERTIFICATE"


@dataclass(frozen=True)
class PeerCertificate:
    """A certificate that a peer showed and that one of our authorities vouches for."""

    names: frozenset[str]
    """Lower case: DNS names, URIs and IP addresses of the subject alternative name (RFC 5280
    4.2.1.6), and the common names of the subject."""
    sha256: str
    """Of the DER bytes, in hex."""

    def is_one_of(self, accepted: tuple[str, ...]) -> bool:
        """Tell whether one of these names, or `sha256:` and a digest, is this certificate's."""
        wanted = {name.lower() for name in accepted}
        return not wanted.isdisjoint(self.names | {f"{DIGEST}{self.sha256}"})


def peer_certificate(tls: ssl.SSLObject | ssl.SSLSocket) -> PeerCertificate | None:
    """Return what the other end of a finished handshake showed; None: no proven certificate."""
    told, encoded = tls.getpeercert(), tls.getpeercert(binary_form=True)
    if not told or not encoded:  # an empty dictionary: shown, and not asked to be proven
        return None
    return PeerCertificate(_names(told), hashlib.sha256(encoded).hexdigest())


def _names(told: Mapping[str, Any]) -> frozenset[str]:
    """Return the names in the form of `ssl.SSLSocket.getpeercert`."""
    alternative = {str(value).lower() for _kind, value in told.get("subjectAltName", ())}
    relative = (pair for rdn in told.get("subject", ()) for pair in rdn)
    common = {str(value).lower() for key, value in relative if key == "commonName"}
    return frozenset(alternative | common)


def valid_until(path: Path) -> datetime:
    """Return when the first of the certificates in a PEM file to end ends, UTC.

    A chain is no longer good once one of its certificates has ended. Raises
    `UnusableCertificate`.
    """
    from cryptography import x509  # noqa: PLC0415 - takes time to load, and not all who come need it

    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise UnusableCertificate(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UnusableCertificate(f"{path} holds no certificate in PEM form") from None
    return min(certificate.not_valid_after_utc for certificate in chain)
