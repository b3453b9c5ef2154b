"""Every file that a study's page offers opens in a program that knows its form."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath

import pydicom
import pytest
import SimpleITK
from PIL import Image
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.browser.scenes import Study
from tests.browser.screens import slices_page, study_page
from tests.browser.system import System

pytestmark = pytest.mark.acceptance


OPENERS: dict[str, Callable[[Path], bool]] = {
    ".dcm": lambda path: bool(pydicom.dcmread(path).StudyInstanceUID),
    ".json": lambda path: bool(json.loads(path.read_text())),
    ".csv": lambda path: len(list(csv.DictReader(io.StringIO(path.read_text())))) > 1,
    ".pdf": lambda path: len(PdfReader(path).pages) == 1,
    ".png": lambda path: picture_size(path) > (50, 50),
    ".webp": lambda path: picture_size(path) > (50, 50),
    ".gz": lambda path: SimpleITK.ReadImage(str(path)).GetNumberOfPixels() > 1000,
    ".npz": lambda path: zipfile.ZipFile(path).testzip() is None,
}


def picture_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def test_every_file_opens(page: Page, system: System, follow_up: Study) -> None:
    page.goto(study_page(follow_up))
    links = page.get_by_test_id("files").get_by_role("link").all()
    hrefs = {link.inner_text(): link.get_attribute("href") or "" for link in links}
    kept = system.files(system.newest(follow_up.uid))
    assert set(hrefs) == set(kept)
    for name, href in hrefs.items():
        answer = page.request.get(href)
        assert answer.ok, name
        assert answer.body() == kept[name].read_bytes(), name
        assert OPENERS[PurePath(name).suffix](kept[name]), name


def test_a_click_saves_the_file_under_its_name(page: Page, follow_up: Study) -> None:
    page.goto(study_page(follow_up))
    with page.expect_download() as downloading:
        page.get_by_role("link", name="report.pdf", exact=True).click()
    assert downloading.value.suggested_filename == "report.pdf"
    assert OPENERS[".pdf"](downloading.value.path())


def test_the_archive_holds_every_result(page: Page, system: System, follow_up: Study) -> None:
    page.goto(slices_page(system, follow_up))
    with page.expect_download() as downloading:
        page.get_by_test_id("archive").click()
    kept = system.files(system.newest(follow_up.uid))
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert archive.testzip() is None
        inside = {PurePath(name).name: archive.read(name) for name in archive.namelist()}
    # The arrays for a later comparison are Osteon's own business.
    assert set(kept) - set(inside) == {"time_point.npz"}
    for name, content in inside.items():
        assert content == kept[name].read_bytes(), name
