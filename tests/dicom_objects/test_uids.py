"""Equal descriptions give equal UIDs, any difference another, all valid."""

from dicom_objects.uids import IMPLEMENTATION_CLASS_UID, derived_uid


def test_uids_depend_on_every_part_and_on_their_borders():
    uids = [derived_uid("a", "b"), derived_uid("ab"), derived_uid("a", "c"), derived_uid("b", "a")]
    assert len(set(uids)) == 4
    assert derived_uid("a", "b") == uids[0]


def test_uids_are_valid_and_uuid_derived():
    for uid in (derived_uid("x"), IMPLEMENTATION_CLASS_UID):
        assert uid.is_valid
        assert uid.startswith("2.25.")
        assert int(uid[5:]) < 2**128


def test_a_known_value_stays_the_same_across_versions():
    assert derived_uid("seed", "sr") == "2.25.314832578739366345049983750851134270768"
