import pytest

from dicom_node.allowance import Allowances
from dicom_node.gate import Gate, Rule

HOUR = 3600
THRIFTY = Rule("thrifty", ("A",), bytes_an_hour=HOUR)  # one byte a second
OTHER = Rule("other", ("B",), bytes_an_hour=HOUR)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test moves."""
    now = [1000.0]
    monkeypatch.setattr("dicom_node.allowance.time.monotonic", lambda: now[0])
    return now


def test_what_is_left_is_full_at_first_and_refilled_all_the_time(clock):
    allowances = Allowances()
    assert allowances.spend(THRIFTY, 3000)
    assert not allowances.spend(THRIFTY, 601)  # and nothing was taken
    assert allowances.spend(THRIFTY, 600)
    assert not allowances.spend(THRIFTY, 1)
    assert allowances.spend(OTHER, HOUR)  # each has its own
    clock[0] += 10
    assert allowances.spend(THRIFTY, 10)
    assert not allowances.spend(THRIFTY, 1)
    clock[0] += 10 * HOUR
    assert allowances.spend(THRIFTY, HOUR)  # never more than of one hour
    assert not allowances.spend(THRIFTY, 1)


def test_a_rule_without_a_limit_may_send_anything(clock):
    assert clock
    assert Allowances().spend(Rule("free"), 2**50)


def test_a_peer_that_sent_enough_is_told_to_keep_the_rest(
    receiving, storescu, spool, instances, tmp_path
):
    paths = [instances.write_file(instances.mr_image(number), tmp_path / "in") for number in (1, 2)]
    size = len(instances.data_set_bytes(paths[0]))
    rule = Rule("scanner", ("MR1",), bytes_an_hour=size + size // 2)
    with receiving(gate=Gate(("OSTEON",), (rule, Rule("others")))) as receiver:
        code, text = storescu(receiver.port, paths[0], calling="MR1")
        assert code == 0, text
        _, text = storescu(receiver.port, paths[1], calling="MR1")  # another association
        assert "OutOfResources" in text
        code, text = storescu(receiver.port, paths[1], calling="MR2")
        assert code == 0, text
    assert len(list((spool.root / "studies").rglob("*.dcm"))) == 2
