"""`osteon send` and `osteon echo`: try the way to and from a DICOM peer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json, stop

if TYPE_CHECKING:
    from dicom_node.peer import Peer

_Peer = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="AE@HOST:PORT|NAME",
        help="The peer, or the name of a destination of the settings; this node if not given.",
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Write the outcome as JSON to stdout.")]
_Calling = Annotated[str, typer.Option("--from", metavar="AE", help="Our own AE title.")]


def echo(
    context: typer.Context, to: _Peer = "", calling: _Calling = "OSTEON", as_json: _AsJson = False
) -> None:
    """Ask a DICOM peer whether it answers (C-ECHO)."""
    from dicom_node import send as scu  # noqa: PLC0415
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415

    peer = _peer(context, to, calling)
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

    peer = _peer(context, to, calling)
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


def _peer(context: typer.Context, to: str, calling: str) -> "Peer":
    """Return whom to call, over TLS where the settings say so."""
    from dicom_node.send import Peer  # noqa: PLC0415
    from service.node_access import client_files, own_files  # noqa: PLC0415

    if "@" in to:
        return Peer(*_address(to), calling_ae_title=calling)
    settings = invocation(context).settings()
    if not to:
        node = settings.node
        return Peer(node.ae_title, node.host, node.port, calling, tls=own_files(node.tls))
    known = {one.name: one for one in settings.destinations}
    if to not in known:
        stop(f"--to {to}: no destination has this name; or write AE@HOST:PORT", Exit.USAGE)
    one = known[to]
    return Peer(one.ae_title, one.host, one.port, calling, tls=client_files(one.tls))


def _address(to: str) -> tuple[str, str, int]:
    title, _, rest = to.partition("@")
    host, colon, port = rest.rpartition(":")
    if not (colon and title and port.isdigit()):
        stop(f"--to {to}: write it as AE@HOST:PORT, as in ORTHANC@127.0.0.1:4242", Exit.USAGE)
    return title, host, int(port)
