"""What one bad peer, a power cut and a full disk do to this node, storescp, Orthanc, pynetdicom.

`python -m benchmarks.abuse [--json FINDINGS] [--page docs/receiving.md]`

Each receiver runs as its package delivers it, and gets the same from one script. The two that need
a disk of their own need root. Rows that mostly wait try all receivers at once.
"""

from __future__ import annotations

import argparse
import json
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.front_door import disks, excess, names, silence
from benchmarks.front_door.finding import Bench
from benchmarks.front_door.images import make_images
from benchmarks.front_door.programs import NULL, ORTHANC_WIDE, RECEIVERS
from benchmarks.front_door.receivers import Certificate
from benchmarks.sizing import filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.front_door.finding import Abuse, Finding

ABUSES: tuple[Abuse, ...] = (
    *silence.ABUSES,
    *excess.ABUSES,
    *names.ABUSES,
    *disks.ABUSES,
)
COMPARED = tuple(name for name in RECEIVERS if name not in (NULL, ORTHANC_WIDE))


def main(arguments: Sequence[str] = ()) -> None:
    """Try every row on every receiver, keep each finding, print one table at the end."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no receiver is left behind
    versions = {name: RECEIVERS[name].version() for name in asked.receivers}
    chosen = [abuse for abuse in ABUSES if not asked.only or asked.only in abuse.name]
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="osteon-abuse-", dir=asked.folder) as name:
        folder = Path(name)
        bench = Bench(folder, make_images(), make_certificate(folder))
        for abuse in chosen:
            for finding in _tried(abuse, bench, asked.receivers):
                found.append(finding)
                print(json.dumps(finding.document()), file=sys.stderr, flush=True)
                if asked.json:
                    _keep(asked.json, versions, found)
    table = as_table(found, versions)
    print(table)
    if asked.page:
        page = filled(asked.page.read_text("utf-8"), {"abuse": table})
        asked.page.write_text(page, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("--receivers", nargs="+", choices=COMPARED, default=list(COMPARED))
    parser.add_argument("--only", metavar="WORDS", help="rows whose name has these words")
    parser.add_argument("--json", type=Path, metavar="FINDINGS", help="keep the findings there")
    parser.add_argument("--page", type=Path, help="write the table between the marks of this page")
    parser.add_argument("--folder", type=Path, help="where receivers keep what they get")
    return parser


def _tried(abuse: Abuse, bench: Bench, receivers: Sequence[str]) -> Iterator[Finding]:
    with ThreadPoolExecutor(len(receivers) if abuse.waits else 1) as pool:
        yield from pool.map(lambda name: abuse.on(RECEIVERS[name], bench), receivers)


def make_certificate(folder: Path) -> Certificate:
    """Make a key and a certificate of its own for this machine."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certificate)
    return Certificate(key, certificate, client)


def as_table(found: Sequence[Finding], versions: Mapping[str, str]) -> str:
    """Return one row an abuse and one column a receiver, in Markdown."""
    cells = {(one.abuse, one.receiver): one.shown for one in found}
    lines = [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}: {', '.join(_named(versions))}.",
        "",
        f"| | passes if | {' | '.join(versions)} |",
        f"|---|---|{'---|' * len(versions)}",
    ]
    for abuse in ABUSES:
        row = [cells.get((abuse.name, name), "-") for name in versions]
        if set(row) != {"-"}:
            lines.append(f"| {abuse.name} | {abuse.passes} | {' | '.join(row)} |")
    return "\n".join(lines)


def _named(versions: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(versions.values()))


def _keep(path: Path, versions: Mapping[str, str], found: Sequence[Finding]) -> None:
    document = {"versions": dict(versions), "findings": [one.document() for one in found]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
