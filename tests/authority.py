"""Certificate authorities and certificates for tests, made without our own code."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates into a folder; `file` is its own."""

    def __init__(self, folder, name="Test authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        own = _builder(self.name, self.name, self.key, 3650)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(_pem(own.sign(self.key, hashes.SHA256())))

    def issue(self, title, *names, days=365, kind="ec", password=None):
        """Write TITLE.crt and TITLE.key; return both. `names` are DNS names and addresses."""
        key = (
            ec.generate_private_key(ec.SECP256R1())
            if kind == "ec"
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        builder = _builder(subject, self.name, key, days)
        if names:
            alternative = x509.SubjectAlternativeName([_general(name) for name in names])
            builder = builder.add_extension(alternative, critical=False)
        certificate, private = self.folder / f"{title}.crt", self.folder / f"{title}.key"
        certificate.write_bytes(_pem(builder.sign(self.key, hashes.SHA256())))
        private.write_bytes(_key_pem(key, password))
        return certificate, private


def _builder(subject, issuer, key, days):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + timedelta(days=days)) - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _general(name):
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key, password):
    hidden = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password.encode())
    )
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, hidden)
