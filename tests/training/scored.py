"""Scored exams made by hand."""

from __future__ import annotations

from training.scoring.case import CaseResult
from training.scoring.lesions import ExamLesions, LesionScore, PredictionScore
from training.scoring.structures import StructureScore


def structure(dice=0.9, distance=1.0, adc=1050.0, volume=110.0):
    return StructureScore(
        dice=dice,
        precision=dice,
        recall=dice,
        nsd=(0.5, 0.6, 0.7),
        surface_distance_mm=distance,
        volume_ml=volume,
        true_volume_ml=100.0,
        adc_um2_s=adc,
        true_adc_um2_s=1000.0,
    )


def hit(volume_ml, confidence, dice=0.5):
    return LesionScore(volume_ml, True, confidence, dice, (dice, dice, dice))


def miss(volume_ml):
    return LesionScore(volume_ml, detected=False)


def right(volume_ml, confidence):
    return PredictionScore(volume_ml, confidence, true=True)


def wrong(volume_ml, confidence):
    return PredictionScore(volume_ml, confidence, true=False)


def exam(lesions=(), predictions=(), shared_ml=()):
    return ExamLesions(tuple(lesions), tuple(predictions), tuple(shared_ml))


def case(number, lesions=None, **changes):
    values = {
        "case": f"phantom-{number:05d}",
        "patient": f"phantom-{number:05d}",
        "structures": {"skeleton": structure(), "liver": structure(0.95)},
        "lesion_source": "a test",
        "lesions": lesions or exam([hit(2.0, 0.9)], [right(2.0, 0.9)], [(0, 0, 1.0)]),
        "disease": structure(0.7),
        "tdv_ml": 100.0,
        "true_tdv_ml": 100.0,
        "gadc_um2_s": 1000.0,
        "true_gadc_um2_s": 1000.0,
        "reference_accepted": True,
        "network_seconds": 1.0,
        "scoring_seconds": 2.0,
        "bf16": False,
    }
    return CaseResult(**(values | changes))
