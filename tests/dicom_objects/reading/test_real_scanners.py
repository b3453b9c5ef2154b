"""Real vendor files: every series of the pack is what `expected.json` says, and is used or refused.

No case is special: what a case needs stands in its expectations, never in this file.
"""

import hashlib
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.bvalues import BReading
from dicom_objects.reading.diffusion import FitLimits, describe_study, read_study
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.pixels import load_image
from dicom_objects.reading.roles import Role
from dicom_objects.reading.study_plan import plan_study
from imaging.adc import fit_adc

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
NAMES = [f"{case}/{s['folder']}" for case, s in SERIES]
INCOMPLETE = [(c, s) for c, s in SERIES if s.get("must_be_reported_incomplete")]
RESEARCH = FitLimits(highest_b_max=3000.0)
"""The pack's heads were scanned with b 2000 and 2500."""
DIFFUSION = ("dwi-trace", "dwi-directions", "dwi-mixed")


def files(*parts):
    return sorted(path for path in SCANNERS.joinpath(*parts).rglob("*") if path.is_file())


def frames_of(*parts):
    return read_headers(files(*parts))[0]


def record_of(case, series):
    records, _ = describe_study(files(case, series["folder"]), RESEARCH)
    return next(r for r in records if r.series_uid == series["series_instance_uid"])


@pytest.mark.parametrize(("case", "series"), SERIES, ids=NAMES)
def test_a_series_holds_what_is_expected(case, series):
    record = record_of(case, series)
    assert record.content == series["content"]
    assert record.b_values == pytest.approx(series.get("b_values") or [], abs=1e-4)
    assert [(v.b, v.kind, v.count) for v in record.volumes] == [
        (pytest.approx(v["b"], abs=1e-4), v["kind"], v["count"]) for v in sorted_volumes(series)
    ]
    if "b_values_label" in series:
        assert list(record.b_labels) == series["b_values_label"]


@pytest.mark.parametrize(("case", "series"), SERIES, ids=NAMES)
def test_a_series_lies_where_is_expected(case, series):
    record = record_of(case, series)
    if "slices" not in series:
        assert (record.n_slices, record.spacing_mm) == (None, None)
        return
    assert record.n_slices in as_list(series["slices"])
    assert (record.rows, record.columns) == (series["rows"], series["columns"])
    for found, expected in zip(record.spacing_mm, series["spacing_mm"], strict=True):
        assert any(found == pytest.approx(e, abs=1e-3) for e in as_list(expected))
    # Ends are rounded to 0.001 mm; mosaics carry the rounding of their corner over all tiles.
    assert record.slice_range_mm == pytest.approx(series["slice_range_mm"], abs=0.01)


@pytest.mark.parametrize(("case", "series"), SERIES, ids=NAMES)
def test_the_trace_comes_from_where_is_expected(case, series):
    record = record_of(case, series)
    found = dict(record.trace)
    weighted = {float(b): how for b, how in series.get("trace", {}).items() if float(b) > 0}
    if "trace" in series and not series.get("must_be_reported_incomplete"):
        assert sorted(found) == pytest.approx(sorted(weighted), abs=0.01)
    for b, how in weighted.items():
        nearest = min(found, key=lambda x, b=b: abs(x - b))
        assert found[nearest] == expected_way(case, series, b, how)


def expected_way(case, series, b, how):
    """Believe the pack's word unless it calls directions orthogonal that its files say are not."""
    if "orthogonal" in how and not orthogonal(directions_in_headers(case, series, b)):
        return "partial-directions"
    return how.replace(",", ":").split(":", maxsplit=1)[0].split(" ", maxsplit=1)[0]


def directions_in_headers(case, series, b):
    """Read straight from the standard attributes, without the code under test."""
    found = set()
    for path in files(case, series["folder"]):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        for image in header.get("PerFrameFunctionalGroupsSequence", [header]):
            place = image.MRDiffusionSequence[0] if "MRDiffusionSequence" in image else image
            if place.get("DiffusionBValue") == b:
                inner = place.get("DiffusionGradientDirectionSequence", [place])[0]
                found.add(tuple(inner.DiffusionGradientOrientation))
    return found


def orthogonal(directions):
    return all(abs(np.dot(a, b)) < 0.1 for a, b in combinations(directions, 2))


