"""pynetdicom as its examples show it, as a program: a port and a folder.

`python -m benchmarks.front_door.stock_pynetdicom PORT FOLDER`.

The handler is the one of pynetdicom's documentation that writes the bytes it got without decoding
them, under the name that the request gives. Only Nagle's algorithm is switched off, as everywhere.
"""

from __future__ import annotations

import argparse
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from pynetdicom import AE, AllStoragePresentationContexts, evt

if TYPE_CHECKING:
    from pynetdicom.events import Event

from benchmarks.front_door.dimse import VERIFICATION


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--associations", type=int, help="in place of the library's own limit")
    parser.add_argument("--maximum-pdu", type=int)
    parser.add_argument("--tls", nargs=2, metavar=("KEY", "CERTIFICATE"))
    asked = parser.parse_args()
    entity = AE(ae_title="STOCK")
    entity.supported_contexts = AllStoragePresentationContexts
    entity.add_supported_context(VERIFICATION)
    if asked.associations:
        entity.maximum_associations = asked.associations
    if asked.maximum_pdu:
        entity.maximum_pdu_size = asked.maximum_pdu
    context = None
    if asked.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.tls[1], asked.tls[0])
    handlers = [(evt.EVT_C_STORE, _store, [asked.folder]), (evt.EVT_CONN_OPEN, _no_delay)]
    entity.start_server(("127.0.0.1", asked.port), ssl_context=context, evt_handlers=handlers)


def _store(event: Event, folder: Path) -> int:
    with (folder / event.request.AffectedSOPInstanceUID).open("wb") as file:
        file.write(event.encoded_dataset())
    return 0x0000


def _no_delay(event: Event) -> None:
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


if __name__ == "__main__":
    main()
