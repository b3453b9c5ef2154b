"""`osteon send` and `osteon echo`: try the way to and from a DICOM peer."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json, stop

_Peer = Annotated[
    str, typer.Option("--to", metavar="AE@HOST:PORT", help="The peer; this node if not given.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Write the outcome as JSON to stdout.")]
_Calling = Annotated[str, typer.Option("--from", metavar="AE", help="Our own AE title.")]


def echo(
    context: typer.Context, to: _Peer = "", calling: _Calling = "OSTEON", as_json: _AsJson = False
) -> None:
    """Ask a DICOM peer whether it answers (C-ECHO)."""
    from dicom_node import send as scu  # noqa: PLC0415
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415

    peer = scu.Peer(*_address(context, to), calling_ae_title=calling)
    with explained(DicomNodeError):
        scu.echo(peer)
    if as_json:
        print_json({"ae_title": peer.ae_title, "host": peer.host, "port": peer.port, "ok": True})
    else:
        typer.echo(f"{peer.ae_title} at {peer.host}:{peer.port} answers")


def send(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(exists=True, help="A folder of DICOM files.")],
    to: _Peer = "",
    calling: _Calling = "OSTEON",
    as_json: _AsJson = False,
) -> None:
    """Send every DICOM file under a folder to a peer (C-STORE)."""
    from dicom_node import send as scu  # noqa: PLC0415
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415

    peer = scu.Peer(*_address(context, to), calling_ae_title=calling)
    paths = scu.dicom_files(folder)
    if not paths:
        stop(f"there are no DICOM files under {folder}")
    with explained(DicomNodeError):
        outcomes = scu.send(peer, paths)
    taken = sum(outcome.ok for outcome in outcomes)
    if as_json:
        print_json({"sent": taken, "not_sent": len(outcomes) - taken})
    else:
        typer.echo(f"{taken} of {len(outcomes)} objects are at {peer.ae_title}")
    if taken < len(outcomes):
        raise typer.Exit(int(Exit.PARTIAL if taken else Exit.ERROR))


def _address(context: typer.Context, to: str) -> tuple[str, str, int]:
    if not to:
        node = invocation(context).settings().node
        return node.ae_title, node.host, node.port
    title, at, rest = to.partition("@")
    host, colon, port = rest.rpartition(":")
    if not (at and colon and title and port.isdigit()):
        stop(f"--to {to}: write it as AE@HOST:PORT, as in ORTHANC@127.0.0.1:4242", Exit.USAGE)
    return title, host, int(port)
