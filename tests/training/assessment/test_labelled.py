from __future__ import annotations

import dataclasses

from tests.training.scored import case, exam, structure
from training.assessment.labelled import labelled_only


def found_only(dice=0.0):
    return dataclasses.replace(structure(dice), true_volume_ml=0.0)


def test_what_a_site_never_labels_goes_with_the_groups_that_hold_it():
    cases = [
        case(1, structures={"skeleton": structure(), "ribs": found_only(), "pelvis": structure(),
                            "skeleton_without_ribs": structure(), "organs": structure(),
                            "liver": structure()}),
        case(2, structures={"pelvis": found_only(), "spleen": found_only()}),
    ]  # fmt: skip
    kept, left_out = labelled_only(cases)
    assert list(kept[0].structures) == ["pelvis", "skeleton_without_ribs", "liver"]
    # Labelled in another exam, so finding it here is an error that counts.
    assert kept[1].structures["pelvis"].dice == 0
    assert left_out == ("organs", "ribs", "skeleton", "spleen")
    assert kept[0].lesions == cases[0].lesions


def test_a_site_that_labels_no_lesion_has_not_said_that_its_patients_are_healthy():
    silent = [case(1, exam(), tdv_ml=50.0), case(2, exam())]
    kept, left_out = labelled_only(silent)
    assert left_out == ("disease",)
    assert {c.lesion_source for c in kept} == {""}
    assert [c.tdv_ml for c in kept] == [0.0, 0.0]
    assert kept[0].disease is None
    one_lesion, left_out = labelled_only([*silent, case(3)])
    assert left_out == ()
    assert one_lesion[0].tdv_ml == 50.0
