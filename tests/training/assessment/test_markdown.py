from __future__ import annotations

import pytest

from tests.training.scored import case, exam, structure
from training.assessment.evaluation_summary import summarise
from training.assessment.markdown import markdown


def result(number, skeleton, tdv, true_tdv, gadc=1000.0):
    diseased = true_tdv > 0
    return case(
        number,
        structures={
            "skeleton": structure(skeleton),
            "organs": structure(0.9),
            "spinal_canal": structure(0.8),
            "liver": structure(0.95),
        },
        tdv_ml=tdv,
        true_tdv_ml=true_tdv,
        gadc_um2_s=gadc if tdv else None,
        true_gadc_um2_s=1000.0 if diseased else None,
        lesions=None if diseased else exam(),
        disease=structure(0.7) if diseased else None,
        reference_accepted=number != 3,
    )


RESULTS = [
    result(1, 0.8, 110.0, 100.0, 1050.0),
    result(2, 0.9, 80.0, 100.0, 980.0),
    result(3, 0.7, 0.0, 0.0),
]


@pytest.fixture(scope="module")
def text():
    return markdown(summarise(RESULTS, "Patients made by hand"), RESULTS)


def row(text, start):
    found = [line for line in text.splitlines() if line.startswith(start)]
    assert len(found) == 1, start
    return [cell.strip() for cell in found[0].strip("|").split("|")]


def test_every_patient_has_a_row(text):
    assert row(text, "| phantom-00001 |") == [
        "phantom-00001", "0.800", "0.900", "0.800", "100.0", "110.0", "+10.0", "1000", "1050",
        "+5.0",
    ]  # fmt: skip
    assert row(text, "| phantom-00003 |")[4:] == ["0.0", "0.0", "-", "-", "-", "-"]


def test_structures_by_hand(text):
    cells = row(text, "| Skeleton (one mask) |")
    assert cells[1].startswith("0.800 [0.7")
    assert cells[2:] == [
        "0.700", "0.800", "0.800", "0.500", "0.600", "0.700", "1.00", "5.0", "3", "0.67",
    ]  # fmt: skip
    assert "Ribs" not in text
    assert text.startswith("Patients made by hand, n = 3; none was trained on.")


def test_lesions_by_hand(text):
    # Two patients with their one lesion found and nothing else; one with neither.
    assert row(text, "| sensitivity, patients' median |")[1] == "1.000 [1.000-1.000] (n = 2)"
    assert row(text, "| F2, patients' mean |")[1] == "1.000 [1.000-1.000] (n = 3)"
    assert row(text, "| global Dice |")[1].startswith("0.500")
    assert row(text, "| FROC area to 15 / 4 FP |")[1:3] == [
        "15.00 [15.00-15.00] (n = 2)",
        "4.00 [4.00-4.00] (n = 2)",
    ]
    assert row(text, "| 1 | 2 |")[2:] == ["1.000", "2", "1.000", "0.00"]


def test_targets_are_met_or_missed(text):
    assert row(text, "| skeleton: dice |")[1:] == ["≥ 0.67", "0.800", "met"]
    assert row(text, "| spinal canal: dice |")[1:] == ["≥ 0.86", "0.800", "**missed**"]
    assert row(text, "| skeleton without ribs: dice |")[1:] == ["≥ 0.76", "-", "-"]


def test_errors_of_burden_by_hand(text):
    # +10 % and -20 %; the patient without disease has no relative error. +5 % and -2 %.
    assert "TDV error: median -5.0 %, median of the absolute error 15.0 %" in text
    assert "gADC error: median +1.5 %, median of the absolute error 3.5 %" in text
    assert "Canal accepted as signal reference: 2 of 3." in text


def test_without_any_disease_there_is_no_burden_line():
    text = markdown(summarise(RESULTS[2:], "Patients"), RESULTS[2:])
    assert "TDV error" not in text
    assert "nan" not in text
    assert row(text, "| sensitivity, patients' median |")[1] == "- (n = 0)"
