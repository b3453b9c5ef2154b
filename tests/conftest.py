"""Which tests stay in one process where several run them: a file's, and all of the browser's.

`--full` runs the long form of tests that have one (docs/chaos.md).
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling


class TogetherScheduling(LoadFileScheduling):
    """One process for a file's tests; the browser's files share one running system."""

    def _split_scope(self, nodeid: str) -> str:
        browser = "tests/browser/"
        return browser if nodeid.startswith(browser) else super()._split_scope(nodeid)


# Not pytest-xdist's own groups: with pytest 9.2 they do nothing (pytest-xdist issue 1386).
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherScheduling:
    """Schedule `-n` processes."""
    return TogetherScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--full`."""
    parser.addoption("--full", action="store_true", help="the long form of tests that have one")


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long form is asked for."""
    return bool(pytestconfig.getoption("--full"))
