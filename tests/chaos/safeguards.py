"""The table of safeguards: how each is taken away, and the test that then fails.

    python -m tests.chaos.safeguards [NAME ...]      (`make safeguards`)

The tree that git knows is copied, one safeguard after another is taken out of the copy by a
replacement of its text, and its test is run there. A test that passes is a hole. CI proves that
every text still stands where it says and every test exists (`test_safeguards.py`), so that the
table cannot rot; the runs themselves take a few minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.safeguard_table import SAFEGUARDS, Safeguard
from tests.model_server import PROJECT

_LIMIT_S = 300
_FAILED = 1  # of pytest: tests ran, and one failed
_PASSED = 0


@dataclass(frozen=True)
class Verdict:
    """What became of one test without its safeguard."""

    safeguard: Safeguard
    with_it: int
    without_it: int

    @property
    def shown(self) -> bool:
        return (self.with_it, self.without_it) == (_PASSED, _FAILED)

    def line(self) -> str:
        words = "the test fails" if self.shown else "NOT SHOWN"
        return f"{self.safeguard.name:<44} {words:<15} {self.safeguard.test}"


def copy_of_the_tree(place: Path) -> Path:
    """Copy every file that git tracks, as it is now."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout
    subprocess.run(
        ["tar", "--null", "--files-from=-", "--ignore-failed-read", "-cf", place / "tree.tar"],
        cwd=PROJECT,
        input=names,
        check=True,
        text=True,
        capture_output=True,
    )
    tree = place / "tree"
    tree.mkdir()
    subprocess.run(["tar", "-xf", place / "tree.tar"], cwd=tree, check=True)
    return tree


def judge(safeguard: Safeguard, tree: Path) -> Verdict:
    """Run the test with the safeguard and without it."""
    path = tree / safeguard.path
    whole = path.read_text(encoding="utf-8")
    with_it = run_test(safeguard.test, tree)
    path.write_text(safeguard.taken_out(whole), encoding="utf-8")
    try:
        return Verdict(safeguard, with_it, run_test(safeguard.test, tree))
    finally:
        path.write_text(whole, encoding="utf-8")


def run_test(test: str, tree: Path) -> int:
    """Return pytest's exit status; that of a failure where it takes too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return _FAILED
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these safeguards")
    wanted = parser.parse_args().names
    chosen = [s for s in SAFEGUARDS if not wanted or s.name in wanted]
    holes = 0
    with tempfile.TemporaryDirectory(prefix="safeguards-") as place:
        tree = copy_of_the_tree(Path(place))
        for safeguard in chosen:
            verdict = judge(safeguard, tree)
            holes += not verdict.shown
            sys.stdout.write(verdict.line() + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - holes} of {len(chosen)} safeguards are shown by a test\n")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
