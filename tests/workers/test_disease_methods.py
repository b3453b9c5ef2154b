"""The whole path by both methods, the network and the rule: numbers, and who made them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pydicom
import pytest

from dicom_objects.scanner.study import write_study
from imaging.anatomy import STRUCTURES
from imaging.burden import DISEASE_CLASSES
from imaging.disease import DiseaseRule
from imaging.model import Channel, ModelSpec
from imaging.resampling import resample
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.workers.conftest import BUILD
from workers.encoding import Run
from workers.pipeline import Pipeline
from workers.recording import QuietRecorder

# A person with much disease in two stations, as in test_flavours_agree.
PROTOCOL = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=7.0, matrix=(80, 104)
)
DIGEST = "ef" * 32


def spec(name, quantities, classes, **changes):
    return ModelSpec(
        name=name,
        version="7",
        channels=tuple(Channel(q, "fixed", 1.0, 1e9) for q in quantities),
        spacing_mm=(7.0, 5.0, 5.0),
        orientation="SPL",
        slab_slices=256,
        slab_overlap=0,
        divisor=(1, 1, 1),
        classes=classes,
        sha256=DIGEST,
        **changes,
    )


@dataclass
class TrueAnatomy:
    """Knows the phantom's anatomy."""

    truth: object
    spec: ModelSpec = field(
        default=spec("anatomy", ("adc_um2_s",), tuple(s.name for s in STRUCTURES))
    )

    def predict(self, model_input, on_progress):
        on_progress(1.0)
        labels = resample(self.truth.labels, self.truth.geometry, model_input.geometry, order=0)
        return np.stack([labels == s.label for s in STRUCTURES]).astype(np.float16)


@dataclass
class BrightBone:
    """Probability 0.5 at twice the cord's signal, inside bone."""

    spec: ModelSpec = field(
        default=spec(
            "bright-bone",
            ("normalised_high_b", "bone_probability"),
            DISEASE_CLASSES,
            thresholds={"disease": 0.3},
        )
    )

    def predict(self, model_input, on_progress):
        on_progress(1.0)
        signal, bone = model_input.array
        disease = np.clip(signal / 4, 0, 1) * (bone > 0.5)
        return np.stack([1 - disease, disease]).astype(np.float16)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """By method: the findings, and the folder of the results."""
    acquisition = acquire(make_patient(1000), PROTOCOL)
    folder = tmp_path_factory.mktemp("methods")
    files = write_study(acquisition, folder / "study", distractors=False)
    done = {}
    for method, network in (("network", BrightBone()), ("rule", None)):
        out = folder / method
        out.mkdir()
        run = Run("run-1", datetime(2026, 1, 1, tzinfo=UTC), "0" * 64, BUILD)
        path = Pipeline(TrueAnatomy(acquisition.truth), DiseaseRule(), network)
        done[method] = path.run(files, out, run, QuietRecorder()).findings, out
    return done


@pytest.mark.parametrize("method", ["network", "rule"])
def test_both_methods_measure_disease(results, method):
    findings, _ = results[method]
    assert findings.measurement.tdv_ml > 50
    assert findings.measurement.n_lesions > 0


def test_the_methods_differ_and_so_do_their_objects_uids(results):
    assert results["network"][0].measurement.tdv_ml != results["rule"][0].measurement.tdv_ml
    uids = {pydicom.dcmread(out / "sr.dcm").SOPInstanceUID for _, out in results.values()}
    assert len(uids) == 2


def test_measurements_name_the_network_with_its_threshold(results):
    _, out = results["network"]
    provenance = json.loads((out / "measurements.json").read_text())["provenance"]
    assert provenance["burden"] == {
        "method": "network",
        "model": {"name": "bright-bone", "version": "7", "sha256": DIGEST},
        "threshold": 0.3,
        "threshold_of": "probability",
        "definition": "burden",
    }
    assert [m["name"] for m in provenance["models"]] == ["anatomy", "bright-bone"]


def test_measurements_name_the_rule_with_this_patients_threshold(results):
    _, out = results["rule"]
    provenance = json.loads((out / "measurements.json").read_text())["provenance"]
    told = provenance["burden"]
    assert (told["method"], told["model"]) == ("rule", None)
    assert told["threshold_of"] == "normalised_signal"
    assert DiseaseRule().lowest_threshold <= told["threshold"] <= DiseaseRule().highest_threshold
    assert [m["name"] for m in provenance["models"]] == ["anatomy"]


@pytest.mark.parametrize(
    ("method", "author"), [("network", "bright-bone"), ("rule", "Osteon bone disease")]
)
def test_the_segmentation_names_who_drew_the_lesions(results, method, author):
    _, out = results[method]
    items = [i for p in out.glob("seg_*.dcm") for i in pydicom.dcmread(p).SegmentSequence]
    lesions = [i for i in items if i.TrackingID.startswith("L")]
    bones = [i for i in items if i.TrackingID == "pelvis"]
    assert lesions
    assert {algorithm(i) for i in lesions} == {author}
    assert {algorithm(i) for i in bones} == {"anatomy"}


def algorithm(item):
    return str(item.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName)
