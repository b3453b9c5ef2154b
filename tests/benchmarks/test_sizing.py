"""The arithmetic of docs/sizing.md, on numbers that can be worked out by hand."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.figures import Figures, Load, as_table, load_figures, percentile
from benchmarks.sizing import Site, best_of, main, mean_wait_s, need_of, studies_a_day

PAGE = Path(__file__).parents[2] / "docs/sizing.md"
MB = 10**6
LOAD = Load(20, "full-size", 2, instances_a_study=1000, bytes_a_study=100 * MB)
FIGURES = Figures(
    mode="production",
    workers=1,
    studies_an_hour=100.0,
    waiting_s=(300.0, 600.0),
    processing_s=(30.0, 40.0),
    sent_bytes=30 * MB,
    receive_ms=20.0,
    disk_bytes={"spool": 100 * MB, "results": 50 * MB, "database": MB},
    peak_bytes={"worker 1": 3 * 10**9, "node": 10**8, "Triton": 2 * 10**9},
)
SITE = Site(studies_a_day=8.0, hours=10.0, busy=0.7, busiest=3.0)


def test_a_hundred_scanners():
    need = need_of(100, SITE, LOAD, FIGURES)
    assert need.studies_a_day == 800
    assert need.machines == 2  # 80 an hour, 70 a machine
    assert need.nodes == 1  # 67 instances a second at the busiest, a node takes 200
    assert need.disk_gb_a_day == pytest.approx(120.0)
    assert need.database_gb_a_year == pytest.approx(292.0)
    assert need.network_in_mbit_s == pytest.approx(800 / 15)  # one study in 15 s
    assert need.network_out_mbit_s == pytest.approx(16.0)


def test_a_thousand_scanners_need_ten_times_as_much():
    need = need_of(1000, SITE, LOAD, FIGURES)
    assert (need.machines, need.nodes) == (12, 4)  # 11.4 and 3.3
    assert need.disk_gb_a_day == pytest.approx(1200.0)


def test_one_machine():
    assert studies_a_day(FIGURES, SITE) == pytest.approx(700.0)
    assert mean_wait_s(FIGURES, SITE) == pytest.approx(42.0)  # 7/6 of 36 s


def test_the_best_row_of_production_counts():
    embedded = replace(FIGURES, mode="embedded", studies_an_hour=500.0)
    two = replace(FIGURES, workers=2, studies_an_hour=110.0)
    assert best_of([embedded, FIGURES, two]) == two


def test_what_was_kept_is_read_again_and_printed(tmp_path, capsys):
    path = tmp_path / "figures.json"
    document = {"load": LOAD.document(), "rows": [FIGURES.document()]}
    path.write_text(json.dumps(document))
    assert load_figures(path) == (LOAD, [FIGURES])
    page = tmp_path / "page.md"
    shutil.copyfile(PAGE, page)
    main([str(path), "--scanners", "100", "--page", str(page)])
    printed = capsys.readouterr().out
    for part in printed.strip().split("\n\n"):
        assert part in page.read_text()
    written = page.read_text()
    main([str(path), "--scanners", "100", "--page", str(page)])
    assert page.read_text() == written
    assert "700 studies in 10 hours" in printed
    assert "| machines like the measured one | 2 |" in printed
    assert "| images and results, GB a day | 120.0 |" in printed


def test_the_table_has_a_column_for_each_measurement():
    table = as_table(LOAD, [FIGURES, replace(FIGURES, workers=2, peak_bytes={"worker 1": 10**9})])
    assert "| | production, 1 worker | production, 2 workers |" in table
    assert "| studies an hour | 100.0 | 100.0 |" in table
    assert "| peak memory: Triton, GB | 2.00 | - |" in table


def test_percentiles_are_values_that_occurred():
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile(range(1, 21), 0.95) == 19
