import os

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No settings of the machine that runs the tests, and an empty working directory."""
    for name in list(os.environ):
        if name.startswith("OSTEON_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
