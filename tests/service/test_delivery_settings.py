"""What the settings say of destinations is what a worker does."""

import pytest

from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.stow import StowDestination
from service.preflight.neighbours import check_destinations
from service.settings import SettingsError, load_settings
from service.worker_settings import destination_names, worker_configuration
from workers.configuration import DeliveryRule
from workers.places import place_of

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


VNA = 'name = "vna"\nurl = "https://vna.example/dicom-web/"\n'


def test_a_service_of_dicomweb_is_a_destination_too(settings, tmp_path):
    text = f'[[destinations]]\n{PACS}[[stow]]\n{VNA}token_file = "{tmp_path}/t"\nkinds = ["sr"]\n'
    given = settings(text)
    assert destination_names(given) == ("pacs", "vna")
    _, vna = worker_configuration(given).destinations
    assert (vna.web.url, vna.proof, vna.kinds) == (
        "https://vna.example/dicom-web",
        "query",
        ("sr",),
    )
    assert vna.web.token_file == tmp_path / "t"
    made = place_of(vna)
    assert (type(made), made.peer.host, made.peer.port) == (StowDestination, "vna.example", 443)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (VNA.replace("https", "http"), "https"),
        (VNA.replace("vna.example", "me:secret@vna.example"), "password"),
        (f'{VNA}proof = "commitment"\n', "proof"),
    ],
)
def test_an_address_that_is_not_safe_is_refused(settings, text, told):
    with pytest.raises(SettingsError, match=told) as refusal:
        settings(f"[[stow]]\n{text}")
    assert "secret@" not in str(refusal.value)


def test_doctor_asks_a_service_before_results_are_sent_to_it(settings):
    away = 'name = "vna"\nurl = "http://127.0.0.1:1/dw"\nallow_http = true\n'
    (finding,) = check_destinations(settings(f"[[stow]]\n{away}"))
    assert (finding.code, str(finding.verdict)) == ("DICOMWEB_SERVICE", "problem")
    assert "does not answer" in finding.sentence


def test_two_destinations_of_one_name_are_refused(settings):
    double = settings(f"[[destinations]]\n{PACS}[[stow]]\n{VNA.replace('vna', 'pacs', 1)}")
    with pytest.raises(SettingsError, match="same name"):
        worker_configuration(double)


def test_patience_is_that_of_the_settings(settings):
    assert worker_configuration(settings("")).delivery == DeliveryRule()
    told = (
        "[delivery]\nback_off_s = [1, 2]\ngive_up_after_h = 1\nproof_patience_s = 5\nresends = 0\n"
    )
    rule = worker_configuration(settings(told)).delivery
    assert rule == DeliveryRule((1.0, 2.0), 3600.0, 5.0, resends=0)
