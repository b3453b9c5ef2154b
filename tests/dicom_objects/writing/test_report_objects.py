"""PDF, page and rotating projections: valid, pixel for pixel, equal runs equal bytes."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from dicom_objects.reading.study_texts import read_study_texts
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.report_objects import ReportParts, encode_report_objects
from tests.dicom_objects.conftest import make_acquisition
from tests.dicom_objects.editing import copy_study, edit, every
from tests.dicom_objects.writing.tools import iod_errors, run, tool

PDF = b"%PDF-1.7 odd"[:-1]  # of uneven length
DICE = np.random.default_rng(3)
PARTS = ReportParts(
    pdf=PDF,
    pages=tuple(DICE.integers(0, 256, (2, 5, 7, 3), np.uint8)),
    mip=DICE.integers(0, 256, (4, 9, 7), np.uint8),
    overlay=DICE.integers(0, 256, (4, 9, 7, 3), np.uint8),
)


@pytest.fixture(scope="module")
def written(content, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return encode_report_objects(PARTS, content.study, content.provenance, "seed", folder)


@pytest.fixture(scope="module")
def read(written):
    return [pydicom.dcmread(one.path) for one in written]


def test_each_part_is_an_object_of_its_class_and_series(written, read):
    assert [one.kind for one in written] == ["mip_series", "mip_overlay", "pdf", "sc", "sc"]
    assert [one.sop_class_uid for one in written] == [
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
        EncapsulatedPDFStorage,
        SecondaryCaptureImageStorage,
        SecondaryCaptureImageStorage,
    ]
    assert [(d.SeriesNumber, d.InstanceNumber) for d in read] == [
        (9301, 1), (9302, 1), (9401, 1), (9402, 1), (9402, 2),
    ]  # fmt: skip
    assert len({one.series_uid for one in written}) == 4
    assert len({one.sop_instance_uid for one in written}) == 5
    for one, dataset in zip(written, read, strict=True):
        assert (one.sop_instance_uid, one.series_uid) == (
            dataset.SOPInstanceUID, dataset.SeriesInstanceUID,
        )  # fmt: skip


def test_all_belong_to_patient_and_study_and_say_research(read, study_files):
    source = pydicom.dcmread(study_files[0])
    for dataset in read:
        for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate",
                        "StudyDate", "AccessionNumber"):  # fmt: skip
            assert dataset[keyword].value == source[keyword].value
        assert dataset.SeriesDescription.startswith("RESEARCH Osteon ")
        assert (dataset.ContentDate, dataset.ContentTime) == ("20260301", "120005.250000")
        equipment = dataset.ContributingEquipmentSequence
        assert [item.ManufacturerModelName for item in equipment] == ["anatomy", "disease"]
        assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_pixels_come_back_and_name_nobody(read):
    for dataset, sent in zip(
        [*read[:2], *read[3:]], [PARTS.mip, PARTS.overlay, *PARTS.pages], strict=True
    ):
        assert np.array_equal(dataset.pixel_array, sent)
        assert dataset.BurnedInAnnotation == "NO"
        assert dataset.LossyImageCompression == "00"
    assert read[0].PhotometricInterpretation == "MONOCHROME2"
    assert (read[0].PresentationLUTShape, read[0].RescaleSlope) == ("IDENTITY", 1)
    assert [d.NumberOfFrames for d in read[:2]] == [4, 4]
    assert read[0].FrameIncrementPointer == 0x00181063


def test_the_pdf_comes_back_and_says_whom_it_names(read):
    pdf = read[2]
    assert pdf.EncapsulatedDocument[: pdf.EncapsulatedDocumentLength] == PDF
    assert len(pdf.EncapsulatedDocument) % 2 == 0
    assert pdf.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert pdf.DocumentTitle.startswith("RESEARCH USE ONLY")
    assert pdf.ConceptNameCodeSequence[0].CodeValue == "126000"
    assert (pdf.BurnedInAnnotation, pdf.VerificationFlag) == ("YES", "UNVERIFIED")


def test_all_refer_to_every_image_of_the_highest_b_value(read, study):
    expected = [
        str(pydicom.dcmread(image.path, stop_before_pixels=True).SOPInstanceUID)
        for source in study.sources
        for image in source.images_by_b[900.0]
    ]
    assert len(expected) == 24
    for dataset in read:
        keyword = "SourceInstanceSequence" if dataset.Modality == "DOC" else "SourceImageSequence"
        assert [item.ReferencedSOPInstanceUID for item in dataset[keyword].value] == expected


def test_the_same_run_gives_the_same_bytes_and_other_pixels_other_uids(written, content, tmp_path):
    again = encode_report_objects(PARTS, content.study, content.provenance, "seed", tmp_path)
    for first, second in zip(written, again, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
    changed = replace(PARTS, mip=255 - PARTS.mip, pdf=PDF + b"!")
    other = encode_report_objects(changed, content.study, content.provenance, "seed", tmp_path)
    same = [a.sop_instance_uid == b.sop_instance_uid for a, b in zip(written, other, strict=True)]
    assert same == [False, True, False, True, True]


def test_only_what_is_given_is_written(content, tmp_path):
    only = ReportParts(mip=PARTS.mip)
    written = encode_report_objects(only, content.study, content.provenance, "seed", tmp_path)
    assert [one.kind for one in written] == ["mip_series"]


def test_dciodvfy_finds_no_error(written):
    for one in written:
        assert iod_errors(one.path) == [], one.path.name


def test_patient_and_study_agree_in_all_objects(written, results):
    """Dcentvfy compares what should be the same in every object of one patient and study."""
    paths = [one.path for one in (*written, *results[:1])]
    done = run(tool("dcentvfy"), *paths)
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_texts_for_the_page_are_those_of_the_header(study_files):
    source = pydicom.dcmread(study_files[0])
    texts = read_study_texts(study_files[0])
    assert texts.patient_id == source.PatientID
    assert texts.accession_number == source.AccessionNumber
    assert texts.study_date == source.StudyDate
    assert texts.scanner.startswith(source.Manufacturer)
    assert texts.field_strength_t == source.MagneticFieldStrength
    assert source.PatientID not in repr(texts)


@pytest.mark.parametrize(
    ("charset", "name", "expected"),
    [
        ("ISO_IR 100", "Müller^Anna^Maria^Dr.^jun.", ("Müller, Dr. Anna Maria, jun.",)),
        ("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう",
         ("Yamada, Tarou", "山田, 太郎", "やまだ, たろう")),
        ("ISO_IR 192", "", ()),
    ],
)  # fmt: skip
def test_names_are_written_for_people(tmp_path, charset, name, expected):
    files = write_study(make_acquisition(1), tmp_path / "written", distractors=False)
    (tmp_path / "copy").mkdir()
    [path, *_] = every(copy_study(files, tmp_path / "copy"))

    def rename(header):
        header.SpecificCharacterSet = charset
        header.PatientName = name

    edit(path, rename)
    assert read_study_texts(path).names == expected
