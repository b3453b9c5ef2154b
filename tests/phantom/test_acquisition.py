from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imaging.anatomy import BY_NAME
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient


def _first_slice(truth, station):
    return truth.geometry.to_index(station.volume.geometry.origin_mm)[0]


def _sees(truth, station, mask):
    first = round(_first_slice(truth, station))
    return int(mask[first : first + station.volume.geometry.shape[0]].sum())


def test_equal_seeds_give_equal_images(scan):
    again = acquire(make_patient(2), Protocol(slice_mm=10.0, in_plane_mm=4.0, matrix=(88, 120)))
    first = scan(2)
    assert np.array_equal(first.truth.lesion_labels, again.truth.lesion_labels)
    for one, two in zip(first.stations, again.stations, strict=True):
        for b, image in one.volume.images.items():
            assert np.array_equal(image, two.volume.images[b])


def test_a_person_can_be_scanned_twice():
    person = make_patient(3)
    protocol = Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(44, 60))
    one, two = acquire(person, protocol), acquire(person, protocol)
    assert np.array_equal(one.stations[0].volume.high_b, two.stations[0].volume.high_b)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stations_overlap_and_tile_the_whole_body_exactly(scan, seed):
    found = scan(seed)
    truth = found.truth
    covered = np.zeros(truth.geometry.shape[0], int)
    for station in found.stations:
        grid = station.volume.geometry
        first = round(_first_slice(truth, station))
        stop = first + grid.shape[0]
        assert grid.matches(truth.geometry.crop((first, 0, 0), (stop, *truth.geometry.shape[1:])))
        covered[first:stop] += 1
    assert covered.min() == 1
    assert covered.max() == 2
    joints = len(found.stations) - 1
    assert 4 <= (covered == 2).sum() / joints <= 8
    assert len(found.stations) in (4, 5)


def test_ideal_images_give_the_true_adc_back(scan, ideal):
    found = scan(5, protocol=ideal)
    truth = found.truth
    spleen = truth.labels == BY_NAME["spleen"].label
    station = max(found.stations, key=lambda s: _sees(truth, s, spleen))
    first = round(_first_slice(truth, station))
    stop = first + station.volume.geometry.shape[0]
    images = station.volume.images
    # The depth of the spleen has no neighbours to mix with, and no perfusion is left by b 600.
    inside = truth.labels[first:stop] == BY_NAME["spleen"].label
    deep = ndimage.binary_erosion(inside, iterations=2)
    assert deep.sum() > 30
    measured = 1e6 * np.log(images[600.0][deep] / images[900.0][deep]) / 300.0
    assert np.median(measured) == pytest.approx(
        np.median(truth.adc_um2_s[first:stop][deep]), rel=0.02
    )


def test_signal_falls_with_b(scan, ideal):
    for station in scan(5, protocol=ideal).stations:
        low, middle, high = (station.volume.images[b] for b in (50.0, 600.0, 900.0))
        assert (low >= middle).all()
        assert (middle >= high).all()


def test_lesions_stand_out_of_marrow_at_high_b(scan, ideal):
    found = scan(9, protocol=ideal)
    truth = found.truth
    whole = np.zeros(truth.geometry.shape, np.float32)
    for station in found.stations:
        first = round(_first_slice(truth, station))
        whole[first : first + station.volume.geometry.shape[0]] = station.volume.high_b
    spine = np.isin(truth.labels, [BY_NAME["lumbar_spine"].label, BY_NAME["pelvis"].label])
    lesion = spine & (truth.lesion_labels > 0)
    assert np.median(whole[lesion]) > 2.5 * np.median(whole[spine & ~lesion])


def test_gains_and_noise_differ_from_ideal(scan, ideal):
    noisy, clean = scan(5), scan(5, protocol=ideal)
    air = clean.stations[0].volume.images[900.0] == 0
    assert air.any()
    assert (noisy.stations[0].volume.images[900.0][air] > 0).mean() > 0.99  # Rician floor
    gains = [
        float(np.median(n.volume.images[50.0][c.volume.images[50.0] > 20]))
        / float(np.median(c.volume.images[50.0][c.volume.images[50.0] > 20]))
        for n, c in zip(noisy.stations, clean.stations, strict=True)
    ]
    assert max(gains) / min(gains) > 1.02


def test_the_protocol_is_obeyed():
    protocol = Protocol(
        b_values=(0.0, 800.0), n_stations=3, slice_mm=20.0, in_plane_mm=8.0, matrix=(40, 56),
        overlap=2,
    )  # fmt: skip
    found = acquire(make_patient(6), protocol)
    assert len(found.stations) == 3
    volume = found.stations[0].volume
    assert volume.b_values == (0.0, 800.0)
    assert volume.geometry.shape[1:] == (40, 56)
    assert volume.geometry.spacing_mm == (20.0, 8.0, 8.0)
