import pytest

from training.errors import TrainingError
from training.intake.class_map import ChannelSource, ClassMap, load_class_map
from training.tasks import TASKS

ANATOMY = TASKS["anatomy"].classes
DISEASE = TASKS["disease"].classes


def test_the_file_decides_and_osteons_own_names_need_none(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text(
        'classes:\n  1: liver\n  "SCT:71341001:left": femur_left\n  Fat: ignore\n'
        "channels:\n  ADC: {quantity: adc_um2_s, factor: 1000}\n  2: b900\n"
        'patient: "^(.+)_[0-9]$"\n'
    )
    classes = load_class_map(path)
    assert classes.position(["1"], ANATOMY, "x") == ANATOMY.index("liver")
    assert classes.position(["Knochen", "SCT:71341001:left"], ANATOMY, "x") == 13
    assert classes.position(["Fat"], ANATOMY, "x") is None
    assert classes.position(["", "spleen"], ANATOMY, "x") == ANATOMY.index("spleen")
    assert classes.channels == {"ADC": ChannelSource("adc_um2_s", 1000), "2": ChannelSource("b900")}
    assert classes.patient_of("mm_017_2") == "mm_017"
    assert classes.patient_of("other") == "other"


def test_what_the_task_has_no_class_for_is_ignored_but_only_what_osteon_knows():
    assert ClassMap().position(["disease"], ANATOMY, "x") is None
    assert ClassMap().position(["liver"], DISEASE, "x") is None
    assert ClassMap().position(["disease"], DISEASE, "x") == 1
    both = ClassMap({"1": "liver", "2": "disease"})
    assert [both.position([n], DISEASE, "x") for n in ("1", "2")] == [None, 1]
    assert [both.position([n], ANATOMY, "x") for n in ("1", "2")] == [15, None]
    with pytest.raises(
        TrainingError, match=r"seg\.dcm: label Gland / SCT:1 is not known"
    ) as caught:
        ClassMap().position(["Gland", "SCT:1", ""], ANATOMY, "seg.dcm")
    assert caught.value.code == "CLASSES"


def test_a_class_that_the_task_has_not_is_refused():
    with pytest.raises(TrainingError, match="'leber' is no class of this task"):
        ClassMap({"1": "leber"}).position(["1"], ANATOMY, "x")


@pytest.mark.parametrize(
    "text", ["klasses: {}", "classes: [1]", "patient: 'x('", "patient: x", "channels: {0: {q: 1}}"]
)
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"classes\.yaml") as caught:
        load_class_map(path)
    assert caught.value.code == "CLASSES"
