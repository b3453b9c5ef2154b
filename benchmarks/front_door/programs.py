"""The receivers that are compared, and how each is started."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.front_door.association import MAXIMUM_PDU
from benchmarks.front_door.receivers import PROJECT, Receiver, unused_port
from tests.acceptance.peers import ORTHANC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.front_door.receivers import Place

STORESCP = "/usr/bin/storescp"
OSTEON, STOCK, NULL = "Osteon", "pynetdicom", "nothing kept"
STORESCP_ONE, STORESCP_FORK = "storescp", "storescp --fork"
ORTHANC_STOCK, ORTHANC_WIDE = "Orthanc", "Orthanc, 100 threads"


def _osteon(place: Place) -> list[str]:
    """Write settings under which no study is closed: only what receiving costs is measured."""
    most = f"maximum_associations = {place.associations}\n" if place.associations else ""
    tls = ""
    if place.tls:
        tls = f'[node.tls]\ncertificate = "{place.tls.certificate}"\nkey = "{place.tls.key}"\n'
    (place.folder / "osteon.toml").write_text(
        f'data_dir = "{place.images}"\n[node]\nport = {place.port}\n{most}'
        f"free_space_floor_gib = {place.floor_gib}\nquiet_s = 3600\n"
        f"[node.content]\nenabled = false\n{tls}",
        encoding="utf-8",
    )
    return [
        sys.executable,
        "-m",
        "service",
        "--config",
        str(place.folder / "osteon.toml"),
        "node",
    ]


def _storescp(place: Place, *options: str) -> list[str]:
    tls = []
    if place.tls:
        tls = ["+tls", str(place.tls.key), str(place.tls.certificate), "-ic"]
    pdu = ["--max-pdu", str(MAXIMUM_PDU)]
    return [STORESCP, *options, *pdu, *tls, "-od", str(place.images), str(place.port)]


def _orthanc(place: Place, threads: int | None = None) -> list[str]:
    settings: dict[str, object] = {
        "StorageDirectory": str(place.images),
        "IndexDirectory": str(place.images),
        "HttpPort": unused_port(),
        "DicomPort": place.port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "MaximumPduLength": MAXIMUM_PDU,
        "Plugins": [],
    }
    if threads:
        settings["DicomThreadsCount"] = threads
    if place.tls:
        settings |= {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(place.tls.certificate),
            "DicomTlsPrivateKey": str(place.tls.key),
            "DicomTlsTrustedCertificates": str(place.tls.certificate),
            "DicomTlsRemoteCertificateRequired": False,
        }
    path = place.folder / "orthanc.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return [ORTHANC, str(path)]


def _stock(place: Place) -> list[str]:
    command = [sys.executable, "-m", "benchmarks.front_door.stock_pynetdicom", str(place.port)]
    command += [str(place.images), "--maximum-pdu", str(MAXIMUM_PDU)]
    if place.associations:
        command += ["--associations", str(place.associations)]
    if place.tls:
        command += ["--tls", str(place.tls.key), str(place.tls.certificate)]
    return command


def _null(place: Place) -> list[str]:
    return [sys.executable, "-m", "benchmarks.front_door.null_receiver", str(place.port)]


def _said(command: list[str], pattern: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def _commit() -> str:
    return _said(["git", "-C", str(PROJECT), "describe", "--always", "--dirty"], r"(\S+)")


def _dcmtk() -> str:
    return "DCMTK " + _said([STORESCP, "--version"], r"storescp v(\S+)")


def _orthanc_version() -> str:
    return "Orthanc " + _said([ORTHANC, "--version"], r"Orthanc (\S+)")


_ALL = (
    Receiver(OSTEON, _osteon, lambda: f"Osteon {_commit()}", called="OSTEON"),
    Receiver(STORESCP_ONE, _storescp, _dcmtk),
    Receiver(STORESCP_FORK, lambda place: _storescp(place, "--fork"), _dcmtk),
    Receiver(ORTHANC_STOCK, _orthanc, _orthanc_version),
    Receiver(ORTHANC_WIDE, lambda place: _orthanc(place, 100), _orthanc_version),
    Receiver(STOCK, _stock, lambda: f"pynetdicom {version('pynetdicom')}"),
    Receiver(NULL, _null, lambda: "answers only"),
)
RECEIVERS: Mapping[str, Receiver] = {receiver.name: receiver for receiver in _ALL}
