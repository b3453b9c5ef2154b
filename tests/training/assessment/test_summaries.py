from __future__ import annotations

import math

import pytest

from tests.training.scored import case, exam, hit, miss, right, structure, wrong
from training.assessment.burden_summary import relative_error, summarise_burden
from training.assessment.lesion_summary import by_size, summarise_lesions
from training.assessment.structure_summary import log_difference_percent, summarise_structures
from training.assessment.targets import anatomy_targets, disease_targets


def cohort():
    first = exam(
        [hit(4.0, 0.9, dice=0.8), hit(0.5, 0.7, dice=0.4), miss(0.5)],
        [right(3.0, 0.9), right(0.5, 0.7), wrong(1.5, 0.8)],
        [(0, 0, 2.5), (1, 1, 0.2)],
    )
    second = exam([miss(2.0)], [wrong(0.5, 0.9)])
    return [case(1, first), case(2, second)]


def values(numbers):
    return {name: number.interval.value for name, number in numbers.items()}


def test_all_lesions_by_hand():
    found = values(summarise_lesions(cohort()))
    assert found["sensitivity_median"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["sensitivity_of_all_lesions"] == pytest.approx(2 / 4)
    assert found["precision_mean"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["false_positives_per_exam_mean"] == 1.0
    assert found["f2_median"] == pytest.approx((2 / 3) / 2)
    assert found["dice_of_detected_median"] == pytest.approx(0.6)
    assert found["nsd_2_mm_of_detected_median"] == pytest.approx(0.6)
    assert found["patient_lesion_dice_mean"] == pytest.approx((0.4 + 0) / 2)
    # True 5 and 2 mL, predicted 5 and 0.5 mL, 2.7 mL shared.
    assert found["global_dice"] == pytest.approx(2 * 2.7 / 12.5)
    # Two of four lesions at one false positive an exam (0.9 and 0.8), one of four at half of one.
    assert found["sensitivity_at_0.2"] == 0.0
    assert found["sensitivity_at_0.5"] == pytest.approx(0.25)
    assert found["froc_area"] == pytest.approx(0.25 * 0.5 + 0.5 * 14)


def test_measurable_lesions_by_hand():
    found = values(summarise_lesions(cohort(), 1.0))
    assert found["sensitivity_of_all_lesions"] == pytest.approx(1 / 2)
    assert found["false_positives_per_exam_median"] == pytest.approx(0.5)
    assert found["dice_of_detected_median"] == pytest.approx(0.8)
    # True 4 and 2 mL, predicted 4.5 mL; the pair of half a millilitre is gone.
    assert found["global_dice"] == pytest.approx(2 * 2.5 / 10.5)
    assert found["froc_area"] == pytest.approx(0.5 * 4)


def test_sizes_are_cumulative():
    rows = {row.from_ml: row for row in by_size(cohort())}
    assert [rows[ml].lesions for ml in (0.0, 0.5, 1.0, 2.0, 5.0)] == [4, 4, 2, 2, 0]
    assert rows[2.0].sensitivity == 0.5
    assert (rows[1.0].precision, rows[1.0].false_per_exam) == (0.5, 0.5)
    assert rows[5.0].sensitivity is None


def test_structures_by_hand():
    scores = [structure(0.8, 2.0, 1100.0, 200.0), structure(0.6, None, 900.0, 0.0)]
    cases = [case(k, structures={"skeleton": score}) for k, score in enumerate(scores)]
    found = summarise_structures(cases)
    assert list(found) == ["skeleton"]
    skeleton = found["skeleton"]
    assert (skeleton["dice"].mean.value, skeleton["dice"].sd) == pytest.approx((0.7, 0.1))
    assert (skeleton["dice"].lowest, skeleton["dice"].highest) == (0.6, 0.8)
    # A structure that was not found has no surface and no volume, and does not help the mean.
    assert (skeleton["surface_distance_mm"].mean.value, skeleton["surface_distance_mm"].n) == (2, 1)
    assert skeleton["adc_difference_percent"].mean.value == pytest.approx(10.0)
    assert skeleton["log_volume_difference_percent"].mean.value == pytest.approx(
        100 * math.log(2) / math.log(100)
    )


def test_a_logarithm_below_one_millilitre_is_left_out():
    assert log_difference_percent(0.5, 10.0) is None
    assert log_difference_percent(10.0, 1.0) is None
    # 4 % of ln(1000) is a factor of 1.32 (`papers.md` A.2).
    assert log_difference_percent(1000 * 1.3183, 1000.0) == pytest.approx(4.0, abs=0.01)


def test_relative_error_by_hand():
    assert relative_error(110, 100) == pytest.approx(10)
    assert relative_error(80, 100) == pytest.approx(-20)


def test_burden_by_hand():
    cases = [
        case(1, tdv_ml=20.0, true_tdv_ml=10.0, gadc_um2_s=1100.0),
        case(2, tdv_ml=10.0, true_tdv_ml=20.0, gadc_um2_s=900.0),
        case(3, tdv_ml=0.0, true_tdv_ml=5.0, gadc_um2_s=None),
    ]
    found = summarise_burden(cases)
    # +100, -50 and -100 %.
    assert found.tdv_error_percent is not None
    assert found.tdv_error_percent.median == pytest.approx(-50)
    assert found.tdv_error_percent.n == 3
    # ln 2 and -ln 2; what was not found at all has no logarithm.
    ratio = found.tdv_log_ratio
    assert ratio is not None
    assert (ratio.n, ratio.bias) == (2, pytest.approx(0))
    assert ratio.high == pytest.approx(1.96 * math.log(2) * math.sqrt(2))
    assert found.tdv_ml is not None
    assert found.tdv_ml.bias == pytest.approx((10 - 10 - 5) / 3)
    assert found.gadc_um2_s is not None
    assert (found.gadc_um2_s.n, found.gadc_um2_s.bias) == (2, 0)
    percent = found.gadc_percent_of_mean
    assert percent is not None
    assert percent.bias == pytest.approx((100 / 1050 - 100 / 950) * 100 / 2)


def test_the_worst_structure_decides():
    scores = {"skeleton": structure(), "liver": structure(distance=2.5), "pelvis": structure()}
    cases = [case(1, structures=scores)]
    targets = {t.title: t for t in anatomy_targets(summarise_structures(cases), [20.0, 40.0])}
    worst = targets["surface distance mm, worst structure (liver)"]
    assert (worst.found, worst.met) == (2.5, True)
    seconds = targets["network seconds, median, on this machine"]
    assert (seconds.found, seconds.met) == (30.0, False)


def test_disease_targets_by_hand():
    cases = [case(1, disease=structure(0.5, 1.0)), case(2, disease=None), case(3, disease=structure(0.8, 4.0))]  # fmt: skip  # noqa: E501
    targets = disease_targets(cases, summarise_burden(cases))
    found = [(t.found, t.met) for t in targets]
    assert found == [(pytest.approx(0.65), True), (2.5, False), (0.0, True), (0.0, True)]