@pytest.mark.parametrize(("case", "series"), SERIES, ids=NAMES)
def test_a_series_alone_is_read_or_refused_with_a_reason(case, series):
    study, error = read_or_refuse(files(case, series["folder"]))
    if study is None:
        assert all(r.code and r.reason for r in error.series)
        assert error.code in fitting_codes(case, series)
        return
    record = next(r for r in study.series if r.used)
    assert record.code is None
    assert series["content"] in DIFFUSION
    assert len(series["b_values"]) > 1
    assert "partial-directions" not in dict(record.trace).values()
    for station in study.stations:
        volume = station.volume
        assert volume.b_values == pytest.approx(series["b_values"], abs=0.01)
        assert volume.geometry.shape == (series["slices"], series["rows"], series["columns"])
        assert all(np.isfinite(image).all() for image in volume.images.values())


def read_or_refuse(paths):
    try:
        return read_study(paths, RESEARCH), None
    except NoUsableDiffusion as error:
        return None, error


def fitting_codes(case, series):
    """Return the codes that say what makes this series useless alone, from its expectations."""
    if series.get("must_be_reported_incomplete"):
        return ["MISSING_SLICES"]
    if series["content"] in DIFFUSION:
        ways = [expected_way(case, series, float(b), how) for b, how in series["trace"].items()]
        partial = ["DIRECTIONS_ONLY"] if "partial-directions" in ways else []
        return partial or (["ONE_SHELL_ONLY"] if len(series["b_values"]) == 1 else [])
    return ["NO_DIFFUSION", "NOT_MR"]


@pytest.mark.parametrize(("case", "series"), INCOMPLETE, ids=[s["folder"] for _, s in INCOMPLETE])
def test_what_is_missing_is_named_and_sending_it_completes_the_series(case, series):
    record = record_of(case, series)
    assert record.code == "MISSING_SLICES"
    assert "between" in record.reason
    sent_again = [SCANNERS / m["file_in_complete_case"] for m in series["missing"]]
    complete_case = Path(series["missing"][0]["file_in_complete_case"]).parts[:2]
    whole, _ = describe_study([*files(case, series["folder"]), *sent_again], RESEARCH)
    complete, _ = describe_study(files(*complete_case), RESEARCH)
    assert whole[0].code == complete[0].code != "MISSING_SLICES"
    assert whole[0].volumes == complete[0].volumes
    assert whole[0].slice_range_mm == complete[0].slice_range_mm


def sorted_volumes(series):
    return sorted(series.get("volumes", []), key=lambda v: (v["b"], v["kind"]))


def as_list(value):
    return value if isinstance(value, list) else [value]


def stacked(frames):
    """The pixels of the frames of one volume, ascending along z."""
    return load_image(sorted(frames, key=lambda f: f.plane.position_mm[2]))


def with_check(name):
    return [(case, body[name]) for case, body in CASES.items() if name in body]


def content_of(case, content):
    return next(s for s in CASES[case]["series"] if s["content"] == content)


ADC_CHECKS = [(c, check) for c, check in with_check("adc_check") if "voxels" in check]


@pytest.mark.parametrize(("case", "check"), ADC_CHECKS, ids=[c for c, _ in ADC_CHECKS])
def test_the_mean_of_directions_gives_the_vendors_adc(case, check):
    series = content_of(case, "dwi-directions")
    volume = read_study(files(case, series["folder"]), RESEARCH).stations[0].volume
    vendor = stacked(frames_of(case, content_of(case, "adc")["folder"]))
    b0, b_high = volume.images[0.0], volume.high_b
    for voxel in check["voxels"]:
        at = tuple(voxel["index"])
        assert b0[at] == voxel["b0"]
        assert b_high[at] == pytest.approx(voxel["geometric_mean_b2500"], abs=1e-3)
        assert vendor[at] == voxel["vendor_adc"]
    adc = fit_adc(volume).adc_um2_s
    mask = (b0 > np.percentile(b0, 60)) & (vendor > 0) & np.isfinite(adc)
    ratio = adc[mask] / vendor[mask]
    assert 0.995 <= np.median(ratio) <= 1.005
    assert np.corrcoef(adc[mask], vendor[mask])[0, 1] >= 0.999
    for voxel in check["voxels"]:
        assert adc[tuple(voxel["index"])] == pytest.approx(voxel["computed_adc"], abs=0.5)


