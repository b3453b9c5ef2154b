"""`osteon demo --once` as a stranger runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.demonstration import following
from service.demonstration.following import wait_for_results
from service.demonstration.system import DemonstrationError

pytestmark = pytest.mark.acceptance


@pytest.mark.timeout(900)
def test_the_demonstration_ends_well_and_leaves_numbers_picture_and_address(
    tmp_path: Path, quick_models: Path
) -> None:
    out = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "service", "demo", "--once", "--small", "--out", str(out)],
        env={
            **os.environ,
            "OSTEON_MODELS__REPOSITORY": str(quick_models),
            "OSTEON_MODELS__DISEASE": "rule",  # there is a quick model of anatomy only
            # The quick model draws no spinal canal.
            "OSTEON_NORMALISATION__WITHOUT_CANAL": "percentile",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for shown in ("TDV (mL)", "gADC", "Liver", "console       http://127.0.0.1:"):
        assert shown in done.stdout
    assert (out / "mip_coronal.png").read_bytes().startswith(b"\x89PNG")
    assert "OSTEON^PHANTOM" not in (out / "osteon.log").read_text()


class FakePacs:
    def __init__(self, *uids: str) -> None:
        self.uids = frozenset(uids)

    def received(self) -> frozenset[str]:
        return self.uids


def result(kind: str, uid: str | None) -> dict[str, str | None]:
    return {"kind": kind, "sop_instance_uid": uid}


def test_a_missing_result_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_ARRIVE_S", 0.1)
    job = {"results": [result("seg", "1"), result("sr", "2"), result("mip", None)]}
    wait_for_results(job, FakePacs("1", "2"))
    with pytest.raises(DemonstrationError, match="1 of 2 results are missing"):
        wait_for_results(job, FakePacs("1"))
    with pytest.raises(DemonstrationError):
        wait_for_results({"results": [result("sr", "2")]}, FakePacs("2"))
