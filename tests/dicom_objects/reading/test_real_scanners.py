"""Real vendor files: the expected b-values are found, or the series is refused with a code.

Issue 3 tests every case in full; this holds that nothing is guessed and nothing falls over.
"""

import json
from pathlib import Path

import pytest

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.diffusion import read_study

SCANNERS = Path(__file__).resolve().parents[4] / "shared" / "scanners"
CASES = (
    json.loads((SCANNERS / "expected.json").read_text())["cases"]
    if (SCANNERS / "expected.json").exists()
    else {}
)

pytestmark = pytest.mark.skipif(
    not CASES,
    reason="real scanner data not found at ../shared/scanners; set up the shared folder to run",
)
SERIES = [(case, series) for case, body in CASES.items() for series in body["series"]]


def read(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    try:
        study = read_study(paths)
    except NoUsableDiffusion as error:
        return [], error.series, error.code
    return study.stations, study.series, None


@pytest.mark.parametrize(
    ("case", "series"), SERIES, ids=[f"{case}/{s['folder']}" for case, s in SERIES]
)
def test_each_series_is_read_right_or_refused(case, series):
    stations, records, code = read(SCANNERS / case / series["folder"])
    assert bool(stations) != bool(code)
    for record in records:
        assert record.used == (record.code is None)
        assert record.reason
    for station in stations:
        assert series["content"].startswith("dwi")
        expected = series["b_values"]
        assert all(any(abs(b - e) < 1 for e in expected) for b in station.volume.b_values)


def test_private_b_values_and_isotropic_images_among_directions():
    if "philips_private_b_only" not in CASES:
        pytest.skip("case not in this pack")
    stations, records, _ = read(SCANNERS / "philips_private_b_only")
    assert [s.volume.b_values for s in stations] == [(0.0, 1000.0)]
    assert records[0].b_source == "Philips (2001,xx03)"
    assert "direction" in records[0].role
