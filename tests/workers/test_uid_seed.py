"""Results of other bytes have other UIDs, those of the same bytes the same."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.workers.conftest import BUILD
from workers.encoding import Run, uid_seed

RUN = Run("run-1", datetime(2026, 3, 1, tzinfo=UTC), "ab" * 32, BUILD)
ANATOMY = SimpleNamespace(name="anatomy", version="1.0.0", sha256="cd" * 32, thresholds={})
FOUND = SimpleNamespace(
    study=SimpleNamespace(study_uid="2.25.1"), models=(ANATOMY,), quality=(), followed=None
)


def test_the_run_has_no_part_in_the_uids():
    assert uid_seed(FOUND, RUN) == uid_seed(FOUND, replace(RUN, run_id="run-2"))


@pytest.mark.parametrize("change", [{"adc_map": False}, {"settings_digest": "1" * 64}])
def test_what_changes_the_report_changes_the_uids(change):
    other = replace(RUN, build=replace(BUILD, **change))
    assert uid_seed(FOUND, other) != uid_seed(FOUND, RUN)


def test_another_model_changes_the_uids():
    assert uid_seed(_with_disease(0.5), RUN) != uid_seed(FOUND, RUN)


def test_another_threshold_of_the_same_model_changes_the_uids():
    assert uid_seed(_with_disease(0.5), RUN) != uid_seed(_with_disease(0.45), RUN)


def test_a_note_that_depends_on_the_machine_changes_the_uids():
    noted = SimpleNamespace(**{**vars(FOUND), "quality": (SimpleNamespace(code="REPORT_LIBRARY"),)})
    assert uid_seed(noted, RUN) != uid_seed(FOUND, RUN)


def test_other_earlier_studies_change_the_uids():
    alone = SimpleNamespace(**{**vars(FOUND), "followed": SimpleNamespace(digests=())})
    compared = SimpleNamespace(**{**vars(FOUND), "followed": SimpleNamespace(digests=("ab",))})
    assert uid_seed(alone, RUN) == uid_seed(FOUND, RUN)
    assert uid_seed(compared, RUN) != uid_seed(FOUND, RUN)


def _with_disease(threshold):
    name, digest = "disease", "ef" * 32
    disease = SimpleNamespace(
        name=name, version="1.0.0", sha256=digest, thresholds={name: threshold}
    )
    return SimpleNamespace(**{**vars(FOUND), "models": (ANATOMY, disease)})
