"""A scan from stations to scores, by an oracle and by one who finds nothing."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from imaging.adc import fit_adc
from imaging.anatomy import STRUCTURES
from imaging.preprocessing import preprocess
from imaging.stations import assemble
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from training.cases import labels_on_grid
from training.reproduction.scans import measure_scan

COARSE = Protocol(slice_mm=10.0, in_plane_mm=5.0, matrix=(72, 96), noise=False)


@pytest.fixture(scope="module")
def acquisition():
    return acquire(make_patient(3), COARSE)


def test_every_method_is_timed_and_scored(acquisition, experiment):
    spec = dataclasses.replace(experiment.model_spec(), spacing_mm=(10.0, 5.0, 5.0))
    volume = assemble(acquisition.stations).volume
    given = preprocess(fit_adc(volume), volume.geometry, spec)
    truth = acquisition.truth
    labels = labels_on_grid(truth.labels, truth.geometry, given.geometry)
    one_hot = np.eye(len(STRUCTURES), dtype=np.float32)

    def oracle(asked):
        assert np.array_equal(asked.array, given.array)
        time.sleep(0.2)
        return one_hot[labels].transpose(3, 0, 1, 2)

    def blind(asked):
        return one_hot[np.zeros(asked.array.shape[1:], int)].transpose(3, 0, 1, 2)

    found = measure_scan("a", "b", acquisition, spec, {"atlas": oracle, "network": blind})
    assert (found.case, found.made_by) == ("a", "b")
    right, wrong = (found.answers[m].structures for m in ("atlas", "network"))
    assert right["liver"].dice > 0.95
    assert right["skeleton"].dice > 0.9
    assert right["liver"].adc_um2_s == pytest.approx(right["liver"].true_adc_um2_s, rel=0.03)
    assert wrong["liver"].dice == 0
    assert found.answers["atlas"].time.wall_s >= 0.2
    assert found.answers["network"].time.wall_s < 0.2
    assert found.answers["atlas"].time.cpu_s < 0.2
