"""What holds on each screen: research use, no patient in title or address, and it is accessible."""

from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import screens
from tests.browser.chromium import Watch
from tests.browser.conftest import SCREEN
from tests.browser.scenes import CANARIES, PICTURE, SCRIPT, Study
from tests.browser.system import System
from tests.browser.told_numbers import pdf_text

pytestmark = pytest.mark.acceptance
AXE = files("axe_playwright_python") / "axe.min.js"
WHERE = "{ exclude: [['#openapi']] }"  # Swagger UI's own, inside our page
RULES = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }"


@pytest.fixture(params=screens.NAMES)
def screen(request: pytest.FixtureRequest, system: System) -> str:
    """The path of a screen; there is something to see on each."""
    studies = {name: request.getfixturevalue(name) for name in ("follow_up", "rejected")}
    return screens.address(request.param, system, studies)


def test_it_opens_without_fault_and_says_research_use_only(page: Page, screen: str) -> None:
    # The watch of the fixture fails the test for console errors, violations and foreign requests.
    answer = page.goto(screen)
    assert answer is not None
    assert answer.status == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    research = page.get_by_test_id("research-use").first
    assert research.is_visible()
    assert "RESEARCH USE ONLY" in research.inner_text()


def test_nothing_of_a_patient_is_in_title_or_address(page: Page, watch: Watch, screen: str) -> None:
    page.goto(screen)
    asked = [*watch.addresses, *watch.titles, page.title(), page.url]
    asked += [link.get_attribute("href") or "" for link in page.locator("a[href]").all()]
    for canary in CANARIES:
        assert not [text for text in asked if canary in text.upper()]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(chrome: Browser, system: System, screen: str, theme: str) -> None:
    context = chrome.new_context(base_url=system.address, viewport=SCREEN, color_scheme=theme)
    context.add_init_script(AXE.read_text())
    try:
        page = context.new_page()
        page.goto(screen)
        found = page.evaluate(f"() => axe.run({WHERE}, {RULES})")
    finally:
        context.close()
    assert len(found["passes"]) > 10  # it looked
    assert [told(violation) for violation in found["violations"]] == []


def told(violation: dict) -> str:
    """Say what is wrong, how badly, and where."""
    where = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where[:5]}"


def test_the_watch_sees_what_it_must_not_miss(page: Page, watch: Watch) -> None:
    page.goto("/")
    page.evaluate("() => fetch('http://192.0.2.1/').catch(() => null)")
    page.evaluate("() => { document.body.innerHTML += '<p style=\"color:red\">x</p>'; }")
    page.evaluate("() => console.error('a fault')")
    seen = " ".join(watch.faults)
    assert "connect-src" in seen
    assert "style-src" in seen
    assert "a fault" in seen
    watch.faults.clear()


def test_markup_in_a_name_is_shown_and_not_obeyed(page: Page, screen: str) -> None:
    page.goto(screen)
    assert page.locator("script", has_text="alert").count() == 0
    assert page.locator("img[src=x], [onerror], main b >> text=0115").count() == 0


def test_a_name_with_markup_stands_on_the_pages_that_name_patients(
    page: Page, baseline: Study
) -> None:
    for path in ("/", screens.study_page(baseline)):
        page.goto(path)
        said = page.locator("main").inner_text()
        assert SCRIPT in said
        assert PICTURE in said


def test_the_report_says_research_use_only(system: System, baseline: Study) -> None:
    job = system.newest(baseline.uid)
    assert "RESEARCH USE ONLY" in pdf_text(system.files(job)["report.pdf"])


def test_no_log_names_a_patient(system: System, page: Page, baseline: Study) -> None:
    page.goto(screens.study_page(baseline))
    logs = "".join(path.read_text() for path in system.service.folder.glob("*.log"))
    job = system.newest(baseline.uid)
    assert job.id in logs  # what is searched is the real thing
    for canary in CANARIES:
        assert canary not in logs.upper()
