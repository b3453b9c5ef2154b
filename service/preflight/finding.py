"""One line of a preflight: a stable code, whether it is well, and what to do if not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    PROBLEM = "problem"
    SKIPPED = "skipped"
    """It could not be asked, because of another problem or of how Osteon is set up."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    code: str
    verdict: Verdict
    sentence: str

    def line(self) -> str:
        """Return it as deploy/install.sh prints its own."""
        return f"{self.verdict:<8} {self.code:<16} {self.sentence}"


def ok(code: str, sentence: str) -> Finding:
    """Return a check that is well."""
    return Finding(code, Verdict.OK, sentence)


def problem(code: str, sentence: str) -> Finding:
    """Return one that is not; the sentence ends with what to do."""
    return Finding(code, Verdict.PROBLEM, sentence)


def skipped(code: str, sentence: str) -> Finding:
    """Return one that was not asked, and why."""
    return Finding(code, Verdict.SKIPPED, sentence)
