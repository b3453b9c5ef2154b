import pytest

from imaging.b_value_habits import unusual_b_note


@pytest.mark.parametrize("b_values", [(50.0, 900.0), (100.0, 500.0, 800.0), (50.0, 1000.0)])
def test_usual_protocols_give_no_note(b_values):
    assert unusual_b_note(b_values) is None


@pytest.mark.parametrize(
    ("b_values", "measured", "said"),
    [
        ((0.0, 900.0), 0.0, "b 0, where 50 to 100 is usual"),
        ((50.0, 1500.0), 1500.0, "b 1500, where 800 to 1000 is usual"),
        ((200.0, 600.0), 200.0, "b 600, where 800 to 1000 is usual"),
    ],
)
def test_unusual_protocols_are_named(b_values, measured, said):
    note = unusual_b_note(b_values)
    assert (note.code, note.severity, note.measured) == ("UNUSUAL_B", "warning", measured)
    assert said in note.text
