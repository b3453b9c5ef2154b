"""What the settings say of destinations is what a worker does."""

import pytest

from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from service.settings import SettingsError, load_settings
from service.worker_settings import worker_configuration
from workers.configuration import DeliveryRule

PACS = 'name = "pacs"\nae_title = "PACS"\nhost = "192.0.2.1"\nport = 104\n'


@pytest.fixture
def settings(tmp_path):
    def load(text):
        file = tmp_path / "osteon.toml"
        file.write_text(text)
        return load_settings(config_file=file)

    return load


def test_a_destination_without_rules_gets_everything_and_is_asked_by_a_query(settings):
    (pacs,) = worker_configuration(settings(f"[[destinations]]\n{PACS}")).destinations
    assert (pacs.proof, pacs.kinds, pacs.tls) == ("query", (), None)
    assert pacs.transfer_syntaxes == (EXPLICIT_LE, IMPLICIT_LE)


def test_a_destination_with_rules(settings):
    rules = 'proof = "commitment"\nkinds = ["seg", "sr"]\ntransfer_syntaxes = ["implicit"]\n'
    (pacs,) = worker_configuration(settings(f"[[destinations]]\n{PACS}{rules}")).destinations
    assert (pacs.proof, pacs.kinds) == ("commitment", ("seg", "sr"))
    assert pacs.transfer_syntaxes == (IMPLICIT_LE,)


@pytest.mark.parametrize(
    "rule", ['proof = "hope"', 'kinds = ["everything"]', "transfer_syntaxes = []"]
)
def test_a_rule_that_is_none_is_refused(settings, rule):
    with pytest.raises(SettingsError, match=rule.split()[0]):
        settings(f"[[destinations]]\n{PACS}{rule}\n")


def test_patience_is_that_of_the_settings(settings):
    assert worker_configuration(settings("")).delivery == DeliveryRule()
    told = (
        "[delivery]\nback_off_s = [1, 2]\ngive_up_after_h = 1\nproof_patience_s = 5\nresends = 0\n"
    )
    rule = worker_configuration(settings(told)).delivery
    assert rule == DeliveryRule((1.0, 2.0), 3600.0, 5.0, resends=0)
