"""The focal stage: a list where T1 does, a sentence where it does not, never a stop."""

from dataclasses import replace

import numpy as np
import pytest

from imaging.adc import fit_adc
from imaging.anatomy import BY_NAME
from imaging.burden import Seen
from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import ModelMismatch
from imaging.geometry import Geometry
from imaging.labelling import Anatomy
from imaging.measurement import MeasurementSettings
from imaging.model import Channel, ModelSpec
from workers.focal import find_focal

GRID = Geometry.axial((40, 40, 40), (5.0, 4.0, 4.0), (0.0, 0.0, 0.0))  # 0.08 mL a voxel
CHANNELS = tuple(Channel(q, "percentiles", 1.0, 1.0) for q in ("t1", "b1000"))
SPEC = ModelSpec(
    "focal", "7", CHANNELS, (5.0, 4.0, 4.0), "SPL", 64, 0, (1, 1, 1), ("background", "lesion"),
    "ab", {"lesion": 0.5},
)  # fmt: skip


class OneLesion:
    """Says that 4 x 4 pixels of 2 slices in the middle are a lesion."""

    spec = SPEC

    def predict(self, model_input, on_progress):
        on_progress(1.0)
        lesion = np.zeros(model_input.array.shape[1:], np.float16)
        k, j, i = (n // 2 for n in lesion.shape)
        lesion[k : k + 2, j : j + 4, i : i + 4] = 0.9
        return np.stack([1 - lesion, lesion])


@pytest.fixture(scope="module")
def seen():
    """A body that no shift brings onto itself: an ellipsoid, bright organs off its middle."""
    index = np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"), axis=-1)
    at = GRID.to_patient_mm(index)
    body = (((at - (78, 78, 95)) / (70, 55, 90)) ** 2).sum(axis=-1) < 1
    labels = np.zeros(GRID.shape, np.uint8)
    for name, middle, radius in (("liver", (50, 60, 110), 25), ("pelvis", (80, 100, 40), 22)):
        labels[((at - middle) ** 2).sum(axis=-1) < radius**2] = BY_NAME[name].label
    signal = np.where(body, 100.0, 0.5) + 150.0 * (labels > 0)
    images = {b: (signal * np.exp(-b / 1000)).astype(np.float32) for b in (50.0, 900.0)}
    anatomy = Anatomy(labels, (labels == BY_NAME["pelvis"].label).astype(np.float32))
    return Seen(fit_adc(DiffusionVolume(GRID, images)), images[900.0], anatomy, GRID)


def t1_station(seen, shift_mm=(0.0, 0.0, 0.0), slices=slice(None)):
    """The body on T1, elsewhere by `shift_mm`; organs are dark."""
    image = 400 * (seen.fit.s0 > 20) - 250 * (seen.anatomy.labels > 0)
    affine = GRID.affine.copy()
    affine[:3, 3] = GRID.to_patient_mm((slices.start or 0, 0, 0)) + shift_mm
    part = np.ascontiguousarray(image[slices].astype(np.float32))
    return Station("T1 station 1", DiffusionVolume(Geometry(part.shape, affine), {0.0: part}))


def listed(t1, seen, model=None):
    return find_focal(t1, seen, model or OneLesion(), MeasurementSettings(), lambda _: None)


def test_a_lesion_is_listed_and_measured(seen):
    found = listed([t1_station(seen)], seen)
    assert found.notes == ()
    (lesion,) = found.found.lesions
    assert (lesion.name, lesion.region) == ("F01", "pelvis")
    assert lesion.volume_ml == pytest.approx(32 * 0.08)
    assert lesion.adc.median == pytest.approx(1000.0, abs=1)
    assert (found.found.model.name, found.found.threshold) == ("focal", 0.5)
    assert found.found.labels.shape == GRID.shape
    assert found.found.shown == 1.0


def test_nothing_is_listed_and_nothing_said_without_a_network(seen):
    found = find_focal([t1_station(seen)], seen, None, MeasurementSettings(), lambda _: None)
    assert (found.found, found.notes) == (None, ())


def test_without_t1_a_note_says_so(seen):
    found = listed([], seen)
    assert found.found is None
    assert [(n.code, n.severity) for n in found.notes] == [("FOCAL_NO_T1", "info")]


def test_t1_that_moved_is_brought_back_and_told(seen):
    still = listed([t1_station(seen)], seen).found
    moved = listed([t1_station(seen, (0.0, 20.0, 0.0))], seen)
    assert moved.found.moved_mm == pytest.approx(20.0, abs=2.0)
    assert [n.code for n in moved.notes if n.code == "FOCAL_T1_MOVED"]
    assert np.array_equal(moved.found.labels > 0, still.labels > 0)


def test_stations_that_do_not_meet_cost_the_list_only(seen):
    far = t1_station(seen, (0.0, 0.0, 400.0))
    found = listed([t1_station(seen), replace(far, name="T1 station 2")], seen)
    assert found.found is None
    (note,) = found.notes
    assert note.code == "FOCAL_T1_UNUSABLE"
    assert "missing between stations" in note.text


def test_where_t1_shows_nothing_no_lesion_is_listed(seen):
    found = listed([t1_station(seen, slices=slice(0, 24))], seen)
    assert 0.3 < found.found.shown < 0.8
    assert [n.code for n in found.notes] == ["FOCAL_PARTIAL_T1"]
    assert not found.found.labels[25:].any()


def test_t1_of_another_place_costs_the_list_only(seen):
    found = listed([t1_station(seen, (0.0, 0.0, 900.0))], seen)
    assert found.found is None
    (note,) = found.notes
    assert note.code == "FOCAL_T1_UNUSABLE"
    assert "too little of the body" in note.text


def test_a_network_of_other_classes_is_refused_by_name(seen):
    model = OneLesion()
    model.spec = replace(SPEC, classes=("background", "disease"))
    with pytest.raises(ModelMismatch, match="focal network has background, lesion"):
        listed([t1_station(seen)], seen, model)
