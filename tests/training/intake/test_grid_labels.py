import numpy as np
import pytest

from dicom_objects.reading.segmentation import SegmentMask
from imaging.diffusion import DiffusionVolume
from imaging.geometry import Geometry
from training.errors import TrainingError
from training.intake import grid_labels, study
from training.intake.class_map import ClassMap
from training.intake.grid_labels import LabelPart, labels_of, segmentation_parts
from training.intake.study import StudyFolder
from training.tasks import TASKS

GRID = Geometry.axial((2, 2, 4), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))


def part(position, columns, share=1.0):
    mask = np.zeros(GRID.shape, np.float32)
    mask[:, :, columns] = share
    return LabelPart(position, GRID, mask)


def test_the_largest_share_wins_and_background_is_what_is_left():
    parts = [part(1, 0, 0.6), part(2, 0, 0.4), part(2, 1, 0.3), part(3, 2, 0.5)]
    labels = labels_of(parts, GRID)
    # Column 0: 0.6 against 0.4; 1: 0.3 against 0.7 of background; 2: half goes to the class.
    assert labels[0, 0].tolist() == [1, 0, 3, 0]


def test_stations_that_overlap_count_once():
    # Twice 0.4 of one class in the same voxel is 0.4, not 0.8: background keeps it.
    assert not labels_of([part(1, 0, 0.4), part(1, 0, 0.4)], GRID).any()
    assert labels_of([part(1, 0), part(1, slice(0, 2))], GRID)[1, 1].tolist() == [1, 1, 0, 0]


def test_a_part_on_another_grid_lands_where_it_is():
    fine = Geometry.axial((2, 2, 2), (5.0, 2.0, 2.0), (4.0, 0.0, 0.0))
    labels = labels_of([LabelPart(5, fine, np.ones(fine.shape, np.float32))], GRID)
    assert labels[0, 0].tolist() == [0, 0, 5, 5]


def segment(label, structure, frame=""):
    geometry = Geometry(GRID.shape, GRID.affine, frame)
    return SegmentMask(label, "", "", structure, geometry, np.ones(GRID.shape, np.float32))


def test_disease_is_learned_from_lesions_and_anatomy_from_structures(tmp_path, monkeypatch):
    held = (segment("Liver", "liver"), segment("Bone lesion 1", "disease"))
    monkeypatch.setattr(grid_labels, "read_segmentation", lambda _: held)
    for task, expected in (("anatomy", [15]), ("disease", [1])):
        known = TASKS[task].classes
        found = segmentation_parts([tmp_path / "seg.dcm"], ClassMap(), known)
        assert [p.position for p in found] == expected


def test_a_segmentation_of_another_frame_of_reference_is_refused(tmp_path, monkeypatch):
    (tmp_path / "seg.dcm").write_bytes(b"")
    monkeypatch.setattr(study, "is_segmentation", lambda _: True)
    monkeypatch.setattr(
        grid_labels, "read_segmentation", lambda _: (segment("Liver", "liver", "2.25.1"),)
    )
    geometry = Geometry(GRID.shape, GRID.affine, "2.25.2")
    volume = DiffusionVolume(geometry, {0.0: np.ones(GRID.shape, np.float32)})
    parts = study.study_parts(StudyFolder(tmp_path, "a", "b"), ClassMap(), "anatomy", volume)
    with pytest.raises(TrainingError, match="another frame of reference") as caught:
        list(parts)
    assert caught.value.code == "SEG_FRAME"
