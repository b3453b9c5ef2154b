from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from jobs.job import JobState
from tests.acceptance.peers import missing_peers
from tests.browser import scenes
from tests.browser.chromium import CHROMIUM, Watch, chromium
from tests.browser.scenes import Study
from tests.browser.system import System, running_system

_NUMBERS = count(3)
SCREEN = {"width": 1440, "height": 900}


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Node, worker, api and a PACS; they end with the last test of this folder."""
    missing = [*missing_peers(), *([] if Path(CHROMIUM).exists() else [CHROMIUM])]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; run tests/install_peers.sh")
    with running_system(tmp_path_factory.mktemp("console")) as started:
        yield started


@pytest.fixture(scope="package")
def visits():
    """One synthetic person, scanned twice; many identities may be scanned with these."""
    return scenes.acquisitions()


@pytest.fixture(scope="package")
def baseline(system: System, visits, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A delivered study without an earlier one."""
    identity = scenes.person(1, "20250115")
    study = scenes.write(visits[0], tmp_path_factory.mktemp("baseline"), identity)
    system.send(study.folder)
    system.fate(study.uid, JobState.DELIVERED)
    return study


@pytest.fixture(scope="package")
def follow_up(
    system: System, visits, baseline: Study, tmp_path_factory: pytest.TempPathFactory
) -> Study:
    """A delivered study of the same person, compared with `baseline`."""
    identity = replace(baseline.identity, accession_number="ZFACC1 0415", study_date="20250415")
    study = scenes.write(visits[1], tmp_path_factory.mktemp("follow_up"), identity)
    system.send(study.folder)
    system.fate(study.uid, JobState.DELIVERED)
    return study


@pytest.fixture(scope="package")
def rejected(system: System, visits, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of one b-value, rejected with a reason for each series."""
    folder = tmp_path_factory.mktemp("rejected")
    study = scenes.write_with_one_b_value(visits[0], folder, scenes.person(2))
    system.send(study.folder)
    system.fate(study.uid, JobState.REJECTED)
    return study


@pytest.fixture
def failed(system: System, visits, baseline: Study, tmp_path: Path) -> Study:
    """A study that failed for want of a folder, which is there again: another try succeeds."""
    system.fate(baseline.uid, JobState.DELIVERED)  # there are results
    study = scenes.write(visits[0], tmp_path / "failed", scenes.person(next(_NUMBERS)))
    with system.results_away():
        system.send(study.folder)
        system.fate(study.uid, JobState.FAILED)
    return study


@pytest.fixture
def unsent(visits, tmp_path: Path) -> Study:
    """A study that a test sends itself, to watch it."""
    return scenes.write(visits[0], tmp_path / "unsent", scenes.person(next(_NUMBERS)))


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    # Of a module: Playwright keeps an event loop in this thread, which other tests must not meet.
    with chromium() as browser:
        yield browser


@pytest.fixture
def watch(system: System) -> Watch:
    return Watch(system.address)


@pytest.fixture
def context(chrome: Browser, system: System, watch: Watch) -> Iterator[BrowserContext]:
    """A browser of its own for each test; at its end the watch must have seen no fault."""
    opened = chrome.new_context(base_url=system.address, viewport=SCREEN, color_scheme="light")
    watch.follow(opened)
    yield opened
    opened.close()
    assert not watch.faults, watch.faults


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that is watched; addresses may be given as paths: `page.goto("/")`."""
    return context.new_page()
