"""Why a peer gets no association: what it is told (PS3.8 Table 9-21) and what we log and count.

Whatever is wrong with the caller, its title, its address or its certificate, it hears the same, so
that a stranger cannot find out which titles are known here; the log tells them apart.
"""

from __future__ import annotations

from dicom_node.errors import DicomNodeError

PERMANENT, TRANSIENT = 1, 2
SERVICE_USER, PRESENTATION_PROVIDER = 1, 3
_CALLING_NOT_RECOGNIZED, _CALLED_NOT_RECOGNIZED = 3, 7
_TEMPORARY_CONGESTION, _LOCAL_LIMIT_EXCEEDED = 1, 2


class AssociationRefused(DicomNodeError):  # noqa: N818 - these name the condition
    """An association that is not made; the message holds nothing that the peer wrote."""

    code = "ASSOCIATION_REFUSED"
    label = "other"
    """In metrics (`dicom_node.vitals.AssociationRejected.reason`)."""
    result = PERMANENT
    source = SERVICE_USER
    reason = 1  # no reason given


class CallingAeTitleUnknown(AssociationRefused):
    """No rule names this calling AE title."""

    code = "CALLING_AE_TITLE_UNKNOWN"
    label = "calling_ae_title"
    reason = _CALLING_NOT_RECOGNIZED


class AddressNotAllowed(AssociationRefused):
    """The calling AE title may come in, but not from this address."""

    code = "ADDRESS_NOT_ALLOWED"
    label = "address"
    reason = _CALLING_NOT_RECOGNIZED


class CertificateNotAllowed(AssociationRefused):
    """The calling AE title is bound to a certificate that the peer did not show."""

    code = "CERTIFICATE_NOT_ALLOWED"
    label = "certificate"
    reason = _CALLING_NOT_RECOGNIZED


class OwnCheckRefused(AssociationRefused):
    """A health check of this host that no rule lets in; that it was refused is answer enough."""

    code = "OWN_CHECK_REFUSED"
    label = "own_check"
    reason = _CALLING_NOT_RECOGNIZED


class CalledAeTitleUnknown(AssociationRefused):
    """The peer asked for an application that is not here."""

    code = "CALLED_AE_TITLE_UNKNOWN"
    label = "called_ae_title"
    reason = _CALLED_NOT_RECOGNIZED


class TooManyAssociations(AssociationRefused):
    """As many are open as may be; the peer may come again."""

    code = "TOO_MANY_ASSOCIATIONS"
    label = "too_many"
    result = TRANSIENT
    source = PRESENTATION_PROVIDER
    reason = _LOCAL_LIMIT_EXCEEDED


class Congested(AssociationRefused):
    """There is no room on the disk; the peer may come again."""

    code = "CONGESTED"
    label = "congested"
    result = TRANSIENT
    source = PRESENTATION_PROVIDER
    reason = _TEMPORARY_CONGESTION


class HandshakeFailed(AssociationRefused):
    """TLS did not come about: no TLS at all, too old, no certificate, or one that nobody knows.

    There is no association yet that could be rejected: the connection ends.
    """

    code = "TLS_HANDSHAKE_FAILED"
    label = "tls"


REFUSALS = (
    CallingAeTitleUnknown,
    AddressNotAllowed,
    CertificateNotAllowed,
    OwnCheckRefused,
    CalledAeTitleUnknown,
    TooManyAssociations,
    Congested,
    HandshakeFailed,
)
"""All that there are, as documents and metrics list them."""
