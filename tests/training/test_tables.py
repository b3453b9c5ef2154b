from __future__ import annotations

import pytest

from training.evaluation import CaseResult
from training.tables import markdown, relative_error, summarise


def result(seed, skeleton, tdv, true_tdv, gadc=1000.0):
    dice = {"skeleton": skeleton, "organs": 0.9, "spinal_canal": 0.8, "liver": 0.95}
    diseased = true_tdv > 0
    return CaseResult(
        seed=seed,
        dice=dice,
        tdv_ml=tdv,
        true_tdv_ml=true_tdv,
        gadc_um2_s=gadc if tdv else None,
        true_gadc_um2_s=1000.0 if diseased else None,
        reference_accepted=seed != 3,
        network_seconds=1.0,
        bf16=True,
    )


RESULTS = [
    result(1, 0.8, 110.0, 100.0, 1050.0),
    result(2, 0.9, 80.0, 100.0, 980.0),
    result(3, 0.7, 0.0, 0.0),
]


def test_error_by_hand():
    assert relative_error(110, 100) == pytest.approx(10)
    assert relative_error(80, 100) == pytest.approx(-20)


def test_summary_by_hand():
    summary = summarise(RESULTS)
    assert summary["dice"]["skeleton"]["mean"] == pytest.approx(0.8)
    assert summary["dice"]["skeleton"]["lowest"] == 0.7
    # +10 % and -20 %; the patient without disease has no relative error.
    assert summary["tdv_error_percent"]["median"] == pytest.approx(-5)
    assert summary["tdv_error_percent"]["median_absolute"] == pytest.approx(15)
    assert summary["tdv_error_percent"]["n"] == 2
    # +5 % and -2 %.
    assert summary["gadc_error_percent"]["median_absolute"] == pytest.approx(3.5)
    assert summary["canal_reference_accepted"] == 2


def test_tables_hold_every_patient_and_no_invented_number():
    text = markdown(RESULTS)
    assert "| Liver | 0.950 |" in text
    assert "| 1 | 0.800 | 0.900 | 0.800 | 100.0 | 110.0 | +10.0 | 1000 | 1050 | +5.0 |" in text
    assert "| 3 | 0.700 | 0.900 | 0.800 | 0.0 | 0.0 | - | - | - | - |" in text
    assert "Ribs" not in text


def test_without_any_disease_there_is_no_burden_line():
    assert "TDV error" not in markdown(RESULTS[2:])
