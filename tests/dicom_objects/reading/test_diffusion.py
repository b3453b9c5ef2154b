"""A study comes back as acquired, whatever its files are called; what is not sure is refused."""

import dataclasses
import json
import random
import re

import numpy as np
import pydicom
import pytest

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.diffusion import describe_study, read_study
from dicom_objects.reading.records import VolumeRecord
from dicom_objects.scanner.study import write_study
from tests.dicom_objects.conftest import make_acquisition
from tests.dicom_objects.editing import copy_study, edit, every, series_record


@pytest.fixture
def copied(study_files, tmp_path):
    return copy_study(study_files, tmp_path)


@pytest.fixture
def one_station(tmp_path):
    (tmp_path / "copy").mkdir()
    files = write_study(make_acquisition(1), tmp_path / "written", distractors=False)
    return copy_study(files, tmp_path / "copy")


def refusal(paths):
    with pytest.raises(NoUsableDiffusion) as caught:
        read_study(paths)
    return caught.value


def test_stations_come_back_as_acquired(study, acquisition):
    assert [s.name for s in study.stations] == ["station 1", "station 2", "station 3"]
    for found, sent in zip(study.stations, acquisition.stations, strict=True):
        assert found.volume.b_values == (50.0, 600.0, 900.0)
        assert found.volume.geometry.matches(sent.volume.geometry)
        for b, image in sent.volume.images.items():
            # 16-bit storage of at most 1000: half a step is 1000 / 16000 / 2.
            assert np.abs(found.volume.images[b] - image).max() <= 0.032


def test_names_order_and_instance_numbers_do_not_matter(copied, study):
    paths = every(copied)
    random.Random(1).shuffle(paths)
    for k, path in enumerate(paths):
        edit(path, lambda h, k=k: setattr(h, "InstanceNumber", (k * 37) % 101))
    again = read_study(paths)
    for a, b in zip(again.stations, study.stations, strict=True):
        assert a.volume.geometry.matches(b.volume.geometry)
        assert all(
            np.array_equal(a.volume.images[x], b.volume.images[x]) for x in (50.0, 600.0, 900.0)
        )


def test_sources_are_in_the_slice_order_of_the_volume(study):
    source = study.sources[1]
    heights = [pydicom.dcmread(i.path).ImagePositionPatient[2] for i in source.images_by_b[900.0]]
    origin = study.stations[1].volume.geometry.origin_mm[2]
    assert heights == [origin + 5 * k for k in range(8)]


def test_every_series_has_a_record(study):
    used = [r.series_number for r in study.series if r.used]
    assert used == [101, 102, 103, 201, 202, 203, 301, 302, 303]
    assert series_record(study.series, 1).code == "NO_DIFFUSION"
    assert series_record(study.series, 2).code == "NO_DIFFUSION"
    assert series_record(study.series, 150).code == "VENDOR_ADC"
    trace = series_record(study.series, 202)
    assert (trace.role, trace.b_values, trace.b_source) == ("trace", (600.0,), "(0018,9087)")
    assert (trace.code, trace.n_instances) == (None, 8)


def test_a_record_tells_volumes_and_geometry_in_plain_values(study):
    trace = series_record(study.series, 202)
    assert (trace.content, trace.b_labels) == ("dwi-trace", (600.0,))
    assert trace.volumes == (VolumeRecord(600.0, "vendor-trace", 1),)
    assert trace.trace == ((600.0, "vendor-trace"),)
    assert (trace.n_slices, trace.rows, trace.columns) == (8, 32, 32)
    assert trace.spacing_mm == (3.0, 3.0, 5.0)
    assert trace.slice_range_mm[1] - trace.slice_range_mm[0] == 35.0
    assert series_record(study.series, 150).content == "adc"
    assert series_record(study.series, 1).content == "other"
    assert json.loads(json.dumps(dataclasses.asdict(trace)))["volumes"][0]["count"] == 1


