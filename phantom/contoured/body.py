"""Paint one person of the contoured model on a grid: tissues, labels and lesions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BONES, BY_NAME
from phantom.body import Body
from phantom.contoured.arms import forearm_solids, humerus_solids
from phantom.contoured.build import Arms, draw_build
from phantom.contoured.canvas import make_canvas
from phantom.contoured.column import vertebrae
from phantom.contoured.head import (
    TEETH,
    air_solids,
    brain_solid,
    eye_solids,
    fluid_solid,
    skull_solids,
    ventricle_solids,
)
from phantom.contoured.implicit import ripples
from phantom.contoured.lesions import grow_lesions
from phantom.contoured.outline import paint_outline
from phantom.contoured.pelvis import femur_solids, pelvis_solids
from phantom.contoured.small_parts import colon_solids, ganglion_solids, gland_parts, paint_bowel
from phantom.contoured.thorax import (
    cartilage_solids,
    clavicle_solids,
    rib_solids,
    scapula_solids,
    sternum_solids,
)
from phantom.contoured.vertebra import (
    canal_solids,
    discs,
    root_places,
    sacrum_solids,
    vertebra_solid,
)
from phantom.contoured.viscera import organ_parts
from phantom.extent import Extent
from phantom.fields import smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from imaging.geometry import Geometry
    from phantom.contoured.build import Build
    from phantom.contoured.canvas import Canvas
    from phantom.contoured.column import Vertebra
    from phantom.patient import Patient

_UNNAMED = 255
_VERTEX_MM, _THIGH_MM = 1741.0, 742.0
_SIDES = {1: "left", -1: "right"}
_THIN_CORTEX = {"ribs": 0.5, "sternum": 0.45, "scapulae": 0.6, "cervical_spine": 0.6,
                "thoracic_spine": 0.6, "lumbar_spine": 0.6, "femur_left": 1.4, "femur_right": 1.4,
                "humerus_left": 1.3, "humerus_right": 1.3}  # fmt: skip
_IN_CAVITY = np.ones(256, bool)
_IN_CAVITY[[Tissue.AIR, Tissue.FAT, Tissue.MUSCLE]] = False


def build_of(patient: Patient) -> Build:
    """Return the person's shape, which his seed decides."""
    return draw_build(np.random.default_rng(patient.streams["habitus"]))


def extent_of(patient: Patient) -> Extent:
    """Where the person lies; hands on the belly are part of it."""
    build = build_of(patient)
    wide, deep, tall = build.scale
    belly = max(build.belly_mm, 0.0)
    hands = 32.0 if build.arms is Arms.ON_BELLY else 0.0
    return Extent(
        vertex_mm=_VERTEX_MM,
        thigh_mm=_THIGH_MM,
        size=tall,
        front_mm=-(117 + belly + build.fat_mm + hands) * deep,
        back_mm=(112 + 0.8 * build.fat_mm) * deep,
        half_width_mm=(170 + 0.3 * belly + build.fat_mm) * wide,
    )


def paint_body(patient: Patient, geometry: Geometry) -> Body:
    """Paint `patient` on an axial `geometry` (slices to the head, mm of the patient)."""
    build, streams = build_of(patient), patient.streams
    canvas = make_canvas(geometry, build, np.random.default_rng(streams["bend"]))
    vs = vertebrae(build)
    folds = np.random.default_rng(streams["folds"])
    paint_outline(canvas, build, vs)
    _marble_muscle(canvas, build, folds)
    _paint_head(canvas, build, folds)
    _paint_organs(canvas, build, vs, np.random.default_rng(streams["organs"]))
    surface = np.random.default_rng(streams["surface"])
    _add_bones(canvas, build, vs, surface)
    canvas.fill([*discs(vs)], Tissue.DISC)
    canvas.fill(cartilage_solids(vs, build), Tissue.CARTILAGE)
    _settle_bones(canvas, build, surface)
    _paint_canal(canvas, vs, surface)
    lesions = grow_lesions(canvas, patient.disease)
    canvas.tissue[lesions.index > 0] = Tissue.LESION
    teeth = canvas.index(TEETH)[0]
    place = (float(teeth[0]), float(teeth[1]), float(teeth[2]))
    return Body(geometry, canvas.tissue, canvas.labels, lesions, place)


