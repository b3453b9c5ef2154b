"""A body of boxes: bones one above the other, with balls of disease, somewhere in the scanner."""

import numpy as np

from imaging.anatomy import BY_NAME
from imaging.disease import DiseaseMask
from imaging.geometry import Geometry
from imaging.lesions import find_lesions
from imaging.measured_study import StudyImages, StudyOrigin, measured_study
from imaging.measurement import MeasurementSettings, measure

SPACING_MM = (5.0, 4.0, 4.0)
BONES = {  # name: centre and half sizes, mm of the body
    "skull": ((0, 0, 560), (60, 70, 40)),
    "cervical_spine": ((0, 30, 490), (24, 20, 25)),
    "thoracic_spine": ((0, 40, 380), (24, 24, 80)),
    "ribs": ((70, 0, 380), (12, 60, 60)),
    "lumbar_spine": ((0, 40, 240), (28, 26, 55)),
    "sacrum": ((0, 50, 155), (32, 20, 25)),
    "pelvis": ((-60, 10, 140), (24, 50, 40)),
    "femur_left": ((60, 10, 40), (20, 20, 60)),
    "femur_right": ((-60, 10, 40), (20, 20, 60)),
}


def study_images(lesions, offset_mm=(0, 0, 0), z_mm=(-40, 640), adc=1000.0, turn_deg=0.0):
    """Balls (centre in mm of the body, radius) within bone; `z_mm` is what the scanner shows."""
    n = round((z_mm[1] - z_mm[0]) / SPACING_MM[0])
    geometry = Geometry.axial((n, 48, 56), SPACING_MM, (-110.0, -90.0, float(z_mm[0])))
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    points = geometry.to_patient_mm(index) - np.array(offset_mm, dtype=float)
    c, s = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    points = points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T
    labels = np.zeros(geometry.shape, np.uint8)
    for name, (centre, half) in BONES.items():
        labels[(np.abs(points - centre) < half).all(axis=-1)] = BY_NAME[name].label
    mask = np.zeros(geometry.shape, np.bool_)
    for centre, radius in lesions:
        mask |= np.linalg.norm(points - centre, axis=-1) < radius
    inside = (points[..., 0] / 110) ** 2 + (points[..., 1] / 90) ** 2 < 1
    texture = 100 * np.sin(points[..., 0] / 15) * np.cos(points[..., 2] / 20)
    values = np.where(inside, 1500 + texture, np.nan)
    values[mask] = adc
    signal = np.where(mask, 3.0, 1.0).astype(np.float32)
    found = find_lesions(mask, geometry)
    return StudyImages(geometry, labels, found, values.astype(np.float32), signal, "cord")


def measurement(images):
    """Measure the disease that the images hold."""
    disease = DiseaseMask(images.lesion_labels > 0, 0.0, 0.0, 0.5)
    on = (disease, images.lesion_labels, images.geometry, MeasurementSettings())
    return measure(images.adc_um2_s, images.labels, *on)


def study(images, uid="1.2.3", date="2026-01-01", scanner="A", *, keep_images=True):
    """Measure them and give them an identity."""
    origin = StudyOrigin(uid, f"run-{uid}", date, f"scanner {scanner}", scanner)
    return measured_study(origin, measurement(images), images if keep_images else None)
