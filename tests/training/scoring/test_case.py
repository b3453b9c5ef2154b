from __future__ import annotations

from tests.training.scored import case, exam, hit, miss, right, wrong
from training.scoring.case import read_result, write_result


def test_a_result_reads_back_as_it_was(tmp_path):
    result = case(
        7,
        exam([hit(2.0, 0.9), miss(0.5)], [right(1.0, 0.9), wrong(0.1, 0.4)], [(0, 0, 0.7)]),
        gadc_um2_s=None,
        disease=None,
    )
    write_result(result, tmp_path / "case.json")
    assert read_result(tmp_path / "case.json") == result
    assert [p.name for p in tmp_path.iterdir()] == ["case.json"]
