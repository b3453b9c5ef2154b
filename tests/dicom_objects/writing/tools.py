"""Independent programs that judge or read what was written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def tool(name):
    found = shutil.which(name) or shutil.which(name, path=str(BIN))
    if not found:
        pytest.fail(f"{name} is not installed; run tests/install_peers.sh and make install")
    return found


def run(*command):
    # They print names in the character set of the object.
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=120
    )


def iod_errors(path):
    """What dciodvfy, of David Clunie's dicom3tools, finds wrong."""
    done = run(tool("dciodvfy"), "-new", path)
    assert done.stderr, "dciodvfy said nothing"
    return [line for line in done.stderr.splitlines() if line.startswith("Error")]