@pytest.mark.parametrize("case", [case for case, _ in with_check("adc_check")])
def test_a_trace_series_takes_its_b0_from_the_directions(case):
    """The whole study at once: b 0 of one series, the vendor's trace of another."""
    study = read_study(files(case), RESEARCH)
    trace, directions = content_of(case, "dwi-trace"), content_of(case, "dwi-directions")
    used = {r.series_number for r in study.series if r.used}
    assert used == {trace["series_number"], directions["series_number"]}
    volume = study.stations[0].volume
    assert np.array_equal(volume.high_b, stacked_volume(case, trace["folder"], Role.TRACE))
    assert np.array_equal(volume.images[0.0], stacked_volume(case, directions["folder"], Role.B0))
    vendor = stacked_volume(case, content_of(case, "adc")["folder"], None)
    adc = fit_adc(volume).adc_um2_s
    b0 = volume.images[0.0]
    mask = (b0 > np.percentile(b0, 60)) & (vendor > 0) & (volume.high_b > 0) & np.isfinite(adc)
    median = np.median(adc[mask] / vendor[mask])
    assert 1.0 <= median <= 1.06


def stacked_volume(case, folder, role):
    frames = frames_of(case, folder)
    if role is None:
        normal = np.cross(frames[0].plane.orientation[:3], frames[0].plane.orientation[3:])
        return load_image(sorted(frames, key=lambda f: np.dot(normal, f.plane.position_mm)))
    volumes = [v for one in plan_study(frames).screened for v in one.volumes]
    return load_image(next(v for v in volumes if v.kind.role is role).frames)


def test_a_derived_b0_is_no_second_b0():
    for case, body in CASES.items():
        derived = [s for s in body["series"] if s["content"] == "derived" and s["b_values"] == [0]]
        for series in derived:
            study = read_study(files(case), RESEARCH)
            record = next(r for r in study.series if r.series_number == series["series_number"])
            assert (record.used, record.code) == (False, "DERIVED_B0")


TRACE_CHECKS = with_check("trace_check")


@pytest.mark.parametrize("case", [c for c, _ in TRACE_CHECKS])
def test_the_mean_of_directions_is_the_vendors_isotropic_image(case):
    paths = files(case)
    vendor = read_study(paths, RESEARCH).stations[0].volume
    plan = plan_study(read_headers(paths)[0], RESEARCH)
    isotropic = {
        frame.path
        for volume in plan.screened[0].volumes
        if volume.kind.role is Role.TRACE
        for frame in volume.frames
    }
    without = [path for path in paths if path not in isotropic]
    study = read_study(without, RESEARCH)
    assert set(dict(study.series[0].trace).values()) == {"from-directions"}
    own = study.stations[0].volume
    b0 = vendor.images[0.0]
    mask = (b0 > np.percentile(b0, 70)) & (vendor.high_b > 0)
    ratio = own.high_b[mask] / vendor.high_b[mask]
    assert 0.98 <= np.median(ratio) <= 1.01
    assert np.corrcoef(own.high_b[mask], vendor.high_b[mask])[0, 1] > 0.98


HASHES = [(c, check) for c, check in with_check("equality_check") if "volumes" in check]


@pytest.mark.parametrize(
    ("case", "folder"), [(c, s["folder"]) for c, _ in HASHES for s in CASES[c]["series"]]
)
def test_two_forms_of_one_acquisition_are_identical(case, folder):
    volumes = plan_study(frames_of(case, folder)).screened[0].volumes
    found = [
        (
            volume.kind.b,
            volume.gradient if volume.kind.role is Role.DIRECTIONAL else None,
            hashlib.sha256(load_image(volume.frames).astype("<i4").tobytes()).hexdigest(),
        )
        for volume in volumes
    ]
    expected = CASES[case]["equality_check"]["volumes"]
    assert len(found) == len(expected)
    for volume in expected:
        (direction,) = [d for b, d, sha in found if sha == volume["sha256"] and b == volume["b"]]
        assert direction == pytest.approx(volume["direction"], abs=1e-3)


