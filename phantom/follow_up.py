"""One person at several visits, and what is true of every lesion between them.

Lesions keep their place in the body (reference coordinates) while the person lies differently,
the table stands elsewhere and the scanner's noise, gains and flaws are drawn anew. What became of
a lesion is counted as it is measured: by the connected parts of the true disease, which may hold
several planned lesions that touch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.acquisition import Protocol, body_grid
from phantom.body_models import paint_body
from phantom.canvas import stretched_canvas
from phantom.course import Course
from phantom.disease import Disease, PlannedLesion, draw_disease
from phantom.patient import Patient, PatientOptions, make_patient
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COARSE = Protocol(slice_mm=10.0, in_plane_mm=5.0, matrix=(80, 104))
_PAIR_REGIONS = ("pelvis", "lumbar_spine")
_PAIR_MM = 22.0
_APART_ML, _TOUCHING_ML = 0.9, 8.0
"""Balls of 6 and 12.4 mm radius, whose middles are `_PAIR_MM` apart: a gap, or one mass."""
_LEAST_ML = 0.3
"""Smaller planned lesions are drawn up to this: what is not seen cannot be followed."""
_GONE_ML = 0.02


@dataclass(frozen=True)
class _Fate:
    """Of one lesion, from the first visit to the last: factors of volume, ADC and contrast."""

    volume: float
    adc: float
    contrast: float = 1.0


def make_visits(seed: int, course: Course, n_visits: int = 2) -> tuple[Patient, ...]:
    """Return one person of the beaded model at each visit; equal arguments, equal persons.

    The first visit's body is that of `make_patient(seed)`; its disease is focal and drawn anew.
    """
    person = make_patient(seed, PatientOptions(diseased=False))
    rng = np.random.default_rng([seed, 20_260_101])
    drawn = draw_disease(rng, diseased=True, count=int(rng.integers(6, 15)))
    plans = [replace(p, volume_ml=max(p.volume_ml, _LEAST_ML)) for p in drawn.lesions]
    plans += _pair(rng, drawn)
    fates = _fates(rng, course, len(plans))
    places = _places(person, plans)
    placed = [
        (replace(plan, place_mm=place), fate)
        for plan, fate, place in zip(plans, fates, places, strict=True)
        if place is not None
    ]
    return tuple(
        _visit(person, k, _disease_at(drawn, placed, course, k / max(n_visits - 1, 1)))
        for k in range(n_visits)
    )


def _visit(person: Patient, k: int, disease: Disease) -> Patient:
    if k == 0:
        return replace(person, disease=disease)
    own = np.random.SeedSequence([person.seed, 77, k]).spawn(3)
    streams = dict(zip(("moved", "visit", "acquisition"), own, strict=True))
    streams["plan"] = person.streams["acquisition"]
    return replace(person, disease=disease, streams={**person.streams, **streams})


def _disease_at(
    drawn: Disease, placed: list[tuple[PlannedLesion, _Fate]], course: Course, at: float
) -> Disease:
    """Return the disease at `at`, 0 for the first visit and 1 for the last."""
    last = len(placed) - 1
    lesions = []
    for k, (plan, fate) in enumerate(placed):
        # The last two are the pair: one mass, or two lesions, as the course has it.
        volume = _pair_ml(course, at) if k >= last - 1 else _volume_ml(plan, fate, at)
        lesions.append(
            replace(
                plan,
                volume_ml=volume,
                adc_um2_s=float(np.clip(plan.adc_um2_s * fate.adc**at, 450, 2500)),
                contrast=max(plan.contrast * fate.contrast**at, 2.3),
            )
        )
    return replace(drawn, lesions=tuple(p for p in lesions if p.volume_ml > _GONE_ML))


def _volume_ml(plan: PlannedLesion, fate: _Fate, at: float) -> float:
    """Grow or shrink evenly on the logarithm; what is new or gone is there at one end only."""
    if fate.volume == 0:
        return plan.volume_ml if at < 1 else 0.0
    if np.isinf(fate.volume):
        return plan.volume_ml if at > 0 else 0.0
    return float(plan.volume_ml * fate.volume**at)


def _pair_ml(course: Course, at: float) -> float:
    touching = {Course.RESPONDING: at < 1, Course.MIXED: at < 1, Course.PROGRESSING: at > 0}
    return _TOUCHING_ML if touching.get(course, False) else _APART_ML


def _fates(rng: np.random.Generator, course: Course, n: int) -> list[_Fate]:
    """Draw what becomes of each lesion; the last two, the pair, keep their kind."""
    fates = [_fate(rng, course) for _ in range(n)]
    if course is Course.PROGRESSING:
        fates[0] = replace(fates[0], volume=np.inf)
    if course is Course.RESPONDING:
        fates[0] = replace(fates[0], volume=0.0)
    if course is Course.MIXED:
        fates[0], fates[1] = _Fate(0.0, 1.0), _Fate(np.inf, 1.0)
    return fates


def _fate(rng: np.random.Generator, course: Course) -> _Fate:
    shrinks = rng.random() < {Course.RESPONDING: 1.0, Course.MIXED: 0.5}.get(course, 0.0)
    special = rng.random()
    if course is Course.STABLE:
        return _Fate(1.0, 1.0)
    if shrinks:
        volume = 0.0 if special < 0.15 else float(rng.uniform(0.25, 0.7))
        return _Fate(volume, float(rng.uniform(1.2, 1.6)), 0.85)
    return _Fate(
        np.inf if special < 0.2 else float(rng.uniform(1.5, 3.5)), float(rng.uniform(0.92, 1.05))
    )


def _pair(rng: np.random.Generator, drawn: Disease) -> list[PlannedLesion]:
    """Two lesions side by side that touch or do not."""
    region = _PAIR_REGIONS[int(rng.integers(len(_PAIR_REGIONS)))]
    level = float(np.clip(drawn.diffuse_adc_um2_s, 700, 1500))
    where = (float(rng.random()), 0.5, 0.5)
    return [
        PlannedLesion(region, _APART_ML, level, 4.0, where, int(rng.integers(2**31)))
        for _ in range(2)
    ]


def _places(person: Patient, plans: list[PlannedLesion]) -> list[tuple[float, float, float] | None]:
    """Return a place in the marrow of the reference person for each plan, the last two a pair.

    None where there is no bone of that name.
    """
    geometry = body_grid(person, _COARSE)
    body = paint_body(person, geometry)
    bend = np.random.default_rng(person.streams["bend"])
    canvas = stretched_canvas(geometry, person.habitus, bend)
    marrow = body.tissue == Tissue.MARROW
    found: list[tuple[float, float, float] | None] = []
    for k, plan in enumerate(plans):
        here = marrow & (body.labels == BY_NAME[plan.region].label)
        points = np.stack([c[here] for c in (canvas.x, canvas.y, canvas.z)], axis=1)
        second = k == len(plans) - 1
        found.append(_place(points, plan, found[-1] if second else None))
    return found


def _place(
    points: NDArray[np.float32],
    plan: PlannedLesion,
    beside: tuple[float, float, float] | None,
) -> tuple[float, float, float] | None:
    if not len(points):
        return None
    chosen = int(plan.where[0] * len(points))
    if beside is not None:
        distance = np.linalg.norm(points - np.array(beside), axis=1)
        chosen = int(np.abs(distance - _PAIR_MM).argmin())
    x, y, z = points[chosen].tolist()
    return (x, y, z)
