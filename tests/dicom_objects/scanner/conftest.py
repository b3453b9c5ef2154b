"""The tiny acquisition with a b 0, written in every flavour as the tests ask for it."""

import pydicom
import pytest

from dicom_objects.scanner import study as scanner
from dicom_objects.scanner.study import Flavour
from tests.dicom_objects.conftest import make_acquisition, picture

B_VALUES = (0.0, 50.0, 900.0)


@pytest.fixture(scope="session")
def imaged():
    return make_acquisition(2, b_values=B_VALUES)


@pytest.fixture(scope="session")
def written(imaged, tmp_path_factory):
    """Files of the study by flavour; written once a session."""
    done = {}

    def write(flavour):
        if flavour not in done:
            folder = tmp_path_factory.mktemp(flavour.value)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(scanner, "make_patient", lambda seed, _: seed)
                patch.setattr(scanner, "localizer", lambda _: picture(slices=3, step_mm=300.0))
                patch.setattr(scanner, "t2_stack", lambda _: picture(slices=6, step_mm=8.0))
                done[flavour] = scanner.write_study(imaged, folder, flavour=flavour)
        return done[flavour]

    return write


@pytest.fixture(scope="session")
def headers(written):
    """Data sets of one flavour by the name of their series' folder."""
    done = {}

    def read(flavour):
        if flavour not in done:
            series = done[flavour] = {}
            for path in written(Flavour(flavour)):
                series.setdefault(path.parent.name, []).append(pydicom.dcmread(path))
        return done[flavour]

    return read
