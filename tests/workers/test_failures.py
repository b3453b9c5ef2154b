import errno

import pytest

from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_objects.errors import NoUsableDiffusion
from imaging.errors import ModelMismatch, UnusableImages
from jobs.job import Stage
from workers.failures import TABLE, Fate, judge
from workers.inference.model import (
    ModelDeadline,
    ModelUnavailable,
    ServerRefused,
    WrongAnswer,
)


@pytest.mark.parametrize(
    ("error", "fate", "code"),
    [
        (NoUsableDiffusion("ONE_SHELL_ONLY", "only b 900"), Fate.REJECT, "ONE_SHELL_ONLY"),
        (UnusableImages("no body", code="NO_BODY"), Fate.REJECT, "NO_BODY"),
        (ModelUnavailable("away"), Fate.RETRY, "MODEL_UNAVAILABLE"),
        (PeerUnavailable("away"), Fate.RETRY, "PEER_UNAVAILABLE"),
        (PeerRefused("no"), Fate.HOLD, "PEER_REFUSED"),
        (ModelMismatch("other file"), Fate.HOLD, "MODEL_MISMATCH"),
        (ModelDeadline("slow"), Fate.RETRY, "MODEL_DEADLINE"),
        (ServerRefused("no such model"), Fate.HOLD, "MODEL_SERVER_REFUSED"),
        (WrongAnswer("no numbers"), Fate.HOLD, "MODEL_WRONG_ANSWER"),
        (MemoryError(), Fate.HOLD, "OUT_OF_MEMORY"),
        (OSError(errno.ENOSPC, "full"), Fate.RETRY, "DISK_FULL"),
        (OSError(errno.EACCES, "no"), Fate.BUG, "INTERNAL"),
        (ZeroDivisionError(), Fate.BUG, "INTERNAL"),
    ],
)
def test_every_error_has_its_fate(error, fate, code):
    verdict = judge(error, Stage.READ)
    assert (verdict.fate, verdict.failure.code, verdict.failure.stage) == (fate, code, Stage.READ)
    assert verdict.failure.retryable == (fate is Fate.RETRY)


def test_the_text_of_an_unknown_error_is_never_written_down():
    verdict = judge(ValueError("PatientName DOE^JANE is not valid"), None)
    assert "DOE" not in verdict.failure.message
    assert "ValueError" in verdict.failure.message


def test_no_row_of_the_table_hides_behind_an_earlier_one():
    for number, (kind, _) in enumerate(TABLE):
        assert not any(issubclass(kind, earlier) for earlier, _ in TABLE[:number])
