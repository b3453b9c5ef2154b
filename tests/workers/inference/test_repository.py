import json

import pytest

from imaging.errors import ModelMismatch
from tests.workers.served import Fraction, write_model
from workers.inference.repository import load_spec


def test_a_declaration_is_read_whole(tmp_path):
    spec = load_spec(write_model(tmp_path / "m", Fraction(), thresholds={"bone": 0.3}))
    assert (spec.name, spec.version, spec.spacing_mm) == ("anatomy", "1", (5.0, 4.0, 4.0))
    assert [channel.quantity for channel in spec.channels] == ["adc_um2_s", "s0"]
    assert spec.divisor == (4, 4, 4)
    assert spec.thresholds == {"bone": 0.3}


def test_another_file_than_the_declared_one_is_refused(tmp_path):
    folder = write_model(tmp_path / "m", Fraction())
    with (folder / "1/model.pt").open("ab") as file:
        file.write(b"one byte more")
    with pytest.raises(ModelMismatch, match="sha256 differs"):
        load_spec(folder)


def test_a_missing_file_and_a_missing_declaration_are_named(tmp_path):
    with pytest.raises(ModelMismatch, match=r"osteon\.json cannot be read"):
        load_spec(tmp_path)
    folder = write_model(tmp_path / "m", Fraction())
    (folder / "1/model.pt").unlink()
    with pytest.raises(ModelMismatch, match=r"1/model\.pt is missing"):
        load_spec(folder)


@pytest.mark.parametrize("broken", [{"spacing_mm": [1, 2]}, {"divisor": "x"}, {"channels": [{}]}])
def test_a_declaration_that_is_not_one_is_refused(tmp_path, broken):
    folder = write_model(tmp_path / "m", Fraction(), **broken)
    with pytest.raises(ModelMismatch, match="not a model declaration"):
        load_spec(folder)


def test_a_missing_field_is_named(tmp_path):
    folder = write_model(tmp_path / "m", Fraction())
    fields = json.loads((folder / "osteon.json").read_text())
    del fields["slab_overlap"]
    (folder / "osteon.json").write_text(json.dumps(fields))
    with pytest.raises(ModelMismatch, match="slab_overlap"):
        load_spec(folder)
