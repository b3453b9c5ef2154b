"""The table of legal moves as a picture, so that the documentation cannot disagree with it."""

from __future__ import annotations

from jobs.job import NEXT, JobState


def mermaid() -> str:
    """Return `NEXT` as the text of a Mermaid stateDiagram-v2, without the code fence."""
    lines = ["stateDiagram-v2", f"    [*] --> {JobState.QUEUED}"]
    for state, targets in NEXT.items():
        lines += [f"    {state} --> {target}" for target in JobState if target in targets]
        if not targets:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"
