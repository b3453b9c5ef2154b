"""Print what one process needs: the requirements of extras of pyproject.toml, one a line.

    python deploy/requirements.py worker tracing

An image installs these before our own code, so that a change of the code costs a small layer.
"""

# ruff: noqa: INP001 - a script of the image build, not a package

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_OURS = re.compile(r"osteon\[([\w,-]+)\]")


def requirements(*extras: str, pyproject: Path = PYPROJECT) -> list[str]:
    """Return the sorted requirements of `extras` and of every extra of ours that they name.

    Raises:
        KeyError: pyproject.toml lacks one of them.

    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    found = set(project["dependencies"])
    waiting = list(extras)
    while waiting:
        for line in project["optional-dependencies"][waiting.pop()]:
            ours = _OURS.fullmatch(line)
            if ours:
                waiting += ours[1].split(",")
            else:
                found.add(line)
    return sorted(found)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in requirements(*sys.argv[1:])))
