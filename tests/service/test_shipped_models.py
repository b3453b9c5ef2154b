"""What stands in the model repository is what the default settings serve."""

from imaging.anatomy import STRUCTURES
from imaging.burden import DISEASE_CLASSES, THRESHOLD
from imaging.focal_lesions import FOCAL_CLASSES
from service.settings import load_settings
from service.worker_settings import worker_configuration
from workers.inference.repository import load_spec

LARGEST_BYTES = 25e6


def test_the_default_models_are_there_and_of_their_kind():
    configuration = worker_configuration(load_settings())
    anatomy, disease, focal = (load_spec(folder) for folder in _folders(configuration))
    assert anatomy.classes == tuple(s.name for s in STRUCTURES)
    assert disease.classes == DISEASE_CLASSES
    assert 0 < disease.thresholds[THRESHOLD] < 1
    assert focal.classes == FOCAL_CLASSES
    assert 0 < focal.thresholds["lesion"] < 1
    for folder in _folders(configuration):
        assert (folder / "1/model.pt").stat().st_size < LARGEST_BYTES


def test_the_cards_say_whose_they_are_and_what_was_measured():
    configuration = worker_configuration(load_settings())
    thresholds = {}
    for folder in _folders(configuration):
        card = (folder / "MODEL_CARD.md").read_text()
        spec = load_spec(folder)
        assert card.count(f"# {spec.name} {spec.version}") == 1
        assert "Not evaluated yet" not in card
        assert "Research software" in card
        assert all(f"{name} {value:g}" in card for name, value in spec.thresholds.items())
        thresholds |= spec.thresholds
    assert set(thresholds) == {"disease", "lesion"}


def _folders(configuration):
    return (configuration.anatomy_model, configuration.disease_model, configuration.focal_model)
