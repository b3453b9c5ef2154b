"""`osteon run --prior` and `osteon phantom --follow-up`."""

from __future__ import annotations

import json

import pydicom
from typer.testing import CliRunner

from phantom.acquisition import Protocol
from service import synthetic_visits
from service.cli.app import app


def test_a_folder_that_is_no_result_is_refused_before_anything_is_measured(tmp_path):
    for name in ("images", "prior"):
        (tmp_path / name).mkdir()
    given = [str(tmp_path / "images"), "-o", str(tmp_path / "out"), "--prior"]
    done = CliRunner().invoke(app, ["run", *given, str(tmp_path / "prior")])
    assert done.exit_code == 1
    assert "PRIOR_UNUSABLE" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_patient_at_two_visits_is_one_patient_and_two_studies(tmp_path, monkeypatch):
    coarse = Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(56, 72), n_stations=2)
    monkeypatch.setattr(synthetic_visits, "SMALL", coarse)
    given = ["phantom", str(tmp_path), "--follow-up", "progressing", "--seed", "3", "--small"]
    done = CliRunner().invoke(app, [*given, "--json"])
    assert done.exit_code == 0, done.output
    truth = json.loads(done.stdout)
    assert truth == json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    (pair,) = truth["since_the_visit_before"]
    assert pair["tdv_ml"][1] > pair["tdv_ml"][0]
    assert {link["state"] for link in pair["links"]} >= {"persistent", "new"}
    headers = [
        pydicom.dcmread(
            next((tmp_path / f"visit_{k}" / "dicom").rglob("*.dcm")), stop_before_pixels=True
        )
        for k in (1, 2)
    ]
    assert len({header.PatientID for header in headers}) == 1
    assert len({header.StudyInstanceUID for header in headers}) == 2
    assert [header.StudyDate for header in headers] == ["20250115", "20250415"]
