"""Pictures of the console's screens, as they are in the documentation.

`python -m benchmarks.console_pictures docs/images` runs the service with the shipped models on
synthetic patients, and takes what Debian's Chromium shows: one patient at three visits whose
disease responds, a study that is rejected, and one that is being measured. With `--small` the
studies have coarse pixels: quicker, to look at the pages and not at the bodies.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydicom
from PIL import Image
from playwright.sync_api import sync_playwright

from dicom_node.send import Peer, send
from dicom_objects.scanner.headers import Identity
from dicom_objects.scanner.study import write_study
from phantom.acquisition import acquire
from phantom.course import Course
from phantom.patient import make_patient
from service.demonstration.stand_in import AE_TITLE, StandInPacs
from service.demonstration.system import Place, ask, free_port, running
from service.synthetic import SMALL
from service.synthetic_visits import VisitsOrder, make_visit_studies

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SEED = 1003
_VISITS = 3
_WIDE, _HIGH = 1440, 900
_LIMIT_S = 900.0
_LOOK_S = 0.5
_TRIES = 3
_READY_MS = 60_000


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the path of the page, and the theme."""

    name: str
    path: str
    theme: Literal["light", "dark"] = "light"
    ready: str = "main"
    """The selector of what has to be there first."""


def main(pictures: Path, *, small: bool) -> None:
    """Make the studies, have them measured, take the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder, pacs = Path(name), StandInPacs(Path(name) / "pacs")
        with pacs.listening() as pacs_port:
            place = Place(folder, free_port(), free_port(), pacs_port, AE_TITLE)
            with running(place, ["--config", str(place.write_settings())]):
                pages = _measured(place, small=small)
                _take(place, _shots(pages), pictures)


def _measured(place: Place, *, small: bool) -> dict[str, str]:
    """Send every study and wait for its fate, but for the last; return their pages by name."""
    folder = place.folder
    order = VisitsOrder(SEED, Course.RESPONDING, _VISITS, small=small)
    make_visit_studies(order, folder / "visits")
    studies = [folder / f"visits/visit_{k}/dicom" for k in range(1, _VISITS + 1)]
    measured = [_wait(place, _send(place, study)) for study in studies]
    pages = {"newest": measured[-1]}
    pages["rejected"] = _wait(place, _send(place, _one_b_value(folder / "rejected")))
    pages["running"] = _wait(place, _send(place, _other_patient(folder / "running")), "running")
    return pages


def _one_b_value(folder: Path) -> Path:
    identity = Identity(patient_id=f"OSTEON-PHANTOM-{SEED + 1}", accession_number="PHANTOM7")
    paths = write_study(acquire(make_patient(SEED + 1), SMALL), folder, identity)
    for path in paths:
        if pydicom.dcmread(path, stop_before_pixels=True).get("DiffusionBValue", 0) > 100:
            path.unlink()
    return folder


def _other_patient(folder: Path) -> Path:
    write_study(acquire(make_patient(SEED + 2), SMALL), folder)
    return folder


def _send(place: Place, folder: Path) -> str:
    """Send a folder, what was not taken again as a PACS does; return its Study Instance UID."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    study_uid = str(pydicom.dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    peer = Peer("OSTEON", "127.0.0.1", place.node_port, calling_ae_title="SCANNER")
    for _ in range(_TRIES):
        outcomes = send(peer, files)
        files = [outcome.path for outcome in outcomes if not outcome.ok]
        if not files:
            return study_uid
    statuses = {outcome.status for outcome in outcomes if not outcome.ok}
    message = f"the node did not take {len(files)} images of {folder.name}: status {statuses}"
    raise SystemExit(message)


def _wait(place: Place, study_uid: str, state: str | None = None) -> str:
    """Return the page of the study's run once it is in `state`, or has ended if not given."""
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        jobs: list[dict[str, Any]] = ask(place, f"/api/v1/studies/{study_uid}")[1].get("jobs", [])
        now = jobs[0]["state"] if jobs else "arriving"
        if now == state or now not in ("arriving", "queued", "running"):
            return f"/studies/{study_uid}/runs/{jobs[0]['id']}"
        time.sleep(_LOOK_S)
    message = f"a study was not measured within {_LIMIT_S:.0f} s"
    raise SystemExit(message)


def _shots(pages: dict[str, str]) -> tuple[Shot, ...]:
    newest = pages["newest"]
    return (
        Shot("studies", "/", ready="[data-state=running] progress:not([value='0'])"),
        Shot("study", newest),
        Shot("study-dark", newest, "dark"),
        Shot("slices", f"{newest}/slices", "dark", ready="#slices[data-ready=true]"),
        Shot("rejected", pages["rejected"]),
        Shot("system", "/system"),
        Shot("settings", "/settings"),
    )


def _take(place: Place, shots: tuple[Shot, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        for shot in shots:
            path = folder / f"console-{shot.name}.png"
            picture = _picture(browser, place, shot)
            _small(picture).save(path, optimize=True)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


def _small(picture: bytes) -> Image.Image:
    """Return it in 256 colours: half of them hues of its own, half greys for the bodies."""
    with Image.open(io.BytesIO(picture)) as opened:
        seen = opened.convert("RGB")
    hues = seen.quantize(128, Image.Quantize.FASTOCTREE).getpalette() or []
    greys = [level for grey in range(1, 256, 2) for level in (grey, grey, grey)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(hues[: 3 * 128] + greys)
    return seen.quantize(palette=palette, dither=Image.Dither.NONE)


def _picture(browser: Browser, place: Place, shot: Shot) -> bytes:
    context = browser.new_context(
        base_url=place.page,
        viewport={"width": _WIDE, "height": _HIGH},
        color_scheme=shot.theme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(shot.path, wait_until="load")
    page.locator(shot.ready).first.wait_for(timeout=_READY_MS)
    page.evaluate("() => new Promise((done) => setTimeout(done, 500))")  # pictures are drawn
    picture = page.screenshot()
    context.close()
    return picture


if __name__ == "__main__":
    main(Path(sys.argv[1]), small="--small" in sys.argv)
