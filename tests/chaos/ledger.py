"""The invariant checker, as a program and for tests.

    python -m tests.chaos.ledger --acknowledged FILE --spool DIR --results DIR --database URL
                                 [--orthanc PORT] [--logs DIR] [--canary TEXT ...]

Prints one line for each invariant and every sentence that breaks it; exit status 1 if one does.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.store import JobStore
from tests.acceptance.peers import OrthancAt
from tests.chaos import invariants
from tests.chaos.acknowledged import Acknowledgements
from tests.chaos.vitals import VitalsWatch

NAMES = {
    "I1": "nothing acknowledged is lost",
    "I2": "every study came to its end",
    "I3": "the PACS has each result once",
    "I4": "nothing is left over",
    "I5": "nothing ended or broke by itself",
    "I6": "memory, threads and files are back",
    "I7": "no patient is named",
    "I8": "the audit is whole",
}


@dataclass(frozen=True)
class Scene:
    """Where everything is that the invariants speak of; what is not given is not looked at."""

    acknowledged: Path
    spool: Path
    results: Path
    database: str
    pacs: OrthancAt | None = None
    logs: tuple[Path, ...] = ()
    allowed: tuple[str, ...] = ()
    """Parts of log lines that a test provokes."""
    ended: tuple[str, ...] = ()
    """Processes that ended and were not killed, as the supervisor saw it."""
    vitals: VitalsWatch | None = None
    canaries: tuple[bytes, ...] = ()
    all_delivered: bool = True
    """Whether no study may end otherwise than delivered."""


def check(scene: Scene) -> dict[str, list[str]]:
    """Return what breaks each invariant that was looked at; empty lists where it holds."""
    answers = Acknowledgements(scene.acknowledged).promised()
    with JobStore(scene.database) as store:
        found = {
            "I1": list(invariants.lost(answers, scene.spool)),
            "I2": list(invariants.unfinished(answers, store)),
            "I4": list(invariants.untidy(scene.spool, scene.results, store)),
            "I5": [*scene.ended, *invariants.disturbed(scene.logs, scene.allowed)],
            "I7": list(invariants.leaked(scene.logs, scene.canaries)),
            "I8": list(invariants.broken_audit(store)),
        }
        if scene.all_delivered:
            found["I2"] += invariants.not_delivered(store)
        if scene.pacs is not None:
            found["I3"] = list(invariants.differing(store, scene.results, scene.pacs))
    if scene.vitals is not None:
        found["I6"] = scene.vitals.grown()
    return dict(sorted(found.items()))


def assert_all_hold(scene: Scene) -> None:
    """Fail with every sentence that breaks an invariant."""
    broken = {name: sentences for name, sentences in check(scene).items() if sentences}
    assert not broken, "\n".join(told(broken))


def told(found: Mapping[str, Iterable[str]]) -> list[str]:
    lines = []
    for name, sentences in found.items():
        broken = list(sentences)
        lines.append(f"{name}  {'BROKEN' if broken else 'holds '}  {NAMES[name]}")
        lines += [f"      {sentence}" for sentence in broken]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--acknowledged", type=Path, required=True, help="the sender's ledger")
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--database", required=True, help="sqlite:////... or postgresql://...")
    parser.add_argument("--orthanc", type=int, help="HTTP port of the PACS on this host")
    parser.add_argument("--logs", type=Path, help="folder with the logs of our processes")
    parser.add_argument("--canary", action="append", default=[], help="a patient's name")
    given = parser.parse_args()
    scene = Scene(
        acknowledged=given.acknowledged,
        spool=given.spool,
        results=given.results,
        database=given.database,
        pacs=None if given.orthanc is None else OrthancAt(given.orthanc),
        logs=() if given.logs is None else tuple(sorted(given.logs.glob("*.log"))),
        canaries=tuple(text.encode() for text in given.canary),
        all_delivered=False,
    )
    found = check(scene)
    sys.stdout.write("\n".join(told(found)) + "\n")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