@pytest.mark.parametrize("case", [c for c, _ in HASHES])
def test_two_forms_sent_together_count_once(case):
    one = record_of(case, CASES[case]["series"][0])
    both, _ = describe_study(files(case))
    assert len(both) == 1
    assert both[0].volumes == one.volumes
    assert both[0].trace == one.trace
    n_frames = sum(v.count for v in one.volumes) * one.n_slices
    assert any(note.startswith(f"{n_frames} images left out") for note in both[0].notes)


ENCODINGS = [
    (case, name) for case, check in with_check("equality_check") for name in check.get("files", ())
]


@pytest.mark.parametrize(("case", "name"), ENCODINGS, ids=[n for _, n in ENCODINGS])
def test_every_encoding_decodes_to_the_identical_image(case, name):
    (path,) = [path for path in files(case) if path.name == name]
    frames, _ = read_headers([path])
    whole = np.zeros(frames[0].pixels.stored_shape, "<u2")
    for frame, tile in zip(frames, load_image(frames), strict=True):
        row, column = frame.pixels.origin
        whole[row : row + tile.shape[0], column : column + tile.shape[1]] = tile
    check = CASES[case]["equality_check"]
    assert hashlib.sha256(whole.tobytes()).hexdigest() == check["decoded_uint16_384x384_sha256"]


def as_if_diffusion(frames, b_values=(50.0, 800.0)):
    """The same places as trace images of two b-values: real geometry, invented weighting."""
    return [
        replace(
            frame,
            b=BReading(b, "test"),
            image_type=("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"),
            directionality="",
            sop_instance_uid=f"{frame.sop_instance_uid}.{b:.0f}",
        )
        for frame in frames
        for b in b_values
    ]


def plan_of(vendor):
    case = next(c for c, body in CASES.items() if "geometry_check" in body)
    folders = [s["folder"] for s in CASES[case]["series"] if s["folder"].startswith(vendor)]
    frames = [frame for folder in folders for frame in frames_of(case, folder)]
    check = CASES[case]["geometry_check"][vendor]
    return plan_study(as_if_diffusion(frames)), check, CASES[case]["series"]


def heights_mm(station):
    geometry = station.stacks[0].geometry
    return [geometry.to_patient_mm((k, 0, 0))[2] for k in range(geometry.shape[0])]


def test_a_head_first_station_is_not_joined_to_feet_first_ones():
    plan, check, _ = plan_of("ge")
    heights = [heights_mm(s) for s in plan.stations]
    assert len(plan.stations) == 3
    assert [min(map(min, heights)), max(map(max, heights))] == pytest.approx(
        check["union_z_mm"], abs=0.01
    )
    codes = {r.instances[0].patient_position: r.code for r in plan.refusals}
    assert codes == {"HFS": "PATIENT_POSITION_MIX"}


def test_stations_in_two_frames_of_reference_are_joined_by_position():
    plan, check, series = plan_of("philips")
    assert len(plan.stations) == 2
    lower, upper = (np.round(heights_mm(s), 2) for s in plan.stations)
    assert sorted(set(lower) & set(upper)) == pytest.approx(check["common_positions_mm"], abs=0.01)
    assert len(set(lower) | set(upper)) == check["union_slices"]
    numbers = {s["series_instance_uid"] for s in series if s["folder"].startswith("philips")}
    assert {v.first.series_uid for s in plan.stations for v in s.stacks[0].volumes} == numbers


@pytest.mark.parametrize("case", [case for case, _ in with_check("adc_check")])
def test_the_vendors_map_stands_for_the_fit_where_one_b_value_was_sent(case):
    adc, trace = content_of(case, "adc"), content_of(case, "dwi-trace")
    paths = [p for s in (adc, trace) for p in files(case, s["folder"])]
    study = read_study(paths, RESEARCH)
    assert study.has_vendor_adc
    assert {r.content for r in study.series if r.used} == {"adc", "dwi-trace"}
    vendor = stacked_volume(case, adc["folder"], None)
    fitted = fit_adc(study.stations[0].volume).adc_um2_s
    both = np.isfinite(fitted)
    assert both.mean() > 0.2
    assert fitted[both] == pytest.approx(vendor[both], rel=1e-4)
