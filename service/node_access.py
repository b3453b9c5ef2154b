"""What the settings say of TLS, as `dicom_node` works with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from dicom_node.tls import ClientFiles
    from service.tls_sections import ClientTlsSection


def client_files(tls: ClientTlsSection | None) -> ClientFiles | None:
    """Return how a destination is called; None: without TLS."""
    if tls is None:
        return None
    from dicom_node.tls import ClientFiles  # noqa: PLC0415

    return ClientFiles(
        authorities=None if tls.authorities is None else tls.authorities.absolute(),
        certificate=None if tls.certificate is None else tls.certificate.absolute(),
        key=None if tls.key is None else tls.key.absolute(),
        server_name=tls.server_name,
        check_name=tls.check_name,
        key_password=_told(tls.key_password),
    )


def _told(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
