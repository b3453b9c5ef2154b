"""Run the full form of every test of the plan, one after another, and print one table.

    python -m tests.chaos.campaign [--json FILE] [NAME ...]     (`make chaos`)
    python -m tests.chaos.campaign --page [--json FILE]         the table of docs/chaos.md

A failure stops nothing. With `--json` the outcomes are kept; a later run of some names replaces
theirs.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.figures import told_in
from tests.chaos.plan import PLAN, Entry
from tests.model_server import PROJECT

OUTCOMES = PROJECT / "docs/chaos.json"
LOGS = PROJECT / "out/chaos"


@dataclass(frozen=True)
class Outcome:
    """How the full form of one entry went."""

    passed: bool
    seconds: float
    figures: tuple[str, ...]
    on: str
    """The day, ISO 8601."""


def run(entry: Entry, log: Path) -> Outcome:
    """Run the tests of an entry with `--full`; what they say goes to a file."""
    command = [sys.executable, "-m", "pytest", "--full", "-s", "-q", *entry.tests]
    began_s = time.monotonic()
    done = subprocess.run(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log.write_text(done.stdout)
    seconds = round(time.monotonic() - began_s, 1)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return Outcome(done.returncode == 0, seconds, tuple(told_in(done.stdout)), day)


def load(path: Path) -> dict[str, Outcome]:
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Outcome(**{**row, "figures": tuple(row["figures"])}) for name, row in kept.items()
    }


def save(path: Path, outcomes: Mapping[str, Outcome]) -> None:
    rows = {entry.name: asdict(outcomes[entry.name]) for entry in PLAN if entry.name in outcomes}
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def table(outcomes: Mapping[str, Outcome]) -> str:
    """Return the table of docs/chaos.md."""
    head = "| | what | tests | short form, in CI | full form | last full run |\n"
    rows = (_row(entry, outcomes.get(entry.name)) for entry in PLAN)
    return f"{head}{'|---' * 6}|\n{''.join(rows)}"


def _row(entry: Entry, outcome: Outcome | None) -> str:
    tests = ", ".join(f"`{test.removeprefix('tests/')}`" for test in entry.tests)
    return (
        f"| {entry.name} | {entry.what} | {tests} | {entry.short} | {entry.full} "
        f"| {_words(outcome)} |\n"
    )


def _words(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not yet"
    how = "passed" if outcome.passed else "FAILED"
    figures = "".join(f"; {figure}" for figure in outcome.figures)
    return f"{outcome.on}: {how} in {outcome.seconds:.0f} s{figures}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these, as D-1")
    parser.add_argument("--json", type=Path, default=OUTCOMES, help="where outcomes are kept")
    parser.add_argument("--page", action="store_true", help="run nothing, print the page's table")
    parser.add_argument("--logs", type=Path, default=LOGS, help="folder for what tests say")
    given = parser.parse_args()
    outcomes = load(given.json)
    if given.page:
        sys.stdout.write(table(outcomes))
        return 0
    chosen = [entry for entry in PLAN if not given.names or entry.name in given.names]
    return _run_all(chosen, outcomes, given.json, given.logs)


def _run_all(chosen: Sequence[Entry], outcomes: dict[str, Outcome], kept: Path, logs: Path) -> int:
    logs.mkdir(parents=True, exist_ok=True)
    for entry in chosen:
        outcome = run(entry, logs / f"{entry.name.replace(' ', '_')}.log")
        outcomes[entry.name] = outcome
        save(kept, outcomes)
        sys.stdout.write(f"{entry.name:<16} {_words(outcome)}\n")
        sys.stdout.flush()
    failed = [entry.name for entry in chosen if not outcomes[entry.name].passed]
    sys.stdout.write(f"{len(chosen) - len(failed)} of {len(chosen)} passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
