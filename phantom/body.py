"""Paint one person on a grid: tissues, labels and lesions, voxel by voxel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BONES, BY_NAME
from phantom.canvas import Canvas, add_bone, fill, stretched_canvas
from phantom.fields import smooth_noise
from phantom.glands import ganglia
from phantom.lesions import Grown, grow_lesions
from phantom.limbs import arm_outline, femur_shapes, forearm_bones, humerus_shapes
from phantom.organs import organ_parts
from phantom.outline import paint_outline
from phantom.pelvis import pelvis_shapes
from phantom.skull import brain_shapes, floor_z, head_contents, skull_shapes
from phantom.spine import canal_shapes, sacrum_shapes, vertebrae
from phantom.thorax import cartilages, girdle_shapes, rib_shapes, sternum_shapes
from phantom.tissue import Tissue
from phantom.vertebra import discs, vertebra_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from phantom.fields import Field
    from phantom.habitus import Habitus
    from phantom.patient import Patient
    from phantom.shapes import Shape

_UNNAMED_BONE = 255
_TEETH = np.array([[0.0, -80.0, 1530.0]])
_THIN_CORTEX = ("ribs", "sternum", "scapulae", "clavicles", "cervical_spine")


@dataclass(frozen=True, eq=False)
class Body:
    """A person on a grid: `tissue` by `Tissue`, `labels` by structure, lesions as grown."""

    geometry: Geometry
    tissue: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    lesions: Grown
    teeth: tuple[float, float, float]
    """Fractional index of the teeth, where dental metal would be."""


def paint_body(patient: Patient, geometry: Geometry) -> Body:
    """Paint `patient` on an axial `geometry` (slices to the head, mm of the patient)."""
    habitus, streams = patient.habitus, patient.streams
    canvas = stretched_canvas(geometry, habitus, np.random.default_rng(streams["bend"]))
    rough = _roughness(geometry, np.random.default_rng(streams["surface"]))
    organ_rng = np.random.default_rng(streams["organs"])
    _paint_soft_tissue(canvas, habitus, rough, organ_rng)
    _paint_head(canvas)
    _paint_folds(canvas, habitus, np.random.default_rng(streams["folds"]))
    for shape in _bones(habitus):
        add_bone(canvas, shape)
    _settle_bones(canvas, habitus, rough)
    _paint_canal(canvas, habitus, organ_rng)
    labels = canvas.soft_label
    lesions = grow_lesions(canvas, labels, patient.disease)
    canvas.tissue[lesions.index > 0] = Tissue.LESION
    teeth = canvas.locate(_TEETH)[0]
    place = (float(teeth[0]), float(teeth[1]), float(teeth[2]))
    return Body(geometry, canvas.tissue, labels, lesions, place)


def _roughness(geometry: Geometry, rng: np.random.Generator) -> Field:
    cell = [16.0 / s for s in geometry.spacing_mm]
    return smooth_noise(geometry.shape, (cell[0], cell[1], cell[2]), rng)


def _paint_soft_tissue(
    canvas: Canvas, habitus: Habitus, rough: Field, rng: np.random.Generator
) -> None:
    arms = [arm_outline(habitus, side) for side in (-1, 1)]
    for fat, _ in arms:
        for shape in fat:
            fill(canvas, shape)
    paint_outline(canvas, habitus)
    for _, muscle in arms:
        for shape in muscle:
            fill(canvas, shape)
    for part in organ_parts(habitus, rng):
        fill(
            canvas,
            part.shape,
            label=part.label,
            cavity_only=part.cavity_only,
            roughness=rough * np.float32(part.rough_mm) if part.rough_mm else None,
        )


def _paint_head(canvas: Canvas) -> None:
    for shape in head_contents():
        fill(canvas, shape)
    brain, ventricles = brain_shapes()
    for shape in brain:
        fill(canvas, shape)
    head = canvas.z[:, 0, 0] > 1560
    below = canvas.z[head] < np.interp(canvas.y[head], *_floor()).astype(np.float32)
    cut = below & (canvas.tissue[head] == Tissue.BRAIN)
    canvas.tissue[head] = np.where(cut, np.uint8(Tissue.MUSCLE), canvas.tissue[head])
    for shape in ventricles:
        fill(canvas, shape)


def _paint_folds(canvas: Canvas, habitus: Habitus, rng: np.random.Generator) -> None:
    """Sulci between the folds of the brain, fat between the bundles of muscle."""
    cell = [11.0 / s for s in canvas.geometry.spacing_mm]
    noise = smooth_noise(canvas.tissue.shape, (cell[0], cell[1], cell[2]), rng)
    np.abs(noise, out=noise)
    brain = canvas.z[:, 0, 0] > 1560
    sulcus = (canvas.tissue[brain] == Tissue.BRAIN) & (noise[brain] < 0.03 + 0.0012 * habitus.age)
    canvas.tissue[brain] = np.where(sulcus, np.uint8(Tissue.CSF), canvas.tissue[brain])
    width = 0.0006 * habitus.age + 0.001 * habitus.fat_mm
    canvas.tissue[(canvas.tissue == Tissue.MUSCLE) & (noise < width)] = Tissue.FAT


def _floor() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y = np.linspace(-100, 100, 41)
    return y, np.array([floor_z(float(v)) for v in y])


def _bones(habitus: Habitus) -> list[Shape]:
    vs = vertebrae(habitus)
    shapes: list[Shape] = [*skull_shapes(habitus)]
    for v in vs:
        shapes += vertebra_shapes(v, habitus)
    shapes += [*sacrum_shapes(habitus), *pelvis_shapes(habitus), *rib_shapes(vs, habitus)]
    shapes += [*sternum_shapes(habitus), *girdle_shapes(habitus)]
    for side in (-1, 1):
        shapes += [*femur_shapes(habitus, side), *humerus_shapes(habitus, side)]
        shapes += [_unnamed(s) for s in forearm_bones(habitus, side)]
    return shapes


def _unnamed(shape: Shape) -> Shape:
    object.__setattr__(shape, "code", _UNNAMED_BONE)
    return shape


def _settle_bones(canvas: Canvas, habitus: Habitus, rough: Field) -> None:
    """Cartilage and discs first, then bone over everything, with cortex and marrow."""
    vs = vertebrae(habitus)
    for shape in (*discs(vs), *cartilages(vs, habitus)):
        fill(canvas, shape)
    depth = canvas.bone_mm + np.float32(0.5) * rough
    bone = depth < 0
    canvas.tissue[bone] = Tissue.MARROW
    cortex = np.full(256, habitus.cortex_mm, np.float32)
    for name in _THIN_CORTEX:
        cortex[BY_NAME[name].label] *= 0.6
    cortex[BY_NAME["skull"].label] = 2.0
    shell = bone & (depth > -cortex[canvas.bone_label])
    canvas.tissue[shell] = Tissue.CORTEX
    named = np.zeros(256, np.uint8)
    named[[s.label for s in BONES]] = [s.label for s in BONES]
    canvas.soft_label[bone] = named[canvas.bone_label[bone]]


def _paint_canal(canvas: Canvas, habitus: Habitus, rng: np.random.Generator) -> None:
    vs = vertebrae(habitus)
    roots = [
        v.at(side * (v.canal[0] + 9), v.canal_back - 1, -v.half_height - 2)
        for v in vs[2:]
        for side in (-1, 1)
    ]
    for part in ganglia(roots, rng):
        fill(canvas, part.shape)
        # a ganglion lies in the foramen, which is not bone
    label = BY_NAME["spinal_canal"].label
    canal, cord = canal_shapes(vs, habitus)
    fill(canvas, canal, label=label)
    fill(canvas, cord, label=label)
