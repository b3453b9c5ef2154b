"""`osteon run DIR --explain`: what every series is, without a model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_objects.reading.records import SeriesRecord, VolumeRecord
from service.cli.app import app
from service.cli.explanation import as_document, series_table

SCANNERS = Path(__file__).resolve().parents[3] / "shared" / "scanners"
CASES = sorted(p.name for p in SCANNERS.glob("*/") if p.name != "LICENSES")

USED = SeriesRecord(
    series_uid="1.2.3",
    series_number=12,
    description="DWI",
    role="b0+trace",
    b_values=(0.0, 900.0),
    b_source="(0018,9087)",
    n_instances=80,
    geometry=None,
    used=True,
    code=None,
    reason="used.",
    content="dwi-trace",
    volumes=(VolumeRecord(0.0, "b0", 1), VolumeRecord(900.0, "vendor-trace", 1)),
    n_slices=40,
    rows=128,
    columns=96,
    spacing_mm=(3.0, 2.5, 5.0),
    notes=("A remark.",),
)


def explain(folder, *options):
    return CliRunner().invoke(app, ["run", str(folder), "--explain", *options])


def test_a_series_is_one_row_with_its_sentences_below(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    lines = series_table([USED]).splitlines()
    assert lines[0].split() == ["series", "content", "used", "grid", "volumes"]
    row = "12      dwi-trace  yes   40 x 128 x 96, 5 x 3 x 2.5 mm  1 x b 0, 1 x b 900 trace"
    assert lines[1] == row
    assert [line.strip() for line in lines[2:]] == [
        "used. b-values from (0018,9087).",
        "A remark.",
    ]


def test_no_line_is_wider_than_the_terminal_where_sentences_are_long(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    record = SeriesRecord(**{**vars(USED), "reason": "many words " * 30})
    assert max(map(len, series_table([record]).splitlines()[2:])) <= 80


def test_programs_get_the_same_as_json():
    document = json.loads(json.dumps(as_document([USED], ("NO_BODY", "A sentence."))))
    assert (document["measurable"], document["code"]) == (False, "NO_BODY")
    assert document["series"][0]["volumes"][1] == {"b": 900.0, "kind": "vendor-trace", "count": 1}
    assert as_document([USED], None)["measurable"]


def test_results_need_a_place_unless_only_an_explanation_is_asked(tmp_path):
    (tmp_path / "note.txt").write_text("no image")
    result = CliRunner().invoke(app, ["run", str(tmp_path)])
    assert result.exit_code == 2
    assert "--out" in result.stderr
    result = explain(tmp_path)
    assert result.exit_code == 3
    assert "NOT_DICOM" in result.stdout


@pytest.mark.skipif(
    not CASES,
    reason="real scanner data not found at ../shared/scanners; set up the shared folder to run",
)
@pytest.mark.parametrize("case", CASES)
def test_every_real_series_is_in_the_table(case):
    expected = json.loads((SCANNERS / "expected.json").read_text())["cases"][case]["series"]
    for folder in {series["folder"] for series in expected}:
        result = explain(SCANNERS / case / folder, "--json")
        document = json.loads(result.stdout)
        assert result.exit_code == (0 if document["measurable"] else 3)
        table = explain(SCANNERS / case / folder).stdout
        for record in document["series"]:
            row = next(
                line
                for line in table.splitlines()
                if line.startswith(f"{record['series_number']} ")
            )
            assert record["content"] in row
            assert (record["code"] or "yes") in row
