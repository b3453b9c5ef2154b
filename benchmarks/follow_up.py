"""Pairs of synthetic visits of known truth: how right are changes and lesion tracks.

`python -m benchmarks.follow_up --pairs 40` uses the shipped models; `--truth` puts the true labels
and disease in their place, which shows registration and tracks alone.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.adc import AdcSettings, fit_adc
from imaging.burden import Seen
from imaging.disease import DiseaseMask
from imaging.follow_up import compare
from imaging.lesions import find_lesions
from imaging.measured_study import StudyImages, StudyOrigin, measured_study
from imaging.measurement import MeasurementSettings, measure
from imaging.normalisation import MEASURE_ANYWAY, normalise_high_b
from imaging.stations import assemble
from phantom.acquisition import Protocol
from phantom.course import Course
from phantom.follow_up import make_visits
from phantom.follow_up_score import MeasuredLink, SeenVisit, TrackScore, score_tracks
from phantom.follow_up_truth import scan_visit, true_links
from service.settings import load_settings
from service.wiring import make_pipeline
from workers.anatomy import find_anatomy
from workers.disease import find_disease

if TYPE_CHECKING:
    from imaging.follow_up import Compared
    from imaging.measured_study import MeasuredStudy
    from phantom.follow_up_truth import Visit
    from workers.pipeline import Pipeline

DAYS = ("2026-01-01", "2026-04-01")
SMALL = Protocol(in_plane_mm=5.0, matrix=(80, 104))
WITHIN_POINTS = 5.0
_HEAD = (
    "seed course       TDV % true    found  gADC true    found  right wrong missed false  Dice s"
)


@dataclass(frozen=True)
class Row:
    """One pair: true and measured changes in %, tracks, and whether totals were called within."""

    seed: int
    course: Course
    tdv: tuple[float, float]
    gadc: tuple[float, float]
    tracks: TrackScore
    within: bool
    dice: float


def main() -> None:
    """Measure the pairs, print a row each and the shares."""
    given = _arguments()
    pipeline = None if given.truth else make_pipeline(load_settings())
    courses = [Course(name) for name in given.courses]
    print(_HEAD)
    rows = []
    for k in range(given.pairs):
        started = time.monotonic()
        row = _pair(given.seed + k, courses[k % len(courses)], pipeline, small=given.small)
        rows.append(row)
        _print(row, time.monotonic() - started)
    _summarise(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=5000, help="of the first pair")
    parser.add_argument("--courses", nargs="+", default=[c.value for c in Course])
    parser.add_argument("--small", action="store_true", help="coarse pixels, to try it")
    parser.add_argument("--truth", action="store_true", help="no models: true labels and disease")
    return parser.parse_args()


def _pair(seed: int, course: Course, pipeline: Pipeline | None, *, small: bool) -> Row:
    protocol = SMALL if small else Protocol()
    visits = [scan_visit(person, protocol) for person in make_visits(seed, course)]
    studies = [_measured(v, day, pipeline) for v, day in zip(visits, DAYS, strict=True)]
    compared = compare(studies[1], [studies[0]], lambda name: f"2.25.{hash(name) % 10**9}")
    found = compared.comparison.headline
    truths = [visit.acquisition.truth for visit in visits]
    return Row(
        seed,
        course,
        (_percent(truths[0].tdv_ml, truths[1].tdv_ml), found.tdv.percent or np.nan),
        (_percent(truths[0].gadc_um2_s, truths[1].gadc_um2_s), found.gadc.percent or np.nan),
        _tracks(visits, studies, compared),
        found.tdv.call == "within" and found.gadc.call == "within",
        found.registration.skeleton_dice if found.registration else np.nan,
    )


def _tracks(visits: list[Visit], studies: list[MeasuredStudy], compared: Compared) -> TrackScore:
    names_now = {identity.name: label for label, identity in compared.identities.items()}
    names_before = {lesion.name: lesion.label for lesion in studies[0].lesions}
    links = [
        MeasuredLink(
            track.state,
            tuple(names_before[name] for name in track.prior),
            tuple(names_now[name] for name in track.current),
        )
        for track in compared.comparison.headline.tracks
    ]
    seen = [
        SeenVisit(v.parts, s.images.lesion_labels) for v, s in zip(visits, studies, strict=True)
    ]
    return score_tracks(true_links(*visits), links, *seen)


def _measured(visit: Visit, day: str, pipeline: Pipeline | None) -> MeasuredStudy:
    images, removed = _true_images(visit) if pipeline is None else _found(visit, pipeline)
    disease = DiseaseMask(images.lesion_labels > 0, *removed, 0.5)
    on = (disease, images.lesion_labels, images.geometry, MeasurementSettings())
    measurement = measure(images.adc_um2_s, images.labels, *on)
    origin = StudyOrigin(f"2.25.{day[5:7]}", "run", day, "phantom", "phantom")
    return measured_study(origin, measurement, images)


def _true_images(visit: Visit) -> tuple[StudyImages, tuple[float, float]]:
    truth = visit.acquisition.truth
    adc = np.where(visit.parts > 0, np.nan_to_num(truth.adc_um2_s, nan=1000.0), truth.adc_um2_s)
    signal = np.zeros(truth.labels.shape, np.float32)
    arrays = (truth.labels, visit.parts, adc.astype(np.float32), signal)
    return StudyImages(truth.geometry, *arrays, ""), (0.0, 0.0)


def _found(visit: Visit, pipeline: Pipeline) -> tuple[StudyImages, tuple[float, float]]:
    """Walk the path of a study from its stations on, without DICOM."""
    volume = assemble(visit.acquisition.stations).volume
    grid = volume.geometry
    fit = fit_adc(volume, AdcSettings())
    body = find_anatomy(fit, grid, pipeline.anatomy, lambda _: None)
    canal = body.labels == 20
    signal = normalise_high_b(volume.high_b, fit.adc_um2_s, canal, grid, MEASURE_ANYWAY)
    seen = Seen(fit, signal.image, body, grid)
    disease = find_disease(seen, pipeline.disease, pipeline.rule, lambda _: None)
    lesions = find_lesions(disease.mask, grid, pipeline.rule.min_volume_ml)
    arrays = (body.labels, lesions, fit.adc_um2_s, signal.image)
    images = StudyImages(grid, *arrays, signal.unit if signal.accepted else "")
    return images, (disease.removed_organ_ml, disease.removed_canal_ml)


def _percent(before: float, after: float) -> float:
    return 100 * (after / before - 1)


def _print(row: Row, seconds: float) -> None:
    tracks = row.tracks
    print(
        f"{row.seed} {row.course.value:12s} {row.tdv[0]:10.1f} {row.tdv[1]:8.1f}"
        f" {row.gadc[0]:10.1f} {row.gadc[1]:8.1f}"
        f" {tracks.right:6d} {tracks.wrong:5d} {tracks.missed:6d} {tracks.false:5d}"
        f" {row.dice:6.2f} {seconds:5.0f}{'' if row.within else '  beyond'}",
        flush=True,
    )


def _summarise(rows: list[Row]) -> None:
    for name in ("tdv", "gadc"):
        errors = np.array([np.subtract(*reversed(getattr(row, name))) for row in rows])
        within = np.mean(np.abs(errors) <= WITHIN_POINTS)
        print(
            f"{name.upper():5s} change, error in points: median {np.nanmedian(errors):+.1f},"
            f" median of sizes {np.nanmedian(np.abs(errors)):.1f},"
            f" within {WITHIN_POINTS:g} points {within:.0%} of {len(rows)} pairs"
        )
    tracks = sum((row.tracks for row in rows), start=TrackScore())
    share = tracks.share_right
    print(
        f"tracks right: {'-' if share is None else f'{share:.1%}'} of {tracks.right + tracks.wrong}"
        f" lesions that were found; {tracks.missed} missed, {tracks.false} false"
    )
    stable = [row for row in rows if row.course is Course.STABLE]
    if stable:
        print(f"stable pairs within limits: {sum(r.within for r in stable)} of {len(stable)}")


if __name__ == "__main__":
    main()