def _marble_muscle(canvas: Canvas, build: Build, rng: np.random.Generator) -> None:
    """Sheets of fat between muscles, along the body; more with age and weight."""
    cell = [m / s for m, s in zip((70.0, 19.0, 21.0), canvas.geometry.spacing_mm, strict=True)]
    sheet = np.abs(smooth_noise(canvas.tissue.shape, (cell[0], cell[1], cell[2]), rng))
    thin = np.float32(0.02 + 0.0008 * build.age + 0.001 * build.fat_mm)
    canvas.tissue[(canvas.tissue == Tissue.MUSCLE) & (sheet < thin)] = Tissue.FAT


def _paint_head(canvas: Canvas, build: Build, rng: np.random.Generator) -> None:
    canvas.fill([fluid_solid(build)], Tissue.CSF)
    found = canvas.near(brain_solid(build))
    if found is not None:
        box, distance = found
        tissue = canvas.tissue[box]
        cell = [9.0 / s for s in canvas.geometry.spacing_mm]
        fold = np.sin(
            4.0 * smooth_noise(tissue.shape, (2 * cell[0], 2 * cell[1], 2 * cell[2]), rng)
        )
        furrow = (np.abs(fold) < 0.02 + 0.0016 * build.age) & (distance > -14)
        tissue[(distance < 0) & ~furrow] = Tissue.BRAIN
    canvas.fill(ventricle_solids(), Tissue.CSF)
    canvas.fill(eye_solids(), Tissue.EYE)
    canvas.fill(air_solids(), Tissue.GAS)


def _paint_organs(
    canvas: Canvas, build: Build, vs: tuple[Vertebra, ...], rng: np.random.Generator
) -> None:
    paint_bowel(canvas, build, rng)
    for solids, tissue in colon_solids(build, rng):
        canvas.fill(solids, tissue, within=_IN_CAVITY)
    for part in organ_parts(build, vs, rng):
        within = _IN_CAVITY if part.inside else None
        canvas.fill([part.solid], part.tissue, part.label, within)
    for solid, tissue in gland_parts(rng):
        canvas.fill([solid], tissue)


def _add_bones(
    canvas: Canvas, build: Build, vs: tuple[Vertebra, ...], rng: np.random.Generator
) -> None:
    named = [
        ("skull", skull_solids(build, ripples(rng, 0.02)), 3.0),
        ("sacrum", sacrum_solids(build), 4.0),
        ("ribs", rib_solids(vs, build), 0.0),
        ("sternum", sternum_solids(build), 0.0),
    ]
    named += [(v.region, [vertebra_solid(v, build)], 0.0) for v in vs]
    for side, word in _SIDES.items():
        named += [
            ("pelvis", pelvis_solids(build, side), 6.0),
            ("scapulae", scapula_solids(build, side), 4.0),
            ("clavicles", clavicle_solids(build, side), 0.0),
            (f"femur_{word}", femur_solids(build, side), 5.0),
            (f"humerus_{word}", humerus_solids(build, side), 5.0),
        ]
        canvas.add_bone(forearm_solids(build, side), _UNNAMED)
    for name, solids, blend in named:
        canvas.add_bone(solids, BY_NAME[name].label, blend)


def _settle_bones(canvas: Canvas, build: Build, rng: np.random.Generator) -> None:
    """Turn distances into cortex and marrow; bone lies over everything soft."""
    cell = [12.0 / s for s in canvas.geometry.spacing_mm]
    rough = smooth_noise(canvas.tissue.shape, (cell[0], cell[1], cell[2]), rng)
    depth = canvas.bone_mm + np.float32(0.4) * rough
    bone = depth < 0
    cortex = np.full(256, build.cortex_mm, np.float32)
    for name, factor in _THIN_CORTEX.items():
        cortex[BY_NAME[name].label] *= factor
    shell = bone & (depth > -cortex[canvas.bone_label])
    canvas.tissue[bone] = Tissue.MARROW
    canvas.tissue[shell] = Tissue.CORTEX
    named = np.zeros(256, np.uint8)
    named[[s.label for s in BONES]] = [s.label for s in BONES]
    canvas.labels[bone] = named[canvas.bone_label[bone]]


def _paint_canal(canvas: Canvas, vs: tuple[Vertebra, ...], rng: np.random.Generator) -> None:
    canvas.fill(ganglion_solids(root_places(vs), rng), Tissue.GANGLION)
    label = BY_NAME["spinal_canal"].label
    canal, cord = canal_solids(vs)
    canvas.fill(canal, Tissue.CSF, label)
    canvas.fill(cord, Tissue.CORD, label)
