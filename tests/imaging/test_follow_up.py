"""Comparisons of bodies of boxes whose every lesion is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imaging.follow_up import FollowUpSettings, compare, roles_of
from imaging.follow_up_registration import FollowUpRegistration
from imaging.lesion_following import FollowRule
from imaging.lesion_identities import Identity, with_identities
from imaging.registration import RegistrationSettings
from tests.imaging.labelled_body import measurement, study, study_images

LUMBAR, PELVIS, FEMUR, THORACIC = (0, 40, 240), (-60, 10, 140), (60, 10, 60), (0, 40, 380)
QUICK = FollowUpSettings(
    rule=FollowRule(
        registration=FollowUpRegistration(
            RegistrationSettings((20.0, 16.0, 16.0), affine_iterations=10, demons_iterations=(2,))
        )
    )
)
MOVED = {"offset_mm": (6.0, -5.0, 25.0), "turn_deg": 4.0}


def new_uid(name):
    return f"2.25.{sum(map(ord, name))}"


def compared_with(now, earlier, settings=QUICK):
    return compare(now, earlier, new_uid, settings)


def known_as(one, identities):
    """The study as it is read back once its lesions have their identities."""
    lesions = [
        replace(k, name=identities[k.label].name, tracking_uid=identities[k.label].tracking_uid)
        for k in one.lesions
    ]
    return replace(one, lesions=tuple(lesions))


def states(comparison):
    return {(t.state, t.prior, t.current) for t in comparison.headline.tracks}


@pytest.fixture(scope="module")
def responding():
    """Lumbar lesion shrinks, pelvic one goes, one in the femur is new."""
    before = study(study_images([(LUMBAR, 16), (PELVIS, 12)], adc=900), "1", "2026-01-01")
    now = study(study_images([(LUMBAR, 10), (FEMUR, 9)], adc=1500, **MOVED), "2", "2026-04-01")
    return compared_with(now, [before]), before, now


def test_lesions_are_followed_through_a_body_that_moved(responding):
    compared, _, _ = responding
    assert states(compared.comparison) == {
        ("persistent", ("L01",), ("L01",)),
        ("resolved", ("L02",), ()),
        ("new", (), ("L03",)),  # the number of the one that went is not given again
    }
    counts = compared.comparison.headline.lesions
    assert (counts.persistent, counts.new, counts.resolved) == (1, 1, 1)
    assert (counts.shrunk, counts.grown, counts.judged) == (1, 0, 1)


def test_totals_and_regions_are_judged_with_their_limits(responding):
    compared, before, now = responding
    found = compared.comparison.headline
    assert found.interval_days == 90
    assert found.roles == ("previous", "baseline", "nadir")
    assert found.tdv.percent == pytest.approx(100 * (now.point.tdv_ml / before.point.tdv_ml - 1))
    assert found.tdv.call == "down"
    assert (found.gadc.before, found.gadc.after, found.gadc.call) == (900, 1500, "up")
    assert found.gadc.limit.high_percent == 10
    rows = {region.name: region for region in found.regions}
    assert rows["lumbar_spine"].volume.call == "down"
    assert [(m.value, m.unit) for m in rows["lumbar_spine"].marks] == [
        (25, "%"), (40, "%"), (1000, "um2/s"), (1400, "um2/s"),
    ]  # fmt: skip
    assert rows["lumbar_spine"].high_b.percent == 0
    assert rows["pelvis"].adc.call == "not_called"
    assert rows["pelvis"].lesions.resolved == 1
    limbs = next(r for r in found.met_rads if r.name == "metrads_limbs")
    assert limbs.volume.call == "up"
    assert limbs.lesions.new == 1


def test_the_same_study_twice_changes_nothing():
    images = study_images([(LUMBAR, 16), (PELVIS, 12)])
    compared = compared_with(study(images, "2", "2026-02-01"), [study(images, "1")])
    found = compared.comparison.headline
    assert (found.tdv.percent, found.gadc.percent) == (0, 0)
    assert {track.state for track in found.tracks} == {"persistent"}
    assert {track.volume.call for track in found.tracks} == {"within"}


def test_a_lesion_keeps_its_identity_over_three_studies_and_comes_back():
    first = study(study_images([(LUMBAR, 16), (PELVIS, 12)]), "1", "2026-01-01")
    given = {k.label: Identity(k.name, f"9.{k.label}") for k in first.lesions}
    first = known_as(first, given)
    gone = study(study_images([(LUMBAR, 16)]), "2", "2026-02-01")
    gone = known_as(gone, compared_with(gone, [first]).identities)
    back = study(study_images([(LUMBAR, 10), (PELVIS, 14)]), "3", "2026-03-01")
    compared = compared_with(back, [gone, first])
    known = compared.identities
    here = {lesion.region: known[lesion.label] for lesion in back.lesions}
    assert here["lumbar_spine"] == Identity("L01", "9.1")
    # It is new since the previous study, and the lesion of the first.
    assert here["pelvis"] == Identity("L02", "9.2")
    assert ("new", (), ("L02",)) in states(compared.comparison)
    assert [point.study_uid for point in compared.comparison.trend] == ["1", "2", "3"]


def test_what_the_earlier_study_did_not_show_is_not_new_and_not_compared():
    before = study(study_images([(LUMBAR, 16)], z_mm=(120, 640)), "1", "2026-01-01")
    now = study(study_images([(LUMBAR, 16), (FEMUR, 12)]), "2", "2026-02-01")
    found = compared_with(now, [before]).comparison.headline
    assert {(t.state, t.region) for t in found.tracks} == {
        ("persistent", "lumbar_spine"),
        ("not_covered_before", "femur_left"),
    }
    femur = next(r for r in found.regions if r.name == "femur_left")
    assert not femur.compared
    assert femur.volume.before is None
    assert "femur_left" in found.left_out
    assert found.tdv.percent == pytest.approx(0)  # of what both show
    assert "FOLLOW_UP_PARTIAL" in {note.code for note in found.notes}
    whole = next(r for r in found.regions if r.name == "whole_skeleton")
    assert not whole.compared


def test_what_this_study_does_not_show_is_not_resolved():
    before = study(study_images([(LUMBAR, 16), (FEMUR, 12)]), "1", "2026-01-01")
    now = study(study_images([(LUMBAR, 16)], z_mm=(120, 640)), "2", "2026-02-01")
    found = compared_with(now, [before]).comparison.headline
    assert {t.state for t in found.tracks} == {"persistent", "not_covered_now"}
    assert found.lesions.resolved == 0


def test_without_images_regions_are_compared_and_lesions_are_not():
    before = study(study_images([(LUMBAR, 16)]), "1", "2026-01-01", keep_images=False)
    now = study(study_images([(LUMBAR, 16)]), "2", "2026-02-01")
    found = compared_with(now, [before]).comparison.headline
    assert found.lesions is None
    assert found.tracks == ()
    assert found.tdv.call == "within"
    assert {note.code for note in found.notes} == {"FOLLOW_UP_NO_IMAGES"}
    lumbar = next(r for r in found.regions if r.name == "lumbar_spine")
    assert lumbar.lesions is None
    assert lumbar.volume.call == "within"


def test_diffuse_disease_falls_back_to_regions():
    images = study_images([(LUMBAR, 60)])
    rule = replace(QUICK, rule=replace(QUICK.rule, diffuse_burden=0.05))
    compared = compared_with(study(images, "2", "2026-02-01"), [study(images, "1")], rule)
    found = compared.comparison.headline
    assert found.lesions is None
    assert [note.code for note in found.notes] == ["FOLLOW_UP_DIFFUSE"]


@pytest.mark.parametrize(("scanner", "same"), [("B", False), ("", None)])
def test_another_scanner_widens_the_limit_and_says_so(scanner, same):
    images = study_images([(LUMBAR, 16)])
    before = study(images, "1", "2026-01-01", scanner=scanner)
    found = compared_with(study(images, "2", "2026-02-01"), [before]).comparison.headline
    assert found.same_scanner is same
    assert found.gadc.limit.high_percent == 20
    assert "FOLLOW_UP_SCANNER" in {note.code for note in found.notes}


def test_the_first_study_of_a_patient_keeps_its_names():
    now = study(study_images([(LUMBAR, 16), (PELVIS, 12)]))
    compared = compared_with(now, [])
    assert compared.comparison.headline is None
    assert [i.name for i in compared.identities.values()] == ["L01", "L02"]


def test_identities_are_written_into_the_measurement():
    images = study_images([(LUMBAR, 16)])
    measured = with_identities(measurement(images), {1: Identity("L07", "9.7")})
    assert [(lesion.name, lesion.label, lesion.tracking_uid) for lesion in measured.lesions] == [
        ("L07", 1, "9.7")
    ]


def point(uid, tdv_ml, status="complete"):
    images = study_images([])
    return replace(study(images, uid).point, tdv_ml=tdv_ml, coverage_status=status)


def test_nadir_is_the_latest_of_the_lowest_and_no_partial_body():
    points = [point("a", 9.0), point("b", 3.0), point("c", 3.0), point("d", 1.0, "partial")]
    assert roles_of(points) == {"a": ("baseline",), "c": ("nadir",), "d": ("previous",)}
    assert roles_of(points[:1]) == {"a": ("previous", "baseline", "nadir")}
    assert roles_of([]) == {}