def test_describing_a_study_says_what_reading_it_says(study_files, study, one_station):
    assert describe_study(study_files) == (study.series, None)
    records, (code, sentence) = describe_study(one_station[103])
    error = refusal(one_station[103])
    assert (code, sentence, records) == (error.code, str(error), error.series)


def test_one_b_value_is_refused_by_code_for_study_and_series(one_station):
    error = refusal(one_station[103])
    assert error.code == "ONE_SHELL_ONLY"
    assert [r.code for r in error.series] == ["ONE_SHELL_ONLY"]
    assert "900" in str(error)


def test_a_study_without_diffusion_is_refused(copied):
    error = refusal(copied[1] + copied[2] + copied[150])
    assert error.code == "NO_DIFFUSION"
    assert [r.code for r in error.series] == ["NO_DIFFUSION", "NO_DIFFUSION", "VENDOR_ADC"]


def test_files_that_are_not_dicom_are_one_record(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "looks_like").write_bytes(b"\x08\x00\x05\x00CS\x0a\x00ISO")
    error = refusal(list(tmp_path.iterdir()))
    assert error.code == "NOT_DICOM"
    assert [(r.code, r.n_instances, r.series_uid) for r in error.series] == [("NOT_DICOM", 3, "")]


def test_foreign_files_beside_the_study_do_not_stop_it(one_station, tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    study = read_study([*every(one_station), tmp_path / "readme.txt"])
    assert len(study.stations) == 1
    assert study.series[-1].code == "NOT_DICOM"


def test_a_file_cut_short_is_a_missing_slice(one_station):
    victim = one_station[102][4]
    victim.write_bytes(victim.read_bytes()[:200])
    error = refusal(every(one_station))
    assert "NOT_DICOM" in [r.code for r in error.series]
    assert series_record(error.series, 102).code == "MISSING_SLICES"


def test_a_hole_is_named_in_mm(one_station):
    for number in (101, 102, 103):
        one_station[number].pop(3)
    error = refusal(every(one_station))
    assert error.code == "MISSING_SLICES"
    assert "between 10.0 and 20.0 mm" in str(error)


def test_a_missing_end_slice_of_one_b_value_is_a_mismatch(one_station):
    one_station[103].pop(0)
    error = refusal(every(one_station))
    assert series_record(error.series, 103).code == "SHELL_GEOMETRY_MISMATCH"


def test_a_station_without_the_high_b_value_of_the_others_is_refused(copied):
    del copied[303]
    study = read_study(every(copied))
    assert [s.name for s in study.stations] == ["station 1", "station 2"]
    assert series_record(study.series, 301).code == "MISSING_B_VALUE"
    assert not series_record(study.series, 302).used


def test_resent_files_count_once(one_station, tmp_path):
    (tmp_path / "again").mkdir()
    copies = []
    for path in every(one_station):
        target = tmp_path / "again" / path.name
        target.write_bytes(path.read_bytes())
        copies.append(target)
    study = read_study([*every(one_station), *copies])
    assert study.stations[0].volume.geometry.shape == (8, 32, 32)


def test_one_uid_with_two_contents_is_refused(one_station, tmp_path):
    path = one_station[103][0]
    other = tmp_path / "other"
    other.write_bytes(path.read_bytes()[:-2] + b"\x01\x02")
    error = refusal([*every(one_station), other])
    assert series_record(error.series, 103).code == "UID_CONFLICT"


def test_computed_b_values_are_never_fitted(one_station):
    for path in one_station[103]:
        edit(path, lambda h: setattr(h, "SequenceName", "*ep_b50_900"))
    for number in (101, 102):
        del one_station[number]
    error = refusal(every(one_station))
    assert error.code == "ONLY_COMPUTED_B"


def test_lossy_images_are_refused(one_station):
    for path in every(one_station):
        edit(path, lambda h: setattr(h, "LossyImageCompression", "01"))
    assert refusal(every(one_station)).code == "LOSSY"


def test_two_patients_or_two_studies_are_refused(one_station):
    edit(one_station[101][0], lambda h: setattr(h, "PatientID", "ANOTHER"))
    assert refusal(every(one_station)).code == "PATIENT_MISMATCH"
    assert {r.code for r in refusal(every(one_station)).series} == {"STUDY_REFUSED"}
    edit(one_station[101][0], lambda h: setattr(h, "StudyInstanceUID", "1.2.3"))
    assert refusal(every(one_station)).code == "SEVERAL_STUDIES"


def test_contradicting_b_values_are_refused(one_station):
    def claim_b_1000(header):
        header.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "1000")

    for path in one_station[102]:
        edit(path, claim_b_1000)
    error = refusal(every(one_station))
    assert error.code == "B_CONFLICT"
    assert "600" in str(error)
    assert "1000" in str(error)


