"""DICOM over TLS: one context for those who call us, one for each peer that we call.

BCP 195 (RFC 8996, RFC 9325) as PS3.15 B.12 asks for it: TLS 1.2 at least, 1.3 where the peer can,
and of TLS 1.2 only suites with ephemeral keys and authenticated encryption (RFC 9325 4.2). No
renegotiation, no compression, no tickets: who is asked for a certificate is asked each time.

Files may be replaced while the node runs. Each handshake looks whether they have changed; what was
negotiated before goes on. New files that do not work are said in the log, and the old ones stay.
"""

from __future__ import annotations

import logging
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dicom_node.certificates import UnusableCertificate
from dicom_node.tls_alerts import AlertingContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)

SUITES_OF_TLS_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"
"""As OpenSSL names them; level 2 asks for keys of 112 bits of security, RSA 2048 or more."""

_END = "-----END CERTIFICATE-----"
_Marks: TypeAlias = "tuple[tuple[int, int, int] | None, ...]"


@dataclass(frozen=True)
class ServerFiles:
    """What the node shows, and whom it asks for a certificate. All files in PEM form."""

    certificate: Path
    """Ours, and after it those between it and the authority."""
    key: Path
    authorities: Path | None = None
    """Who vouches for clients: authorities, or the certificates of clients themselves. Without it
    no client is asked for a certificate."""
    required: bool = True
    """Clients without a certificate are refused; else it is asked for, and the rules decide."""
    key_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ClientFiles:
    """Whom we believe when we call a peer, and what we show. All files in PEM form."""

    authorities: Path | None = None
    """Who vouches for the peer, or its certificate itself; without it the system's authorities."""
    certificate: Path | None = None
    """Ours, if the peer asks for one."""
    key: Path | None = None
    server_name: str | None = None
    """The name that its certificate has, if it is not the host that we call."""
    check_name: bool = True
    """Its certificate must have that name; else one of the authorities is enough."""
    key_password: str | None = field(default=None, repr=False)


def server_context(files: ServerFiles) -> ssl.SSLContext:
    """Return a context for any server that reads its files again when they change.

    The context that is returned holds the first files. At each client hello the current ones take
    its place, so nobody has to know: OpenSSL asks for them where it asks for a server's name.

    Raises:
        UnusableCertificate: the files are not there, or do not belong together.

    """
    return _Reloaded(files).first


class ClientContext(ssl.SSLContext):
    """A context for one call, which remembers why it failed: pynetdicom does not tell."""

    trouble: str = ""
    """What OpenSSL said; empty while all is well."""


class _TellingSocket(ssl.SSLSocket):
    """Writes down in its context why TLS broke."""

    def do_handshake(self, block: bool = False) -> None:
        with self._told():
            super().do_handshake(block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read; a server of TLS 1.3 says here that it wants a certificate."""
        with self._told():
            return super().recv(buflen, flags)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            self._tell(error.verify_message)
            raise
        except ssl.SSLEOFError:
            raise  # it went away, with or without TLS
        except ssl.SSLError as error:
            self._tell((error.reason or "no reason").lower().replace("_", " "))
            raise

    def _tell(self, trouble: str) -> None:
        if isinstance(self.context, ClientContext):
            self.context.trouble = trouble


def client_context(files: ClientFiles) -> ClientContext:
    """Return a context for one call; raises `UnusableCertificate`."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _TellingSocket
    _strengthen(context)
    context.check_hostname = files.check_name
    if files.authorities is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_authorities(context, files.authorities)
    if files.certificate is not None:
        _load_own(context, files.certificate, files.key or files.certificate, files.key_password)
    return context


class _Reloaded:
    """The current context of a server, and the marks of the files that it was made from."""

    def __init__(self, files: ServerFiles) -> None:
        self._files = files
        self._marks = self._seen()
        self._lock = threading.Lock()
        self.first = self._current = _made(files)
        self.first.sni_callback = self._choose

    def _choose(
        self, handshake: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext
    ) -> None:
        """Put the current files into a handshake that begins (ssl.SSLContext.sni_callback)."""
        with self._lock:
            self._look()
            current = self._current
        handshake.context = current

    def _look(self) -> None:
        marks = self._seen()
        if marks == self._marks:
            return
        self._marks = marks  # files that do not work are tried once, and again when they change
        try:
            self._current = _made(self._files)
        except UnusableCertificate as error:
            told = {"event": "tls_files_unusable", "code": error.code}
            _LOG.warning("TLS files changed and do not work, the old stay: %s", error, extra=told)
        else:
            _LOG.info("TLS files changed and are in use", extra={"event": "tls_files_reloaded"})

    def _seen(self) -> _Marks:
        files = self._files
        return tuple(_mark(path) for path in (files.certificate, files.key, files.authorities))


def _made(files: ServerFiles) -> ssl.SSLContext:
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    _strengthen(context)
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    if files.authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED if files.required else ssl.CERT_OPTIONAL
        _load_authorities(context, files.authorities)
        _trust_ourselves(context, files.certificate)
    _load_own(context, files.certificate, files.key, files.key_password)
    return context


def _trust_ourselves(context: ssl.SSLContext, certificate: Path) -> None:
    """Believe who shows our own certificate: a health check of this host can prove itself so.

    Ours alone, not those up to its authority: they would vouch for others.
    """
    try:
        own, end, _rest = certificate.read_text(encoding="ascii").partition(_END)
        context.load_verify_locations(cadata=own + end + "\n")
    except (OSError, ValueError, ssl.SSLError):
        raise UnusableCertificate(f"{certificate} holds no certificate in PEM form") from None


def _strengthen(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES_OF_TLS_1_2)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # So that a file of authorities may also hold the very certificate of a device.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise UnusableCertificate(f"{path} holds no certificate in PEM form") from None
    except OSError as error:
        raise UnusableCertificate(f"{path} cannot be read: {error.strerror}") from None


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path, password: str | None) -> None:
    for path in (certificate, key):
        if _mark(path) is None:
            raise UnusableCertificate(f"{path} cannot be read: it is not there, or not for us")
    try:
        # A password is always given: without one OpenSSL would ask for it at the terminal.
        context.load_cert_chain(certificate, key, password or "")
    except ssl.SSLError:
        text = "are no certificate with its key in PEM form, or the key's password is another"
        raise UnusableCertificate(f"{certificate} and {key} {text}") from None
    except OSError as error:
        raise UnusableCertificate(f"{certificate} or {key}: {error.strerror}") from None


def _mark(path: Path | None) -> tuple[int, int, int] | None:
    """Return what changes with a file's content; None where there is none."""
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
