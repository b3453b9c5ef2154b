from __future__ import annotations

import dataclasses

import pytest

from training.experiment import AtlasSettings, CohortSettings
from training.reproduction.anatomy_table import (
    ATLAS,
    HARD,
    NETWORK,
    anatomy_table,
    speed_ratios,
)
from training.reproduction.scans import Answer, ScanResult, read_scan, write_scan
from training.scoring.structures import StructureScore
from training.timing import ScanTime


def score(dice, distance=2.0):
    return StructureScore(dice, 0.8, 0.9, (0.1, 0.2, 0.3), distance, 9.0, 10.0, None, None)


def scan(seed, atlas_s, network_s, dice, hard=0.5):
    found = {"skeleton": score(dice), "organs": score(0.9, None), "spinal_canal": score(0.5, 1.25)}
    answers = {
        ATLAS: Answer(found, ScanTime(atlas_s, atlas_s / 2)),
        NETWORK: Answer(found, ScanTime(network_s, network_s)),
        HARD: Answer(found | {"skeleton": score(hard)}, ScanTime(network_s, network_s)),
    }
    return ScanResult(f"phantom-{seed:05d}", "a", answers)


RESULTS = [
    scan(1000, 30.0, 2.0, 0.7, 0.6),
    scan(1001, 40.0, 2.0, 0.8, 0.5),
    scan(1002, 50.0, 5.0, 0.9, 0.7),
]


@pytest.fixture
def table(experiment):
    cohort = CohortSettings("x", "1-4", "900", "1000-1002")
    atlas = AtlasSettings("301-303")
    return anatomy_table(dataclasses.replace(experiment, cohort=cohort, atlas=atlas), RESULTS)


def test_ratios_by_hand(table):
    assert speed_ratios(RESULTS, "wall_s") == [15.0, 20.0, 10.0]
    assert speed_ratios(RESULTS, "cpu_s") == [7.5, 10.0, 5.0]
    assert "on the clock: 15.0x (median; 10.0 to 20.0); asked ≥ 12x: met." in table
    assert "in processor time: 7.5x (median; 5.0 to 10.0); asked ≥ 12x: **missed**." in table
    # 3 atlases, 7.5x: 2.5x each, so 12x needs 4.8 of them.
    assert "One atlas takes 2.5 times the network's processor time" in table
    assert "(3 here): 12x needs 5." in table


def test_the_rows(table):
    (atlas,) = [line for line in table.splitlines() if line.startswith("| atlas")]
    cells = [cell.strip() for cell in atlas.strip("|").split("|")]
    assert cells[1].startswith("0.800 [")
    assert cells[2] == "-"  # no scan holds it
    assert cells[3].startswith("0.900")
    assert cells[5].startswith("2.00")
    assert cells[6] == "-"  # organs without a surface
    assert cells[8:] == ["40.00", "20.00"]
    assert "3 atlases (seeds 301-303)" in table
    assert "networks trained on 4 scans" in table
    assert "3 patients that no method saw" in table


def test_soft_against_hard_by_hand(table):
    (row,) = [line for line in table.splitlines() if line.startswith("| Dice skeleton |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    # 0.1, 0.3, 0.2; three pairs of one sign: p = 2 / 2^3 = 0.25, one test that can be made.
    assert cells[1].startswith("0.200 [0.1")
    assert cells[2:] == ["3", "0.2500"]
    (canal,) = [line for line in table.splitlines() if line.startswith("| Dice canal |")]
    assert [cell.strip() for cell in canal.strip("|").split("|")][2:] == ["3", "-"]
    assert "p x 1 (Bonferroni)" in table


def test_a_scans_file_reads_back(tmp_path):
    path = tmp_path / "scans" / "a.json"
    write_scan(RESULTS[0], path)
    assert read_scan(path) == RESULTS[0]
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]
