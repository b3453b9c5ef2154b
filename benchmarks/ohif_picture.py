"""A picture of OHIF with a study that Osteon holds, as it is in docs/dicomweb.md.

`python -m benchmarks.ohif_picture DICOM RESULTS PICTURE.png` serves the images of a study and what
`osteon run` made of them by DICOMweb, opens OHIF (tests/install_ohif.sh) in Debian's Chromium on a
site of its own, loads a station's segmentation, and takes what is shown.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from dicom_node.header import read_header
from dicom_node.part10 import parse_meta
from dicom_node.spool import Spool
from jobs.migrate import upgrade
from jobs.result import ResultFile
from jobs.store import JobStore
from jobs.study import input_digest
from service.api.app import create_app
from service.api.site import Site
from service.demonstration.system import free_port
from tests.browser.ohif import served_ohif

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_LIMIT_MS = 300_000
_WIDE, _HIGH = 1440, 900
_COLOURS = 192
_SERIES = "9002"  # the second station's segmentation (docs/results.md)


def main(given: Sequence[str]) -> None:
    """Write the picture."""
    images, results, picture = (Path(name) for name in given)
    viewer, api = free_port(), free_port()
    root = f"http://127.0.0.1:{api}/dicom-web"
    with (
        tempfile.TemporaryDirectory() as name,
        _served(Path(name), images, results, (viewer, api)) as study_uid,
        served_ohif(viewer, root) as ohif,
    ):
        shot = _shot(f"{ohif}/viewer?StudyInstanceUIDs={study_uid}")
    small = Image.open(io.BytesIO(shot)).convert("RGB").quantize(_COLOURS)
    small.save(picture, optimize=True)
    print(f"{picture}: {picture.stat().st_size / 1024:.0f} KiB")


@contextmanager
def _served(folder: Path, images: Path, results: Path, ports: tuple[int, int]) -> Iterator[str]:
    url = f"sqlite:///{folder / 'store.sqlite'}"
    upgrade(url)
    viewer, api = ports
    with JobStore(url) as store:
        site = Site(
            store=store,
            results_dir=folder / "results",
            spool_dir=folder / "spool",
            model_dirs=(),
            node_host="127.0.0.1",
            node_port=11112,
            node_ae_title="OSTEON",
            version="0",
            git_commit="",
            headers_dir=folder / "headers",
            dicomweb_origins=(f"http://127.0.0.1:{viewer}",),
        )
        study_uid = _receive(site, images)
        _keep(site, results, study_uid)
        with _running(site, api):
            yield study_uid


@contextmanager
def _running(site: Site, port: int) -> Iterator[None]:
    app = create_app(site)
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield
    finally:
        server.should_exit = True
        thread.join()


def _receive(site: Site, images: Path) -> str:
    spool = Spool(site.spool_dir, floor_bytes=0)
    found = []
    with spool.claim():
        for path in sorted(p for p in images.rglob("*") if p.is_file()):
            content = path.read_bytes()
            meta = parse_meta(content)
            data_set = content[meta.offset :]
            header = read_header(data_set, meta.transfer_syntax_uid)
            found.append(spool.store(header, data_set).instance)
    site.store.record_instances(found)
    return found[0].study_uid


def _keep(site: Site, results: Path, study_uid: str) -> None:
    store = site.store
    store.open_revision(study_uid, input_digest(store.instances(study_uid)))
    job = store.claim("picture", 600.0)
    if job is None:
        raise RuntimeError("there is no job to keep results of")
    kept = []
    for path in sorted(results.glob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        place = f"{job.id}/{path.name}"
        (site.results_dir / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, site.results_dir / place)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        file = ResultFile(path.stem, path.name, "application/dicom", place, digest)
        uids = {
            "sop_class_uid": str(header.SOPClassUID),
            "sop_instance_uid": str(header.SOPInstanceUID),
            "series_uid": str(header.SeriesInstanceUID),
        }
        kept.append(replace(file, **uids))
    store.keep_results(job, kept)
    store.deliver(job)


def _shot(address: str) -> bytes:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        page = browser.new_page(viewport={"width": _WIDE, "height": _HIGH})
        page.set_default_timeout(_LIMIT_MS)
        page.goto(address)
        _open_segmentation(page)
        shot = page.screenshot()
        browser.close()
        return shot


def _open_segmentation(page: Page) -> None:
    page.locator('[data-cy="viewport-pane"] canvas.cornerstone-canvas').first.wait_for()
    page.wait_for_timeout(10_000)  # its tour begins a moment after the first picture
    tour = page.get_by_text("Skip all")
    if tour.count():
        tour.first.click()
    segmentation = page.locator(f'[data-series="{_SERIES}"]')
    segmentation.scroll_into_view_if_needed()
    segmentation.dblclick()
    page.locator('[data-cy="yes-hydrate-btn"]').click()
    page.locator('[data-cy="panelSegmentation-btn"]').click()
    rows = page.locator('[data-cy="data-row"]')
    rows.filter(has_text="lesion").first.click()
    page.mouse.move(140, 65)  # where nothing is told of what lies below
    page.wait_for_timeout(40_000)  # volumes load, and are drawn without a graphics card


if __name__ == "__main__":
    main(sys.argv[1:])