def test_siemens_private_b_value_is_found_by_creator(one_station):
    def only_private(header):
        b = int(header.DiffusionBValue)
        del header.DiffusionBValue
        header.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(
            0x0C, "UN", f"{b:<4d}".encode()
        )

    for path in every(one_station):
        edit(path, only_private)
    study = read_study(every(one_station))
    assert study.stations[0].volume.b_values == (50.0, 600.0, 900.0)
    assert study.series[0].b_source == "Siemens (0019,xx0C)"


def test_all_b_values_and_stations_in_one_series(copied, study):
    dwi = [path for number, paths in copied.items() if number % 100 in {1, 2, 3} for path in paths]
    dwi = [path for path in dwi if path not in copied[1] + copied[2]]
    for path in dwi:
        edit(path, lambda h: setattr(h, "SeriesInstanceUID", "1.2.3.4"))
    merged = read_study(dwi)
    assert len(merged.series) == 1
    assert len(merged.stations) == 3
    for found, expected in zip(merged.stations, study.stations, strict=True):
        assert found.volume.geometry.matches(expected.volume.geometry)
        assert np.array_equal(found.volume.high_b, expected.volume.high_b)


def test_a_series_that_is_used_in_part_names_every_reason(copied):
    for path in every(copied):
        edit(path, lambda h: setattr(h, "SeriesInstanceUID", "1.2.3.4"))
    copied[203][4].unlink()
    left = [path for path in every(copied) if path.exists()]
    (record,) = read_study(left).series
    assert record.used
    assert record.code is None
    assert "MISSING_SLICES" in record.faults
    assert "VENDOR_ADC" not in record.faults
    assert "slices are missing" in record.reason
    assert "own ADC map" in record.reason
    counts = re.findall(r"(\d+) (?:images used|\()", record.reason)
    assert sum(map(int, counts)) == record.n_instances == len(left)


def test_directions_and_unstated_kinds_are_refused_for_now(one_station):
    for path in every(one_station):
        edit(path, lambda h: setattr(h, "ImageType", ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]))
        edit(path, lambda h: setattr(h, "DiffusionDirectionality", "DIRECTIONAL"))
    assert refusal(every(one_station)).code == "DIRECTIONS_ONLY"
    for path in every(one_station):
        edit(path, lambda h: delattr(h, "DiffusionDirectionality"))
    assert refusal(every(one_station)).code == "TRACE_UNKNOWN"


def test_implicit_and_big_endian_files_read_equal(one_station):
    before = read_study(every(one_station)).stations[0].volume
    for path in one_station[102]:
        header = pydicom.dcmread(path)
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
        header.save_as(path, implicit_vr=True, little_endian=True)
    for path in one_station[103]:
        header = pydicom.dcmread(path)
        header.PixelData = header.pixel_array.astype(">u2").tobytes()
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
        pydicom.dcmwrite(path, header, implicit_vr=False, little_endian=False)
    after = read_study(every(one_station)).stations[0].volume
    assert all(np.array_equal(before.images[b], after.images[b]) for b in before.b_values)
